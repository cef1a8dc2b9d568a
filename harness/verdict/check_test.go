package verdict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	ms  = time.Millisecond
	sec = time.Second
	// silent stands for an answer that is not given, because the question does
	// not arise.
	silent = verdict.Verdict("")
)

// A question is a run put before one checker.
type question struct {
	name  string
	build func(*synth.Builder)
	want  verdict.Verdict
	why   string // a part of the answer
}

func ask(t *testing.T, c verdict.Checker, qs ...question) {
	t.Helper()
	for _, q := range qs {
		t.Run(q.name, func(t *testing.T) {
			b := synth.New()
			q.build(b)
			a := c.Check(&verdict.Scopes(&b.Run)[0])
			if a.Verdict != q.want || !strings.Contains(a.Why, q.why) {
				t.Errorf("answer = %s (%s), want %s (…%s…)", a.Verdict, a.Why, q.want, q.why)
			}
			if a.Verdict == verdict.Inconclusive && a.Settle == "" {
				t.Error("the doubt does not say what would settle it")
			}
		})
	}
}

func add(n int, sh synth.Shape) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Add(n, sh) }
}

// policy changes the scenario's policy before the streams come.
func policy(change func(*record.Policy), more ...func(*synth.Builder)) func(*synth.Builder) {
	return func(b *synth.Builder) {
		change(&b.Scenario(0).Policy)
		for _, m := range more {
			m(b)
		}
	}
}

var (
	victim   = synth.Shape{Group: record.Victim}
	cutOne   = synth.Shape{Group: record.Victim, Keep: 10, End: synth.FIN}
	cleanEnd = synth.Shape{Keep: 10, End: synth.Clean}
)

func kills(p *record.Policy) { p.Kills, p.Faulty = true, true }

func fault(active, healed time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Fault(synth.Cut("rst after event 5 on the edge link"), active, healed) }
}

// second adds the first n stamps of a second part.
func second(n int) func(*synth.Builder) {
	return func(b *synth.Builder) {
		first := len(b.Run.Windows)
		b.Fault(synth.Delay("stall"), 200*ms, sec)
		b.Run.Windows = b.Run.Windows[:first+n]
	}
}

// cannotKeepUp makes the generator late with all streams that were added.
func cannotKeepUp(b *synth.Builder) {
	n := len(b.Run.Streams)
	b.Wave(n, n, n)
}

func TestMust(t *testing.T) {
	ask(t, verdict.Must{},
		question{"complete", add(5, synth.Shape{}), verdict.Pass, "5 streams: 5 complete"},
		question{"failed cleanly", add(5, synth.Shape{Keep: 3, End: synth.ErrorEvent}), verdict.Pass, "5 failed cleanly"},
		question{"truncated", func(b *synth.Builder) { b.Add(3, synth.Shape{}); b.Add(2, cleanEnd) }, verdict.Fail, "2 of 5 streams: 2 truncated (first: #4"},
		question{"cut without a fault", add(5, synth.Shape{Keep: 3, End: synth.FIN}), verdict.Fail, "aborted"},
		question{"cut by the fault", policy(kills, add(5, cutOne), fault(100*ms, sec)), verdict.Pass, "5 aborted"},
		question{"cut by a fault that kills nothing", policy(func(p *record.Policy) { p.Faulty = true }, add(5, cutOne), fault(100*ms, sec)), verdict.Fail, "aborted"},
		question{"cut before the fault", policy(kills, add(5, cutOne), fault(2*sec, 3*sec)), verdict.Fail, "aborted"},
		question{"cut beside the fault", policy(kills, add(5, synth.Shape{Group: record.Control, Keep: 3, End: synth.FIN}), fault(100*ms, sec)), verdict.Fail, "aborted"},
		question{"cut, but another than was hit", policy(kills, add(2, cutOne), func(b *synth.Builder) {
			b.Fault(synth.Cut("kill"), 100*ms, sec, 1)
		}), verdict.Fail, "first: #2"},
		question{"refused while recovering", policy(func(p *record.Policy) { p.Refuses, p.Recovery = true, sec },
			add(2, synth.Shape{Group: record.Recovery, Start: 500 * ms, Keep: synth.KeepNone, End: synth.NoListener}), fault(100*ms, 200*ms)), verdict.Pass, "2 refused"},
		question{"refused for longer", policy(func(p *record.Policy) { p.Refuses, p.Recovery = true, sec },
			add(2, synth.Shape{Group: record.Recovery, Start: 5 * sec, Keep: synth.KeepNone, End: synth.NoListener}), fault(100*ms, 200*ms)), verdict.Fail, "refused"},
		question{"stalled", add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}), verdict.Fail, "stalled"},
		question{"stalled, or we slept", func(b *synth.Builder) { b.Add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}); cannotKeepUp(b) }, verdict.Inconclusive, "may not be the app's"},
		question{"truncated, whatever we did", func(b *synth.Builder) { b.Add(5, cleanEnd); cannotKeepUp(b) }, verdict.Fail, "truncated"},
		question{"all cancelled", add(5, synth.Shape{Keep: 3, End: synth.Left(record.CancelledByEnd)}), silent, ""},
	)
}

