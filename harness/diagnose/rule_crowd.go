package diagnose

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// waiting explains streams that wait for one another, by what a stream alone did on
// the same road and by the pattern of the timelines ([verdict.Crowd]): a blocked
// event loop, a limit on how many are served at once, a queue. It comes before the
// rules on timers: where a timer cut a stream that the loop held up, the loop is to
// blame.
type waiting struct{}

func (waiting) match(v *view) []*finding {
	return v.waits(v.held, func(c *verdict.Crowd) bool { return c.Pattern != verdict.NoPattern })
}

// queue is for streams that waited under load without a pattern. It comes late: what
// holds events back, or cuts streams, makes first events late as well.
type queue struct{}

func (queue) match(v *view) []*finding {
	return v.waits(v.queued, func(c *verdict.Crowd) bool { return c.Pattern == verdict.NoPattern })
}

// waits makes findings of the crowds that want holds for, one for each cause.
func (v *view) waits(name func(*verdict.Crowd, []*verdict.Graded) *finding, want func(*verdict.Crowd) bool) []*finding {
	var fs []*finding
	if v.Scenario.Policy.Slowdown <= 0 {
		return nil
	}
	for _, c := range v.Crowds() {
		if !c.Enough() || !c.ByLoad() || !want(c) {
			continue
		}
		gs := v.take(func(g *verdict.Graded) bool {
			return slices.Contains(c.Slowed, g) && !surely([]*verdict.Graded{g}) &&
				!(isCut(g) && len(v.tags[workerTimedOut]) > 0)
		})
		if len(gs) < 2 {
			continue
		}
		f := name(c, gs)
		if f == nil {
			continue
		}
		v.atHop(f, c)
		if i := slices.IndexFunc(fs, func(o *finding) bool {
			return o.Cause.Cause == f.Cause.Cause && o.Layer == f.Layer
		}); i >= 0 {
			fs[i].streams = append(fs[i].streams, f.streams...)
			continue
		}
		fs = append(fs, f)
	}
	return fs
}

// held names the cause of a pattern.
func (v *view) held(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	switch c.Pattern {
	case verdict.SilentTogether:
		return v.silentTogether(c, gs)
	case verdict.NothingMeanwhile:
		return v.serialised(c, gs, likely).
			say("%d streams waited for one another: the work before the first event takes %s and is done for one stream at a time, and open streams get nothing meanwhile: it blocks the event loop",
				len(gs), brief(alone(c))).
			not("a slow app", fmt.Sprintf("alone, its first event comes after %s", brief(alone(c))))
	case verdict.OneByOne:
		return v.oneByOne(c, gs)
	case verdict.AtMost, verdict.StartsAtMost, verdict.StartsOneByOne:
		return v.limited(c, gs)
	}
	return nil
}

func alone(c *verdict.Crowd) time.Duration {
	d, _ := verdict.TTFE(c.Solo)
	return d
}

// silentTogether is F1 beside a solo stream that was never silent for so long.
func (v *view) silentTogether(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	f := found(BlockedLoop, layerApp, likely, gs).
		say("%d streams fell silent together, for up to %s, though no stream alone is silent for longer than %s: something blocks the event loop that serves them",
			len(gs), brief(worstGap(gs)), brief(longestAlone(c)))
	inStep := false
	for i, x := range c.Silences {
		if i < 3 {
			f.see(fmt.Sprintf("%d of %d open streams silent from %.3f s to %.3f s", len(x.Streams), x.Open, x.From.Seconds(),
				x.To.Seconds()))
		}
		inStep = inStep || x.InStep
	}
	f.see(v.figures(c), workersLine(gs)).mend(v.fix(fixBlocked))
	if inStep && len(c.Silences) < 2 {
		f.or(StallInApp, "they stood at the same event: something behind the app may answer all of them later under load")
	}
	return f
}

func worstGap(gs []*verdict.Graded) time.Duration {
	return slices.MaxFunc(gs, func(a, b *verdict.Graded) int { return cmp.Compare(a.MaxGap, b.MaxGap) }).MaxGap
}

func longestAlone(c *verdict.Crowd) time.Duration {
	longest := c.Solo.MaxGap
	for _, g := range c.Solos {
		longest = max(longest, g.MaxGap)
	}
	return longest
}

// serialised begins a finding about a loop.
func (v *view) serialised(c *verdict.Crowd, gs []*verdict.Graded, confidence string) *finding {
	return found(SerialisedLoop, layerApp, confidence, gs).see(v.figures(c), stepsLine(c),
		workersLine(gs)).mend(v.fix(fixBlocked))
}

