package diagnose_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// TestPurity judges records again and again and renders each judgement as text,
// JSON and HTML. Go begins to range over a map anywhere; the maps of the record are
// built anew each time as well, in another order. One record has one answer, byte
// for byte. The richest record has 1,000 rounds and other rich ones 20, or 20 and 3
// with the race detector, which makes each ten times as long; trials have three.
func TestPurity(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 8))
	for name, run := range purityRuns() {
		first := judgedAndRendered(t, run)
		for i := range roundsOf(name) - 1 {
			shuffleMaps(rng, run)
			if again := judgedAndRendered(t, run); !bytes.Equal(first, again) {
				t.Errorf("%s: judgement %d differs from the first (-first +again):\n%s", name, i+2, firstDifference(first, again))
				break
			}
		}
	}
}

func roundsOf(name string) int {
	switch {
	case name == richest && !raceDetector:
		return 1000
	case name == richest:
		return 20
	case strings.HasPrefix(name, trialPrefix):
		return 3
	case raceDetector:
		return 3
	default:
		return 20
	}
}

// TestPurityCoversTheChecks fails when the records of TestPurity no longer raise the
// question of some check, or no longer call for most causes.
func TestPurityCoversTheChecks(t *testing.T) {
	open := map[string]bool{}
	causes := map[string]bool{}
	for _, run := range purityRuns() {
		for _, scope := range verdict.Scopes(run) {
			for _, c := range verdict.Checkers(&scope.Scenario.Policy) {
				if c == (verdict.FlagCheck{Flag: verdict.Unprovable}) {
					continue // asked by Provable
				}
				name := fmt.Sprintf("%T%v", c, c)
				open[name] = open[name] || c.Check(&scope).Verdict != ""
			}
			for _, c := range diagnose.Causes(&scope) {
				causes[c.Cause] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(open)) {
		if !open[name] {
			t.Errorf("no record of TestPurity has anything for the check %s", name)
		}
	}
	t.Logf("%d checks, %d causes", len(open), len(causes))
	if least := 55; len(causes) < least {
		t.Errorf("the records of TestPurity have %d causes, want >= %d", len(causes), least)
	}
}

// judgedAndRendered is all that a judgement of run shows to anybody.
func judgedAndRendered(t *testing.T, run *record.Run) []byte {
	t.Helper()
	scopes := verdict.Scopes(run)
	in := reports.Input{Run: run, Report: pastable(diagnose.ReportScopes(run, scopes)), Scopes: scopes}
	var b bytes.Buffer
	for _, write := range []reports.Reporter{reports.Text, reports.JSON, reports.HTML} {
		if err := write(&b, in); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// firstDifference compares the first line in which two texts differ.
func firstDifference(a, b []byte) string {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(as), len(bs)) {
		if !bytes.Equal(as[i], bs[i]) {
			return cmp.Diff(string(as[i]), string(bs[i]))
		}
	}
	return fmt.Sprintf("%d lines, then %d", len(as), len(bs))
}

// shuffleMaps builds each map of the run anew and puts its keys in by chance.
func shuffleMaps(rng *rand.Rand, run *record.Run) {
	for i := range run.Streams {
		run.Streams[i].Header = shuffledMap(rng, run.Streams[i].Header)
	}
	for i := range run.Plan.Scenarios {
		for j, l := range run.Plan.Scenarios[i].Layers {
			run.Plan.Scenarios[i].Layers[j].Settings = shuffledMap(rng, l.Settings)
		}
	}
	run.Plan.Limits = shuffledMap(rng, run.Plan.Limits)
	run.Plan.Request.Headers = shuffledMap(rng, run.Plan.Request.Headers)
}

func shuffledMap(rng *rand.Rand, m map[string]string) map[string]string {
	if m == nil {
		return nil
	}
	keys := slices.Sorted(maps.Keys(m))
	out := make(map[string]string)
	for _, i := range rng.Perm(len(keys)) {
		out[keys[i]] = m[keys[i]]
	}
	return out
}

// trialPrefix begins the names of records that other tests have as well.
const trialPrefix = "trial: "

// richest is the record with something for every map that judges fill.
const richest = "several causes on three replicas"

// purityRuns are records of every kind: those of the matrix and of streams that
// wait, and some that are rich in what maps hold.
func purityRuns() map[string]*record.Run {
	runs := map[string]*record.Run{
		richest:                      &severalCauses().Run,
		"a fault with all its parts": &combinedFault().Run,
		"all expectations":           &expectations().Run,
		"a hop in each ending":       &peeledHops().Run,
		"odd answers":                &oddAnswers().Run,
		"a terminal mid-answer":      &looseTerminal().Run,
		"one replica, three fields":  &oneReplica().Run,
		"three workers killed":       &workersKilled().Run,
		"three loops, three reasons": &blockedAndGaveUp().Run,
		"two replicas of three":      &twoReplicas().Run,
		"three pools":                &threePools().Run,
		"links that delay":           &slowLinks().Run,
		"three load workers":         &loadWorkers().Run,
		"two workers gone for one":   &workersGone().Run,
	}
	for _, tr := range trials {
		runs[trialPrefix+tr.name] = &tr.run().Run
	}
	for _, tr := range waitTrials {
		runs[trialPrefix+tr.name] = &tr.run().Run
	}
	return runs
}

// slowLinks has streams that went through links of ours, and others beside them, before
// a fault struck there.
func slowLinks() *synth.Builder {
	b := synth.New(record.Scenario{ID: "latency", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Faulty: true, Checks: allFlags()}})
	through := b.Add(20, synth.Shape{Scenario: "latency", Group: record.Victim, First: 200 * ms})
	b.Add(20, synth.Shape{Scenario: "latency", Group: record.Control, First: 100 * ms})
	b.Fault(record.Fault{Name: "latency 1s on the edge link", Kind: "latency", Effect: record.Delays, Links: []string{"edge"},
		MidStream: true}, 600*ms, sec, through...)
	return b
}

// workersGone has a worker that we killed, and another that went with it, under streams
// that do not say who served them.
func workersGone() *synth.Builder {
	b := synth.New(record.Scenario{ID: "worker-kill", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Faulty: true,
		Kills: true, Checks: allFlags()}})
	b.Add(4, synth.Shape{Scenario: "worker-kill", Group: record.Victim, Events: 60, Keep: 5, End: synth.RST})
	b.Happen(record.Event{At: 100 * ms, Source: record.FaultSource, Kind: record.KindKill, Subject: "app[0]", Pid: 7, Code: 9})
	for pid := range 2 {
		b.Happen(record.Event{At: 110 * ms, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Role: record.WorkerRole, Pid: 7 + pid})
	}
	b.Fault(synth.Cut("SIGKILL to one worker process"), 100*ms, 300*ms)
	return b
}

// loadWorkers has a load that three processes sent, of which one was lost and one late.
func loadWorkers() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: allFlags()}})
	b.Add(12, synth.Shape{Scenario: "control"})
	for i, state := range []record.LoadWorkerState{record.LoadWorkerDone, record.LoadWorkerLost, record.LoadWorkerLate} {
		b.Run.LoadWorkers = append(b.Run.LoadWorkers, record.LoadWorker{Scenario: "control", Index: i, Of: 3, Pid: 11 + i,
			State: state, Asked: 4, Started: 4, Ended: 4 - i, Unknown: i})
	}
	return b
}