func TestStrict(t *testing.T) {
	strict := func(b *synth.Builder) { b.Run.Plan.Strict = true }
	ask(t, verdict.Strict{},
		question{"not asked", add(5, cutOne), silent, ""},
		question{"complete", func(b *synth.Builder) { strict(b); b.Add(5, synth.Shape{}) }, verdict.Pass, "5 streams"},
		question{"cut by the fault", func(b *synth.Builder) { strict(b); policy(kills, add(5, cutOne), fault(100*ms, sec))(b) }, verdict.Fail, "5 aborted"},
		question{"nothing to judge", strict, silent, ""},
	)
}

func TestUntouched(t *testing.T) {
	failing := synth.Shape{Keep: synth.KeepNone, End: synth.Status(500)}
	control := failing
	control.Group = record.Control
	ask(t, verdict.Untouched{},
		question{"complete", add(5, synth.Shape{}), verdict.Pass, "5 streams"},
		question{"500 to everybody", add(5, failing), verdict.Fail, "5 failed cleanly"},
		question{"500 to everybody, as a shedding scenario", policy(func(p *record.Policy) { p.Sheds = true }, add(5, failing)), silent, ""},
		question{"500 beside the fault", add(5, control), verdict.Fail, "5 failed cleanly"},
		question{"500 exposed to the fault", add(5, synth.Shape{Group: record.Victim, Keep: synth.KeepNone, End: synth.Status(500)}), silent, ""},
		question{"silence, which Must refuses", func(b *synth.Builder) { b.Add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}) }, silent, ""},
	)
	ask(t, verdict.ControlSeen{},
		question{"seen", add(3, synth.Shape{Group: record.Control}), verdict.Pass, "3 of 3"},
		question{"all left", add(3, synth.Shape{Group: record.Control, Keep: 2, End: synth.Left(record.CancelledByEnd)}), verdict.Inconclusive, "need >= 1 complete control stream, saw 0 of 3"},
		question{"no control group", add(3, synth.Shape{}), silent, ""},
	)
}

func TestBaseline(t *testing.T) {
	base := synth.Shape{Group: record.Baseline}
	broken := base
	broken.Keep, broken.End = 3, synth.Clean
	ask(t, verdict.Baseline{},
		question{"complete", add(5, base), verdict.Pass, "5 streams"},
		question{"failed before", add(5, broken), verdict.Fail, "failed before the fault: 5 of 5 streams: 5 truncated"},
		question{"none, with a fault", policy(kills, add(5, victim)), verdict.Inconclusive, "need >= 1"},
		question{"none, without", add(5, synth.Shape{}), silent, ""},
	)
}

func TestSum(t *testing.T) {
	ask(t, verdict.Sum{},
		question{"all there", func(b *synth.Builder) { b.Add(5, synth.Shape{}); b.Wave(5, 5, 0) }, verdict.Pass, "5 streams"},
		question{"one lost", func(b *synth.Builder) { b.Add(4, synth.Shape{}); b.Wave(5, 5, 0) }, verdict.Inconclusive, "the record lost 1"},
		question{"waves torn off", add(5, synth.Shape{}), verdict.Pass, "5 streams"},
	)
}

