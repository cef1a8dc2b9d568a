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
			tell(fact{Kind: FactWorkBeforeFirst, N: len(gs), Took: alone(c)}).
			not("a slow app", fact{Kind: NotSlowAlone, Took: alone(c)}).
			or(StallInApp, fact{Kind: MaySharedPause})
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
// Its process may have stopped, or what it waits for: what it did meanwhile tells.
func (v *view) silentTogether(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	p := v.pausesOf(c)
	what := FactSilentTogether
	if p.level() == possible {
		what = FactSilentEither
	}
	f := found(BlockedLoop, layerApp, likely, gs)
	if !p.ran.Empty() {
		what = FactSilentBehind
		f = found(StallInApp, layerApp, likely, gs).show(p.ran).not(BlockedLoop, fact{Kind: NotBlockedAnswered})
	}
	f.tell(fact{Kind: what, N: len(gs), Took: worstGap(gs), Bound: longestAlone(c)})
	inStep := false
	for i, x := range c.Silences {
		if i < 3 {
			f.see(fact{Kind: FactOpenSilent, N: len(x.Streams), Of: x.Open, Times: []time.Duration{x.From, x.To}})
		}
		inStep = inStep || x.InStep
	}
	f.see(v.figures(c), workersLine(gs))
	if p.ran.Empty() {
		p.judged(f, likely)
	}
	if inStep && len(c.Silences) < 2 {
		f.or(StallInApp, fact{Kind: MaySameEvent})
	}
	if f.Confidence == possible {
		v.setAside(f)
	}
	return f
}

// pausesOf is what is known of all common silences of a crowd together: one in which the
// app answered somebody acquits it, and one in which it surely stopped convicts it.
func (v *view) pausesOf(c *verdict.Crowd) *pause {
	all := &pause{}
	for _, x := range c.Silences {
		if len(x.Streams) == 0 {
			continue
		}
		p := v.pauseOf(x.Streams, x.From, x.To)
		if head := v.headIn(x.Streams, x.Open, x.From, x.To); p.ran.Empty() && head.Kind != "" {
			p.ran = record.Found(head)
		}
		if all.ran.Empty() {
			all.ran = p.ran
		}
		if len(all.sure) == 0 {
			all.sure = p.sure
		}
		if len(all.signs) == 0 {
			all.signs = p.signs
		}
	}
	if len(all.sure) > 0 {
		all.ran = record.Evidence{}
	}
	return all
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
		workersLine(gs))
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
		tell(fact{Kind: FactHeldUntilEnd, N: len(gs)}).
		not(ThreadPool, fact{Kind: NotForty})
	if !loops.MatchString(words) {
		f.or(ConcurrencyLimit, fact{Kind: MayOneWorker})
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
	what, why := FactWaitForAnswer, WhyOneEnds
	if c.Pattern == verdict.StartsAtMost || c.Pattern == verdict.StartsOneByOne {
		what, why = FactWaitForFirst, WhyFlowOn
	}
	if c.InBody {
		why = WhyNothingUntil
	}
	full, confidence, ruledOut := v.fullPools(len(c.Streams))
	if c.InBody && isPool(float64(c.N)) && len(full) == 0 && !ruledOut {
		return found(ThreadPool, layerApp, likely, gs).
			tell(fact{Kind: FactPoolInBody, N: len(gs), Need: c.N}).
			see(fact{Kind: FactAboutWent, N: c.N, Share: c.Share}).
			see(v.figures(c), v.threadsLine(poolSize)).
			not(BlockedLoop, fact{Kind: NotBlockedMeanwhile}).
			or(ConcurrencyLimit, fact{Kind: MayOtherLimit}).
			settle(v.rerun("--streams 40", WhyBelowKnee))
	}
	if len(full) > 0 && isPool(float64(c.N)) {
		return found(ThreadPool, layerApp, confidence, gs).
			tell(fact{Kind: FactPoolTaken, N: len(gs), Need: c.N}).
			see(full...).see(v.figures(c), stepsLine(c))
	}
	f := found(ConcurrencyLimit, layerApp, likely, gs).
		tell(fact{Kind: what, N: len(gs), Need: c.N, About: []fact{{Kind: why}}}).
		see(fact{Kind: FactExactly, N: c.N, Share: c.Share, Of: c.MostOpen, Need: c.MostWaiting}).
		see(v.figures(c), stepsLine(c), v.threadsLine(c.N), v.whose(c)).
		notIf(len(c.Silenced) == 0, BlockedLoop, fact{Kind: NotBlockedOpen}).
		not("a slow app", fact{Kind: NotSlowAlone, Took: alone(c)}).
		settle(v.rerun(fmt.Sprintf("--streams %d", c.N), WhyAtLimit))
	if n := workersOf(c.Streams); n > 0 && c.N == n && c.Pattern == verdict.AtMost {
		f.see(fact{Kind: FactProcessesServed, N: n})
	}
	if isPool(float64(c.N)) {
		f.or(ThreadPool, fact{Kind: MayAnyio})
	}
	if said := v.limitSaid(c.Waited); len(said) > 0 {
		f.show(cite(said, 2)...)
		return f // the app itself says whose places they are
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
		least, most, ok := v.queuesOf(g)
		half := (g.First - startOf(g)) / 2
		switch {
		case !ok:
		case least.Queued >= half:
			if queued++; longest.log == nil || least.Queued > longest.Queued {
				longest = least
			}
		case most.Queued < half:
			prompt++
		}
	}
	switch {
	case 2*queued > len(c.Waited):
		f.Layer = layerEdge
		f.show(longest.remarked(fact{Kind: FactQueuedAtEdge, N: queued, Of: len(c.Waited),
			Name: v.edge.product.String(), Took: longest.Queued}))
	case 2*prompt > len(c.Waited):
		f.not(EdgeFull, fact{Kind: NotQueuedAtEdge, Name: v.edge.product.String(), N: prompt})
	case !v.edge.known && c.Hop != appHop && !c.InBody:
		f.or(EdgeFull, fact{Kind: MayEdgeQueue})
	}
}