// severalCauses has three replicas, named by three response fields at once, whose
// processes die, grow, fall silent, leak and send wrong content.
func severalCauses() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap,
		Expect: record.ExpectMemory, Checks: allFlags(), Slowdown: verdict.DefaultSlowdown,
		SLO: "first_event p95 < 1s, complete >= 99.9%"}})
	b.Scenario(0).Layers = []record.Layer{
		{Name: "nginx", Settings: map[string]string{"proxy_read_timeout": "2s", "proxy_buffering": "on",
			"proxy_http_version": "1.0", "gzip": "on"}},
		{Name: "gunicorn", Settings: map[string]string{"timeout": "30", "graceful_timeout": "30", "workers": "3"}}}
	b.Run.Plan.Limits = map[string]string{"gap": "3s", "total": "60s", "first": "10s"}
	b.Add(1, synth.Shape{Group: record.Solo})
	for i, sh := range []synth.Shape{
		{}, {Keep: 10, End: synth.CutAt(2 * sec), Events: 60}, {Keep: 10, End: synth.Clean},
		{PauseAfter: 10, Pause: gap + sec},
		{End: synth.Twice}, {Keep: 7, End: synth.Silent(gap)}, {End: synth.Wrong(stream.Gap, "event 7 missing")},
		{Keep: 10, End: synth.FIN}, {Burst: -1}, {Keep: 5, End: synth.Left(record.CancelledByUs)}, {First: 2 * sec},
	} {
		sh.Start, sh.Worker = 10*sec+time.Duration(i)*20*ms, 11+i%3
		b.Add(1, sh)
	}
	for i := range b.Run.Streams {
		s, n := &b.Run.Streams[i], i%3
		s.Replica = fmt.Sprintf("app[%d]", n)
		for _, field := range []string{"X-Served-By", "X-Pod", "X-Node"} {
			s.Header[field] = fmt.Sprintf("r%d", n)
		}
		if s.Limit == record.CancelledByUs {
			b.Ledger(record.Ledger{Stream: s.Seq, Starts: 2, Produced: 100, LeftAt: s.End, StopAt: s.End + 5*sec})
		}
	}
	for n := range 3 {
		subject := fmt.Sprintf("app[%d]", n)
		b.Happen(record.Event{At: 12 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: subject,
			Pid: 11 + n, Code: 9})
		b.Happen(record.Event{At: 11 * sec, Source: record.ProcessSource, Kind: record.KindThreads, Subject: subject,
			Pid: 11 + n, Value: 41})
		b.Happen(record.Event{At: sec, Source: record.CgroupSource, Kind: record.KindCounter,
			Subject: subject, Counter: record.OOMCounter, Value: 1})
		for i, mib := range []int64{100, 400} { // all three grow alike
			b.Happen(record.Event{At: time.Duration(i) * 30 * sec, Source: record.ProcessSource, Kind: record.KindCounter,
				Subject: subject, Counter: record.MemoryCounter, Value: mib << 20})
		}
	}
	app(b, exceptions(4, 10*sec+endOfTen)...)
	nginx(b, at(12*sec, "[error] upstream prematurely closed connection while reading upstream, client: 127.0.0.1"))
	return b
}