func TestRecord(t *testing.T) {
	note := func(kind record.NoteKind) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Note(kind, "no nginx on this host", "install nginx") }
	}
	ask(t, verdict.Harness{},
		question{"well", add(1, synth.Shape{}), silent, ""},
		question{"broken", note(record.NoteHarness), verdict.Inconclusive, "no nginx on this host"})
	ask(t, verdict.Able{},
		question{"able", add(1, synth.Shape{}), silent, ""},
		question{"unable", note(record.NoteUnable), verdict.Inconclusive, "no nginx on this host"})
	ask(t, verdict.Whole{},
		question{"finished", add(1, synth.Shape{}), verdict.Pass, ""},
		question{"interrupted", func(b *synth.Builder) { b.Add(1, synth.Shape{}); b.Run.Interrupted = true }, verdict.Inconclusive, "interrupted"},
		question{"torn", func(b *synth.Builder) { b.Run.Finished, b.Run.Torn = record.Never, 17 }, verdict.Inconclusive, "17 bytes"})
	ask(t, verdict.Enough{},
		question{"one", add(1, synth.Shape{}), verdict.Pass, "1 of 1"},
		question{"none", func(*synth.Builder) {}, verdict.Inconclusive, "need >= 1 judged streams, saw 0"},
		question{"too few", policy(func(p *record.Policy) { p.MinStreams = 20 }, add(3, synth.Shape{})), verdict.Inconclusive, "need >= 20 judged streams, saw 3"})
	text := synth.Shape{End: func(s *record.Stream, last time.Duration) {
		synth.Clean(s, last)
		s.Content.State, s.Content.Unprovable = stream.Prefix, true
	}}
	ask(t, verdict.Provable{},
		question{"proved", add(3, synth.Shape{}), silent, ""},
		question{"text", add(3, text), verdict.Inconclusive, "3 complete streams have no proof"})
}

func TestLoad(t *testing.T) {
	wave := func(asked, started, late int) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(started, synth.Shape{}); b.Wave(asked, started, late) }
	}
	ask(t, verdict.LoadReached{},
		question{"all", wave(10, 10, 0), verdict.Pass, "10 of 10"},
		question{"half", wave(10, 5, 0), verdict.Inconclusive, "saw 5 of 10 asked"},
		question{"unknown", add(3, synth.Shape{}), silent, ""})
	lag := func(clock record.Clock, lag time.Duration) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Run.Plan.Host.Clock = clock
			b.Add(10, synth.Shape{End: func(s *record.Stream, last time.Duration) { synth.Whole(s, last); s.Lag = lag }})
		}
	}
	ask(t, verdict.KeptUp{},
		question{"kept up", wave(10, 10, 0), verdict.Pass, "0 late starts"},
		question{"late starts", wave(10, 10, 2), verdict.Inconclusive, "saw 2 of 10"},
		question{"lag, kernel's stamps", lag(record.KernelClock, 500*ms), verdict.Pass, "lag p99 0.5s"},
		question{"the clock's name", lag(record.KernelClock, 0), verdict.Pass, "clock kernel (SO_TIMESTAMPNS)"},
		question{"lag, our own stamps", lag(record.UserClock, 500*ms), verdict.Inconclusive, "0.5s"},
		question{"lag near the gap limit", lag(record.KernelClock, 2*sec), verdict.Inconclusive, "2s"},
		question{"no streams", func(*synth.Builder) {}, silent, ""})
}

func TestFaultSeen(t *testing.T) {
	ask(t, verdict.FaultSeen{},
		question{"confirmed", policy(kills, add(3, victim), fault(100*ms, sec)), verdict.Pass, "struck at 0.1s: seen in its victims"},
		question{"never struck", policy(kills, add(3, victim), func(b *synth.Builder) {
			b.Note(record.NoteNeverStruck, "not every victim reached event 3", "use longer streams")
		}), verdict.Inconclusive, "never struck: not every victim"},
		question{"left no trace", policy(kills, add(3, victim), fault(100*ms, sec), func(b *synth.Builder) {
			b.Run.Windows = b.Run.Windows[:3]
		}), verdict.Inconclusive, "left no trace"},
		question{"both parts", policy(kills, add(3, victim), fault(100*ms, sec), second(4)), verdict.Pass, "seen in its victims; seen in its victims"},
		question{"the second part never struck", policy(kills, add(3, victim), fault(100*ms, sec), second(1)), verdict.Inconclusive, "stall never struck"},
		question{"the second part left no trace", policy(kills, add(3, victim), fault(100*ms, sec), second(3)), verdict.Inconclusive, "stall struck, but left no trace"},
		question{"no fault", add(3, synth.Shape{}), silent, ""})
	need := func(p *record.Policy) { p.Faulty, p.MinInBody = true, 20 }
	ask(t, verdict.InBody{},
		question{"enough", policy(need, add(20, victim), fault(100*ms, sec)), verdict.Pass, "20 streams"},
		question{"too few", policy(need, add(3, victim), fault(100*ms, sec)), verdict.Inconclusive, "need >= 20 streams in their body when the fault struck, saw 3"},
		question{"struck before them", policy(need, add(20, victim), fault(0, sec)), verdict.Inconclusive, "saw 0"},
		question{"not needed", policy(kills, add(3, victim)), silent, ""})
}