// queuesOf are the lines of an edge with the shortest and the longest time in its queue among
// those that can be about a stream: often a few that began and ended with it fit as well.
func (v *view) queuesOf(g *verdict.Graded) (least, most access, ok bool) {
	if a, known := v.accessOf(g); known {
		return a, a, a.Queued >= 0
	}
	for i := range v.access.all {
		a := &v.access.all[i]
		_, others := v.access.whose[lineKey{a.log, a.line.N}]
		if others || !a.log.Kind.Edge() || a.Queued < 0 || a.line.At == record.Never || v.ofAnother(a.Path) || !a.mayBeOf(g) {
			continue
		}
		if !ok || a.Queued < least.Queued {
			least = *a
		}
		if !ok || a.Queued > most.Queued {
			most = *a
		}
		ok = true
	}
	return least, most, ok
}

// whose is what usually sets such a limit in the app's server.
func (v *view) whose(c *verdict.Crowd) fact {
	words := strings.ToLower(v.serverWords())
	switch {
	case strings.Contains(words, "gunicorn"):
		return fact{Kind: FactGunicorn}
	case strings.Contains(words, "waitress"):
		return fact{Kind: FactWaitress}
	}
	switch languageOf(v) {
	case Java:
		return fact{Kind: FactJavaExecutor}
	case PHP:
		return fact{Kind: FactPHPChildren}
	case Ruby:
		return fact{Kind: FactPumaThreads}
	}
	return fact{}
}

// threadsLine shows a process whose count of threads stopped near the limit.
func (v *view) threadsLine(n int) fact {
	for _, e := range v.highestThreads() {
		if int(e.Value) >= n && int(e.Value) <= n+5 {
			return fact{Kind: FactThreadsRose, N: e.Pid, Name: e.Subject, Of: int(e.Value)}
		}
	}
	return fact{}
}

// queued is left where no pattern shows, and the streams alone were all prompt.
func (v *view) queued(c *verdict.Crowd, gs []*verdict.Graded) *finding {
	if len(c.Waited) < 2 {
		return nil
	}
	if said := v.limitSaid(c.Waited); len(said) > 0 {
		return found(ConcurrencyLimit, layerApp, likely, gs).tell(fact{Kind: FactLimitReached, N: len(gs)}).
			show(cite(said, 3)...).see(v.figures(c), stepsLine(c)).settle(v.rerun("--streams 2", WhyFewStreams))
	}
	name, what := SlowFirstEvent, FactFarLater
	if grows(c) {
		name, what = Queue, FactQueue
	}
	return found(name, layerApp, likely, gs).tell(fact{Kind: what, N: len(gs)}).see(v.figures(c),
		stepsLine(c)).settle(v.rerun("--streams 2", WhyFewStreams))
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
			f.see(fact{Kind: FactServedAtOnce, N: o.MostOpen})
			f.or(HeldOnTheWay, fact{Kind: MayBeHeldUp})
		}
	}
}

// figures reads "first event 26 ms alone; 1.4 s (p50), 2.7 s (p90), … under load".
func (v *view) figures(c *verdict.Crowd) record.Fact { return c.Measured() }

// stepsLine shows how first events followed one another.
func stepsLine(c *verdict.Crowd) fact {
	var firsts []time.Duration
	for _, g := range c.Streams {
		if g.First != record.Never {
			firsts = append(firsts, g.First)
		}
	}
	if len(firsts) == 0 {
		return fact{}
	}
	slices.Sort(firsts)
	const together = 100 * time.Millisecond
	f := fact{Kind: FactSteps}
	n, from := 0, firsts[0]
	for i, at := range firsts {
		n++
		if i+1 < len(firsts) && firsts[i+1]-at < together {
			continue
		}
		f.About = append(f.About, fact{Kind: FactStep, N: n, Took: from - firsts[0]})
		if i+1 < len(firsts) {
			n, from = 0, firsts[i+1]
		}
	}
	return f
}