// allFlags are the checks of a scenario that asks for each flag.
func allFlags() []string {
	var out []string
	for _, f := range verdict.Flags {
		out = append(out, string(f))
	}
	return out
}

// oneReplica truncates all streams of one of two replicas, which three response
// fields name alike: the finding must always go by the same one.
func oneReplica() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	for i := range 16 {
		sh := synth.Shape{Mute: true}
		if i%2 == 0 {
			sh.Keep, sh.End = 5, synth.Clean
		}
		b.Add(1, sh)
		name := []string{"r2", "r1"}[i%2]
		b.Run.Streams[i].Header = map[string]string{"X-Served-By": name, "X-Pod": name, "X-Node": name}
	}
	return b
}

// workersKilled has three workers die at one instant: evidence lists them.
func workersKilled() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Each(12, func(i int) synth.Shape {
		return synth.Shape{Start: time.Duration(i) * 30 * ms, Worker: 11 + i%3, Events: 60, Keep: 30, End: synth.CutAt(2 * sec)}
	})
	for pid := 11; pid <= 13; pid++ {
		b.Happen(record.Event{At: 2 * sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: pid, Code: 9})
	}
	app(b)
	return b
}

// blockedAndGaveUp has three workers whose loops are blocked, and answers that end
// for three reasons which name a failure.
func blockedAndGaveUp() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Each(18, func(i int) synth.Shape { return blockedAt(time.Duration(i)*200*ms, 4*sec, gap+sec, 41+i%3) })
	for _, reason := range []string{"abort", "error", "cancelled"} {
		b.Add(3, synth.Shape{End: func(s *record.Stream, last time.Duration) {
			synth.Clean(s, last)
			s.Content.Errors, s.Content.Failing, s.Content.Reason = 1, true, reason
			s.Content.ErrorText = "the answer gave up"
		}})
	}
	app(b)
	return b
}

// twoReplicas truncates all streams of two replicas of three: either could be named.
func twoReplicas() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	for i := range 60 {
		sh := synth.Shape{Mute: true, Events: 6}
		if i%3 > 0 {
			sh.Keep, sh.End = 3, synth.Clean
		}
		b.Add(1, sh)
		b.Run.Streams[i].Replica = fmt.Sprintf("app[%d]", i%3)
	}
	return b
}

// threePools has three processes, each with as many threads as a full pool has.
func threePools() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	pool(80, 40)(b)
	for pid := 51; pid <= 53; pid++ {
		b.Happen(record.Event{At: 300 * ms, Source: record.ProcessSource, Kind: record.KindThreads,
			Subject: "app[0]", Pid: pid, Value: 41})
	}
	return b
}

// combinedFault is a scenario with a fault of several parts, one of which left no
// trace, with baseline, victims, controls and streams that measure recovery.
func combinedFault() *synth.Builder {
	b := faulty("streaming", record.Policy{Kills: true, Refuses: true, Recovery: 2 * sec, MinInBody: 2,
		Thresholds: record.Thresholds{FirstEvent: sec, MaxGap: sec, Total: 20 * sec}})
	b.Add(4, chaos(record.Baseline, synth.Shape{}))
	victims := b.Add(6, chaos(record.Victim, synth.Shape{Start: 3 * sec, Events: 60, Keep: 20, End: synth.RST}))
	b.Add(6, chaos(record.Control, synth.Shape{Start: 3 * sec, Events: 60}))
	b.Add(2, chaos(record.Recovery, synth.Shape{Start: 4500 * ms, Keep: synth.KeepNone, End: synth.NoListener}))
	b.Add(4, chaos(record.Recovery, synth.Shape{Start: 6 * sec}))
	b.Fault(synth.Cut("SIGKILL to one worker process"), 4*sec, 5*sec, victims...)
	b.Fault(synth.Delay("packet loss on edge"), 4*sec, 5*sec)
	b.Run.Windows = b.Run.Windows[:len(b.Run.Windows)-1]
	b.Wave(18, 18, 2)
	b.Note(record.NoteNeverStruck, "nobody came", "let it run longer")
	weKill(b, 11)
	app(b)
	return b
}