// The harness's note about a fault that never struck is not said twice.
func TestNeverStruckIsSaidOnce(t *testing.T) {
	b := synth.New()
	policy(kills, add(3, victim))(b)
	b.Note(record.NoteNeverStruck, "no victim came", "use longer streams")
	if got, want := (verdict.FaultSeen{}).Check(&verdict.Scopes(&b.Run)[0]).Why, "the fault never struck: no victim came"; got != want {
		t.Errorf("why = %q, want %q", got, want)
	}
}

func TestExpectation(t *testing.T) {
	silence := func(p *record.Policy) { p.Expect, p.Silence = record.ExpectSilence, 2*sec }
	ask(t, verdict.Expectation{},
		question{"silence", policy(silence, add(3, synth.Shape{PauseAfter: 4, Pause: 2 * sec})), verdict.Pass, "3 streams"},
		question{"no silence", policy(silence, add(3, synth.Shape{})), verdict.Inconclusive, "longest silence was 0.05s"},
		question{"nothing expected", add(3, synth.Shape{}), silent, ""})
	abort := func(p *record.Policy) { p.Expect = record.ExpectAbort }
	left := synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}
	ask(t, verdict.Expectation{},
		question{"account", policy(abort, add(2, left), func(b *synth.Builder) { b.Ledger(record.Ledger{Stream: 1}) }), verdict.Pass, "account of 1"},
		question{"no account", policy(abort, add(2, left)), verdict.Inconclusive, "hung up on 2 streams"},
		question{"nobody left", policy(abort, add(2, synth.Shape{})), verdict.Inconclusive, "need >= 1 stream that we hung up on"})
}

// interrupted ends the run early.
func interrupted(when time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Run.Interrupted, b.Run.Finished = true, when }
}

func TestRecovery(t *testing.T) {
	recovers := func(p *record.Policy) { p.Faulty, p.Kills, p.Recovery = true, true, 2*sec }
	at := func(start time.Duration, end synth.End) func(*synth.Builder) {
		return add(3, synth.Shape{Group: record.Recovery, Start: start, End: end})
	}
	ask(t, verdict.Recovery{},
		question{"soon", policy(recovers, fault(sec, sec), at(1200*ms, synth.Clean), at(1500*ms, nil)), verdict.Pass, "after 0.5s"},
		question{"relapse", policy(recovers, fault(sec, sec), at(1200*ms, nil), at(1500*ms, synth.Clean), at(1800*ms, nil)), verdict.Pass, "after 0.8s"},
		question{"too late", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean), at(5*sec, nil)), verdict.Fail,
			"after 4s"},
		question{"too late asked", policy(recovers, fault(sec, sec), at(5*sec, nil)), verdict.Inconclusive,
			"no new stream was sent in the first 4s after the fault, bound 2s"},
		question{"never", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean)), verdict.Fail, "none of 3"},
		question{"not tried", policy(recovers, fault(sec, sec)), verdict.Inconclusive, "saw 0"},
		question{"never, and interrupted too early to say", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean), interrupted(2500*ms)), verdict.Inconclusive, "the run ended 1.5s after the fault"},
		question{"never, and interrupted when its time was over", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean), interrupted(4*sec)), verdict.Fail, "none of 3"},
		question{"from healing, for weather", policy(func(p *record.Policy) { p.Faulty, p.Recovery = true, 2*sec }, fault(sec, 4*sec), at(5*sec, nil)), verdict.Pass, "after 1s"},
		question{"slow first events are no recovery", policy(recovers, fault(2*sec, 2*sec), add(5, synth.Shape{Group: record.Baseline}),
			add(3, synth.Shape{Group: record.Recovery, Start: 2500 * ms, First: sec}), at(3*sec, nil)), verdict.Pass, "after 1s"},
		question{"no fault", add(3, synth.Shape{}), silent, ""})
}