// loops are servers that serve all streams of a process from one event loop,
// threaded ones those that give each a thread or a process.
var (
	loops    = regexp.MustCompile(`(?i)uvicorn|hypercorn|daphne|granian|aiohttp|tornado|sanic|node|express`)
	threaded = regexp.MustCompile(`(?i)gunicorn|waitress|werkzeug|cherrypy|wsgi|puma|webrick|unicorn|php|jetty|tomcat|` +
		`coyote|\bjava\b`)
)

// oneByOne is F3: each answer begins when another has ended. In an event loop
// something holds it all the time; elsewhere there may be one worker.
func (v *view) oneByOne(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	words := v.serverWords()
	if threaded.MatchString(words) && !loops.MatchString(words) {
		return v.limited(c, gs)
	}
	f := v.serialised(c, gs, likely).
		say("%d streams that had begun together were served one after the other: the code that makes an answer holds the "+
			"event loop until it has ended", len(gs)).
		not(ThreadPool, "one at a time, not forty")
	if !loops.MatchString(words) {
		f.or(ConcurrencyLimit, "a server with one worker or a lock serves one at a time, too")
	}
	return f
}

// serverWords are what responses, processes and logs say of the app's server.
func (v *view) serverWords() string {
	words := []string{v.appFields(), v.appProcess()}
	for _, l := range v.logs[record.AppLog] {
		for _, line := range l.Lines[:min(20, len(l.Lines))] {
			words = append(words, line.Text)
		}
	}
	return strings.Join(words, "\n")
}

// limited is a limit on how many streams are served, or prepared, at a time.
func (v *view) limited(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	what, why := "answer", "a new one begins only when another has ended"
	if c.Pattern == verdict.StartsAtMost || c.Pattern == verdict.StartsOneByOne {
		what, why = "first event", "the others wait, while answers that have begun flow on"
	}
	if c.InBody {
		why = "the others, which have begun, get nothing until one has ended"
	}
	full, confidence, ruledOut := v.fullPools(len(c.Streams))
	if c.InBody && isPool(float64(c.N)) && len(full) == 0 && !ruledOut {
		return found(ThreadPool, layerApp, likely, gs).
			say("%d streams that had begun got nothing while about %d others went on: "+
				"sync generators share 40 threads a process, event by event", len(gs), c.N).
			see(fmt.Sprintf("about %d went on for %.0f %% of the time in which others got nothing", c.N, 100*c.Share)).
			see(v.figures(c), v.threadsLine(poolSize)).
			not(BlockedLoop, "the others went on meanwhile").
			mend(v.fix(fixPool)).
			or(ConcurrencyLimit, "another limit that is taken for each event may be as large").
			settle(v.rerun("--streams 40") + "   # below the knee all is well")
	}
	if len(full) > 0 && isPool(float64(c.N)) {
		return found(ThreadPool, layerApp, confidence, gs).
			say("%d streams waited while %d others held all 40 threads of the pool: sync generators share 40 threads a process", len(gs), c.N).
			see(full).see(v.figures(c), stepsLine(c)).mend(v.fix(fixPool))
	}
	f := found(ConcurrencyLimit, layerApp, likely, gs).
		say("%d streams had to wait: %s at a time; %s", len(gs), atMost(c.N, what), why).
		see(fmt.Sprintf("exactly %d for %.0f %% of the time in which others waited; at most %d answers open at once, %d "+
			"requests waiting", c.N, 100*c.Share, c.MostOpen, c.MostWaiting)).
		see(v.figures(c), stepsLine(c), v.threadsLine(c.N), v.whose(c)).
		notIf(len(c.Silenced) == 0, BlockedLoop, "streams that had begun went on while the others waited").
		not("a slow app", fmt.Sprintf("alone, its first event comes after %s", brief(alone(c)))).
		mend(v.fix(fixLimit)).
		settle(v.rerun(fmt.Sprintf("--streams %d", c.N)) + "   # at the limit all is well")
	if n := workersOf(c.Streams); n > 0 && c.N == n && c.Pattern == verdict.AtMost {
		f.see(fmt.Sprintf("%d processes served them: each one stream at a time", n))
	}
	if isPool(float64(c.N)) {
		f.or(ThreadPool, "anyio's pool has 40 threads a process")
	}
	v.orEdgesQueue(f, c)
	return f
}