// expectations is one scenario for each thing that a scenario may expect.
func expectations() *synth.Builder {
	var all []record.Scenario
	for _, e := range []record.Expectation{record.ExpectRefusals, record.ExpectCompressed, record.ExpectPaced,
		record.ExpectRecycled,
		record.ExpectTogether, record.ExpectRepeated, record.ExpectSlow, record.ExpectCut, record.ExpectSameText,
		record.ExpectSilence, record.ExpectAbort} {
		all = append(all, record.Scenario{ID: string(e), Edge: "streaming",
			Policy: record.Policy{Expect: e, Silence: sec, MinStreams: 2, Checks: checks}})
	}
	b := synth.New(all...)
	for _, sc := range all {
		b.Add(4, synth.Shape{Scenario: sc.ID, Worker: 5})
		b.Add(2, synth.Shape{Scenario: sc.ID, Worker: 6, Keep: 4, End: synth.Status(503)})
	}
	return b
}

// peeledHops asks a chain hop by hop: each ends its streams in another way.
func peeledHops() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "default", Peel: true,
		Policy: record.Policy{GapLimit: gap, Checks: checks}})
	ends := []synth.End{nil, synth.FIN, synth.RST, synth.Clean}
	for i, hop := range []string{"app", "upstream", "nginx", "edge"} {
		b.Run.Hops = append(b.Run.Hops, record.Hop{Scenario: "control", Name: hop, What: hop + "/1.0"})
		for j := range 4 {
			b.Add(1, synth.Shape{Hop: hop, Start: time.Duration(i) * 10 * sec, Keep: 6 + j, End: ends[(i+j)%4]})
		}
	}
	app(b)
	nginx(b)
	return b
}

// oddAnswers are what only users' own apps send: characters that were split, redirects,
// forms that we do not read, text whose end nothing declares; and a harness that failed.
func oddAnswers() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{Checks: allFlags()}},
		record.Scenario{ID: "unable"})
	b.Run.Plan.Dialect, b.Run.Plan.Strict = "text", true
	b.Run.Plan.Request.Order, b.Run.Plan.Request.Owner = "i", "id"
	for i, change := range []func(*record.Stream){
		func(*record.Stream) {},
		func(s *record.Stream) { s.Content.Numbered, s.Content.Echoed = 20, 1 },
		func(s *record.Stream) { s.Content.Split = 2 },
		func(s *record.Stream) { s.Content.Form = stream.FormMultipart },
		func(s *record.Stream) { s.Content = stream.Summary{State: stream.Prefix, Unprovable: true} },
		func(s *record.Stream) { s.Redirects = []record.Redirect{{Status: 307, Location: "/chat/"}} },
	} {
		b.Add(2, synth.Shape{Start: time.Duration(i) * 100 * ms})
		for j := range 2 {
			change(&b.Run.Streams[2*i+j])
		}
	}
	b.Add(2, synth.Shape{Keep: synth.KeepNone, End: sentOn(record.HostNotAllowed, "other:80")})
	b.Note(record.NoteHarness, "a container did not start", "run again")
	for _, kind := range []record.NoteKind{record.NoteUnable, record.NoteInapplicable} {
		b.Run.Notes = append(b.Run.Notes, record.Note{Scenario: "unable", Kind: kind, Text: "no nginx here"})
	}
	return b
}

// looseTerminal has a terminal expression that matches events which others follow.
func looseTerminal() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{Checks: checks}})
	b.Run.Plan.Dialect = "sse-generic"
	b.Add(6, synth.Shape{})
	for i := range b.Run.Streams {
		b.Run.Streams[i].Content.Early = i + 1
	}
	return b
}

// TestShuffledMapsAreEqual guards the guard.
func TestShuffledMapsAreEqual(t *testing.T) {
	m := map[string]string{"a": "1", "b": "2", "c": "3"}
	if got := shuffledMap(rand.New(rand.NewPCG(1, 2)), m); !reflect.DeepEqual(got, m) {
		t.Errorf("got %v, want %v", got, m)
	}
}