func TestFlagCheck(t *testing.T) {
	held := synth.Shape{PauseAfter: 5, Pause: limit + sec}
	struck := held
	struck.Group = record.Victim
	ask(t, verdict.FlagCheck{Flag: verdict.Gappy},
		question{"none", add(3, synth.Shape{}), verdict.Pass, "3 streams"},
		question{"gappy", add(3, held), verdict.Fail, "3 of 3 streams (first: #1, silent for 4.05s)"},
		question{"exposed to the fault", policy(kills, add(3, struck), fault(100*ms, sec)), silent, ""},
		question{"our own doing", func(b *synth.Builder) { b.Add(3, held); cannotKeepUp(b) }, verdict.Inconclusive, "did not keep up"})
	ask(t, verdict.FlagCheck{Flag: verdict.Repeated},
		question{"twice", add(3, synth.Shape{End: synth.Twice}), verdict.Fail, "3 of 3"},
		question{"twice, whatever we did", func(b *synth.Builder) { b.Add(3, synth.Shape{End: synth.Twice}); cannotKeepUp(b) }, verdict.Fail, "3 of 3"})
	left := synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}
	ledger := func(l record.Ledger) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(1, left); l.Stream = 1; b.Ledger(l) }
	}
	ask(t, verdict.FlagCheck{Flag: verdict.Leaked},
		question{"stopped", ledger(record.Ledger{LeftAt: sec, StopAt: sec + 10*ms}), verdict.Pass, ""},
		question{"goes on", ledger(record.Ledger{LeftAt: sec, StopAt: record.Never}), verdict.Fail, "1 of 1"},
		question{"stopped late", ledger(record.Ledger{LeftAt: sec, StopAt: 4 * sec}), verdict.Fail, "1 of 1"})
	ask(t, verdict.FlagCheck{Flag: verdict.Unprovable}, question{"asked elsewhere", add(3, synth.Shape{}), silent, ""})
}

func TestBounds(t *testing.T) {
	bound := func(th record.Thresholds) func(*record.Policy) {
		return func(p *record.Policy) { p.Thresholds = th }
	}
	first, gaps, total := record.Thresholds{FirstEvent: 100 * ms}, record.Thresholds{MaxGap: 100 * ms}, record.Thresholds{Total: 2 * sec}
	slow := synth.Shape{First: 500 * ms}
	ask(t, verdict.FirstEventBound{},
		question{"in time", policy(bound(first), add(20, synth.Shape{})), verdict.Pass, "p95 is"},
		question{"one of forty is slow", policy(bound(first), add(39, synth.Shape{}), add(1, slow)), verdict.Pass, "p95 is"},
		question{"slow", policy(bound(first), add(20, slow)), verdict.Fail, "p95 is 0.5s, bound 0.1s"},
		question{"few, all in time", policy(bound(first), add(5, synth.Shape{})), verdict.Pass, "all of 5"},
		question{"few, all slow", policy(bound(first), add(5, slow)), verdict.Fail, "all of 5"},
		question{"few, one slow", policy(bound(first), add(5, synth.Shape{}), add(1, slow)), verdict.Inconclusive, "need >= 20 complete streams for p95, saw 6"},
		question{"slow, and so are we", policy(bound(first), add(20, slow), cannotKeepUp), verdict.Inconclusive, "did not keep up"},
		question{"no bound", add(20, slow), silent, ""})
	ask(t, verdict.GapBound{},
		question{"even", policy(bound(gaps), add(3, synth.Shape{})), verdict.Pass, "0.05s"},
		question{"gap", policy(bound(gaps), add(3, synth.Shape{PauseAfter: 3, Pause: sec})), verdict.Fail, "1.05s"},
		question{"gap, and so are we", policy(bound(gaps), add(3, synth.Shape{PauseAfter: 3, Pause: sec}), cannotKeepUp), verdict.Inconclusive, ""})
	ask(t, verdict.TotalBound{},
		question{"in time", policy(bound(total), add(20, synth.Shape{})), verdict.Pass, ""},
		question{"slow", policy(bound(total), add(20, synth.Shape{Events: 100})), verdict.Fail, ""},
		question{"few, one slow", policy(bound(total), add(5, synth.Shape{}), add(1, synth.Shape{Events: 100})), verdict.Inconclusive, ""})
}

// The same record gives the same answer, however many replicas grew.
func TestMemoryOfSeveralReplicas(t *testing.T) {
	b := synth.New()
	b.Scenario(0).Policy.Expect = record.ExpectMemory
	b.Add(3, synth.Shape{})
	for i, grown := range []int64{10, 200, 90, 200} {
		e := record.Event{Kind: record.KindCounter, Subject: fmt.Sprintf("app[%d]", i), Counter: record.MemoryCounter}
		e.Value = 100 << 20
		b.Happen(e)
		e.At, e.Value = sec, (100+grown)<<20
		b.Happen(e)
	}
	for range 100 {
		if a := (verdict.Expectation{}).Check(&verdict.Scopes(&b.Run)[0]); a.Verdict != verdict.Fail || !strings.HasPrefix(a.Why, "app[1] grew from 100 to 300 MiB") {
			t.Fatalf("%s: %s", a.Verdict, a.Why)
		}
	}
}