// orEdgesQueue says whether the places are the edge's: where its log has the time that
// requests spent in its queues (Tw of HAProxy), that decides; elsewhere both may be.
func (v *view) orEdgesQueue(f *finding, c *verdict.Crowd) {
	queued, prompt := 0, 0
	var longest access
	for _, g := range c.Waited {
		a, ok := v.accessOf(g)
		switch {
		case !ok || a.Queued < 0:
		case 2*a.Queued >= g.First-startOf(g):
			if queued++; longest.log == nil || a.Queued > longest.Queued {
				longest = a
			}
		default:
			prompt++
		}
	}
	switch {
	case 2*queued > len(c.Waited):
		f.Layer = layerEdge
		f.show(longest.remarked(fmt.Sprintf(": %d of %d that waited did so in a queue of %s, this one for %.2f s",
			queued, len(c.Waited), v.edge.product, longest.Queued.Seconds())))
	case 2*prompt > len(c.Waited):
		f.not(EdgeFull, fmt.Sprintf("the log of %s has no wait in its queues for %d of them", v.edge.product, prompt))
	case !v.edge.known && c.Hop != appHop && !c.InBody:
		f.or(EdgeFull, "an edge that lets only so many requests through at a time (maxconn of HAProxy) lets the others "+
			"wait, too")
	}
}

func atMost(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("at most %d %ss", n, what)
}

// whose says what usually sets such a limit in the app's server.
func (v *view) whose(c *verdict.Crowd) string {
	words := strings.ToLower(v.serverWords())
	switch {
	case strings.Contains(words, "gunicorn"):
		return "the server is gunicorn: a sync worker serves one stream at a time, a gthread worker as many as --threads"
	case strings.Contains(words, "waitress"):
		return "the server is waitress, with 4 threads unless --threads says otherwise"
	}
	switch languageOf(v) {
	case java:
		return "in Java the executor or connector of the server sets it: its number of handler threads"
	case php:
		return "in PHP-FPM pm.max_children sets it"
	case ruby:
		return "in Puma workers times threads set it"
	}
	return ""
}

// threadsLine shows a process whose count of threads stopped near the limit.
func (v *view) threadsLine(n int) string {
	for _, e := range v.highestThreads() {
		if int(e.Value) >= n && int(e.Value) <= n+5 {
			return fmt.Sprintf("pid %d of %s rose to %d threads and no further", e.Pid, e.Subject, e.Value)
		}
	}
	return ""
}

// queued is left where no pattern shows, and the streams alone were all prompt.
func (v *view) queued(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	if len(c.Waited) < 2 {
		return nil
	}
	name, text := SlowFirstEvent, "the first event of %d streams came far later under load than alone"
	if grows(c) {
		name, text = Queue, "%d streams stood in a queue: the later a request came, the longer it waited for its first event"
	}
	return found(name, layerApp, likely, gs).say(text, len(gs)).see(v.figures(c), stepsLine(c)).
		mend(v.fix(fixLimit)).settle(v.rerun("--streams 2") + "   # is all well with few streams?")
}

// grows reports whether waiting grows with the position in the order of starts.
func grows(c *verdict.Crowd) bool {
	later, pairs := 0, 0
	for i, a := range c.Waited {
		for _, b := range c.Waited[i+1:] {
			wa, oka := verdict.TTFE(a.Stream)
			wb, okb := verdict.TTFE(b.Stream)
			if !oka || !okb {
				continue
			}
			if pairs++; wb > wa+10*time.Millisecond {
				later++
			}
		}
	}
	return pairs >= 3 && 10*later >= 9*pairs
}

// atHop says at which layer the streams wait: where the app, asked directly in this
// run by as many, serves them all at once, the edge or what stands before it does.
func (v *view) atHop(f *finding, c *verdict.Crowd) {
	if c.Hop == appHop {
		return
	}
	for _, o := range v.Crowds() {
		if o.Hop == appHop && len(o.Streams) >= len(c.Streams)*8/10 && !o.Enough() {
			f.Layer = layerEdge
			f.see(fmt.Sprintf("asked directly, the app served %d streams at once and none waited", o.MostOpen))
			f.or(HeldOnTheWay, "something on the way may hold them up")
		}
	}
}

// figures reads "first event 26 ms alone; 1.4 s (p50), 2.7 s (p90), … under load".
func (v *view) figures(c *verdict.Crowd) record.Fact { return c.Measured() }

// stepsLine shows how first events followed one another.
func stepsLine(c *verdict.Crowd) string {
	var firsts []time.Duration
	for _, g := range c.Streams {
		if g.First != record.Never {
			firsts = append(firsts, g.First)
		}
	}
	if len(firsts) == 0 {
		return ""
	}
	slices.Sort(firsts)
	const together = 100 * time.Millisecond
	var parts []string
	n, from := 0, firsts[0]
	for i, at := range firsts {
		n++
		if i+1 < len(firsts) && firsts[i+1]-at < together {
			continue
		}
		parts = append(parts, fmt.Sprintf("%d at %.2f s", n, (from-firsts[0]).Seconds()))
		if i+1 < len(firsts) {
			n, from = 0, firsts[i+1]
		}
	}
	if len(parts) > 6 {
		parts = append(parts[:6], "…")
	}
	return "first events, counted from the earliest: " + strings.Join(parts, ", ")
}
