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
			if a.Verdict != q.want || !strings.Contains(shown(a.Fact), q.why) {
				t.Errorf("answer = %s (%s), want %s (…%s…)", a.Verdict, shown(a.Fact), q.want, q.why)
			}
			if a.Verdict == verdict.Inconclusive && a.Next == nil {
				t.Error("the doubt does not say what would settle it")
			}
		})
	}
}

// shown is a fact as tests compare it: its kind and figures, "" for none.
func shown(f *record.Fact) string {
	if f == nil {
		return ""
	}
	return f.String()
}

// decided is the fact that decided the verdict on a scenario, "" for a pass.
func decided(r *verdict.ScenarioReport) string {
	if c := r.Decided(); c != nil {
		return shown(c.Fact)
	}
	return ""
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

// cutLater is a recovery stream that ends 600 ms after the run began.
var cutLater = synth.Shape{Group: record.Recovery, Start: 350 * ms, Keep: 5, End: synth.CutAt(600*ms + ms/2)}

// cutAgain is a fault in two parts, of which the second cuts who recovered from the first.
func cutAgain(b *synth.Builder) {
	b.Fault(synth.Cut("down"), 100*ms, 300*ms)
	b.Fault(synth.Cut("down (2)"), 600*ms, 800*ms)
	b.Add(3, cutLater)
	b.Add(3, synth.Shape{Group: record.Recovery, Start: 900 * ms})
}

func TestMust(t *testing.T) {
	ask(t, verdict.Must{},
		question{"complete", add(5, synth.Shape{}), verdict.Pass, "outcomes n=5 counts=[{complete 5}]"},
		question{"failed cleanly", add(5, synth.Shape{Keep: 3, End: synth.ErrorEvent}), verdict.Pass,
			"outcomes n=5 counts=[{failed_clean 5}]"},
		question{"truncated", func(b *synth.Builder) { b.Add(3, synth.Shape{}); b.Add(2, cleanEnd) }, verdict.Fail,
			"broke a rule n=2 of=5 stream=4 counts=[{truncated 2}]"},
		question{"cut without a fault", add(5, synth.Shape{Keep: 3, End: synth.FIN}), verdict.Fail, "aborted"},
		question{"cut by the fault", policy(kills, add(5, cutOne), fault(100*ms, sec)), verdict.Pass,
			"outcomes n=5 counts=[{aborted 5}]"},
		question{"cut by a fault that kills nothing", policy(func(p *record.Policy) { p.Faulty = true }, add(5, cutOne),
			fault(100*ms, sec)), verdict.Fail, "aborted"},
		question{"cut before the fault", policy(kills, add(5, cutOne), fault(2*sec, 3*sec)), verdict.Fail, "aborted"},
		question{"cut beside the fault", policy(kills, add(5, synth.Shape{Group: record.Control, Keep: 3, End: synth.FIN}),
			fault(100*ms, sec)), verdict.Fail, "aborted"},
		question{"cut, but another than was hit", policy(kills, add(2, cutOne), func(b *synth.Builder) {
			b.Fault(synth.Cut("kill"), 100*ms, sec, 1)
		}), verdict.Fail, "broke a rule n=1 of=2 stream=2 counts=[{aborted 1}]"},
		question{"refused while recovering", policy(func(p *record.Policy) { p.Refuses, p.Recovery = true, sec },
			add(2, synth.Shape{Group: record.Recovery, Start: 500 * ms, Keep: synth.KeepNone, End: synth.NoListener}),
			fault(100*ms, 200*ms)), verdict.Pass, "outcomes n=2 counts=[{refused 2}]"},
		question{"refused for longer", policy(func(p *record.Policy) { p.Refuses, p.Recovery = true, sec },
			add(2, synth.Shape{Group: record.Recovery, Start: 5 * sec, Keep: synth.KeepNone, End: synth.NoListener}),
			fault(100*ms, 200*ms)), verdict.Fail, "refused"},
		question{"refused after a later cut", policy(recovers, fault(100*ms, 300*ms), func(b *synth.Builder) {
			b.Fault(synth.Cut("down (2)"), 20*sec, 21*sec)
			b.Add(3, synth.Shape{Group: record.Recovery, Start: 20500 * ms, Keep: synth.KeepNone, End: synth.NoListener})
		}), verdict.Pass, "outcomes n=3 counts=[{refused 3}]"},
		question{"a recovery stream cut by a later part", policy(recovers, cutAgain), verdict.Pass,
			"outcomes n=6 counts=[{aborted 3} {complete 3}]"},
		question{"a recovery stream cut after the last part", policy(recovers, fault(100*ms, 300*ms), add(3, cutLater)),
			verdict.Fail, "broke a rule n=3 of=3 stream=1 counts=[{aborted 3}]"},
		question{"a recovery stream cut beside a later part that knows whom it hit", policy(recovers, fault(100*ms, 300*ms),
			add(3, cutLater), func(b *synth.Builder) { b.Fault(synth.Cut("kill"), 600*ms, 800*ms, 1) }),
			verdict.Fail, "broke a rule n=2 of=3 stream=2 counts=[{aborted 2}]"},
		question{"stalled", add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}), verdict.Fail, "stalled"},
		question{"stalled, or we slept", func(b *synth.Builder) { b.Add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)}); cannotKeepUp(b) }, verdict.Inconclusive, "but, silence about=[broke a rule n=5 of=5 stream=1 counts=[{stalled 5}]"},
		question{"truncated, whatever we did", func(b *synth.Builder) { b.Add(5, cleanEnd); cannotKeepUp(b) }, verdict.Fail,
			"truncated"},
		question{"all cancelled", add(5, synth.Shape{Keep: 3, End: synth.Left(record.CancelledByEnd)}), silent, ""},
	)
}

func TestStrict(t *testing.T) {
	strict := func(b *synth.Builder) { b.Run.Plan.Strict = true }
	ask(t, verdict.Strict{},
		question{"not asked", add(5, cutOne), silent, ""},
		question{"complete", func(b *synth.Builder) { strict(b); b.Add(5, synth.Shape{}) }, verdict.Pass, "judged n=5"},
		question{"cut by the fault", func(b *synth.Builder) { strict(b); policy(kills, add(5, cutOne), fault(100*ms, sec))(b) }, verdict.Fail, "broke a rule n=5 of=5 stream=1 counts=[{aborted 5}]"},
		question{"nothing to judge", strict, silent, ""},
	)
}

// recovers is the policy of a fault that kills, refuses, and leaves 10 s to recover.
func recovers(p *record.Policy) {
	p.Faulty, p.Kills, p.Refuses, p.Recovery, p.MinInBody = true, true, true, 10*sec, 1
}

// healedAndWell is a fault that cut its victims, and new streams that were whole after it.
func healedAndWell(b *synth.Builder) {
	b.Add(5, synth.Shape{Group: record.Baseline})
	b.Add(20, synth.Shape{Group: record.Victim, Start: 500 * ms, Keep: 10, End: synth.FIN})
	b.Fault(synth.Cut("down"), 900*ms, 1200*ms)
	b.Add(3, synth.Shape{Group: record.Recovery, Start: 1300 * ms})
}

func TestUntouched(t *testing.T) {
	sheds := func(p *record.Policy) { p.Sheds = true }
	failing := synth.Shape{Keep: synth.KeepNone, End: synth.Status(500)}
	control := failing
	control.Group = record.Control
	ask(t, verdict.Untouched{},
		question{"complete", add(5, synth.Shape{}), verdict.Pass, "untouched n=5"},
		question{"500 to everybody", add(5, failing), verdict.Fail,
			"broke a rule n=5 of=5 stream=1 counts=[{failed_clean 5}]"},
		question{"500 to everybody, as a shedding scenario", policy(sheds, add(5, failing)), silent, ""},
		question{"an error in band before the answer, as a shedding scenario", policy(sheds,
			add(5, synth.Shape{Keep: synth.KeepNone, End: synth.ErrorEvent})), silent, ""},
		question{"some refused, the others whole, as a shedding scenario", policy(sheds, add(5, failing),
			add(5, synth.Shape{})), verdict.Pass, "untouched n=5"},
		question{"let in and then failed, as a shedding scenario", policy(sheds, add(5, failing),
			add(5, synth.Shape{Keep: 3, End: synth.ErrorEvent})), verdict.Fail,
			"broke a rule n=5 of=5 stream=6 counts=[{failed_clean 5}]"},
		question{"500 beside the fault", add(5, control), verdict.Fail,
			"broke a rule n=5 of=5 stream=1 counts=[{failed_clean 5}]"},
		question{"500 exposed to the fault",
			add(5, synth.Shape{Group: record.Victim, Keep: synth.KeepNone, End: synth.Status(500)}), silent, ""},
		question{"500 before the fault", func(b *synth.Builder) {
			b.Add(5, synth.Shape{Group: record.Victim, Keep: synth.KeepNone, End: synth.Status(500)})
			b.Add(5, synth.Shape{Group: record.Control})
			b.Fault(synth.Cut("kill"), 2*sec, 3*sec)
		}, verdict.Fail, "broke a rule n=5 of=10 stream=1 counts=[{failed_clean 5}]"},
		question{"500 while the fault stands", func(b *synth.Builder) {
			b.Add(5, synth.Shape{Group: record.Victim, Start: 2500 * ms, Keep: synth.KeepNone, End: synth.Status(500)})
			b.Add(5, synth.Shape{Group: record.Control})
			b.Fault(synth.Cut("kill"), 2*sec, 3*sec)
		}, verdict.Pass, ""},
		question{"503 for good when the service was well again", policy(recovers, func(b *synth.Builder) {
			healedAndWell(b)
			b.Add(20, synth.Shape{Group: record.Victim, Start: 2 * sec, Keep: synth.KeepNone, End: synth.Status(503)})
		}), verdict.Fail, "broke a rule n=20 of=20 stream=29 counts=[{failed_clean 20}]"},
		question{"503 now and then while the app recovers", policy(recovers, func(b *synth.Builder) {
			healedAndWell(b)
			b.Add(5, synth.Shape{Group: record.Victim, Start: 2 * sec, Keep: synth.KeepNone, End: synth.Status(503)})
			b.Add(5, synth.Shape{Group: record.Victim, Start: 3 * sec})
		}), verdict.Pass, "untouched n=10"},
		question{"503 now and then when the app had its time", policy(recovers, func(b *synth.Builder) {
			healedAndWell(b)
			b.Add(5, synth.Shape{Group: record.Victim, Start: 12 * sec, Keep: synth.KeepNone, End: synth.Status(503)})
			b.Add(5, synth.Shape{Group: record.Victim, Start: 13 * sec})
		}), verdict.Fail, "broke a rule n=5 of=10 stream=29 counts=[{failed_clean 5}]"},
		question{"503 before the service was well again", policy(recovers, func(b *synth.Builder) {
			healedAndWell(b)
			b.Add(5, synth.Shape{Group: record.Victim, Start: 1250 * ms, Keep: synth.KeepNone, End: synth.Status(503)})
		}), silent, ""},
		question{"503 while a second part stands", policy(recovers, func(b *synth.Builder) {
			healedAndWell(b)
			second(2)(b)
			b.Add(5, synth.Shape{Group: record.Victim, Start: 2 * sec, Keep: synth.KeepNone, End: synth.Status(503)})
		}), silent, ""},
		question{"silence, which Must refuses", func(b *synth.Builder) {
			b.Add(5, synth.Shape{Keep: 3, End: synth.Silent(limit)})
		}, silent, ""},
	)
	ask(t, verdict.ControlSeen{},
		question{"seen", add(3, synth.Shape{Group: record.Control}), verdict.Pass, "control n=3 of=3"},
		question{"all left", add(3, synth.Shape{Group: record.Control, Keep: 2, End: synth.Left(record.CancelledByEnd)}),
			verdict.Inconclusive, "no control of=3"},
		question{"no control group", add(3, synth.Shape{}), silent, ""},
	)
}

func TestBaseline(t *testing.T) {
	base := synth.Shape{Group: record.Baseline}
	broken := base
	broken.Keep, broken.End = 3, synth.Clean
	ask(t, verdict.Baseline{},
		question{"complete", add(5, base), verdict.Pass, "baseline n=5"},
		question{"failed before", add(5, broken), verdict.Fail,
			"broke before the fault about=[broke a rule n=5 of=5 stream=1 counts=[{truncated 5}]"},
		question{"none, with a fault", policy(kills, add(5, victim)), verdict.Inconclusive, "no baseline"},
		question{"none, without", add(5, synth.Shape{}), silent, ""},
	)
}

func TestSum(t *testing.T) {
	ask(t, verdict.Sum{},
		question{"all there", func(b *synth.Builder) { b.Add(5, synth.Shape{}); b.Wave(5, 5, 0) }, verdict.Pass, "sum n=5"},
		question{"one lost", func(b *synth.Builder) { b.Add(4, synth.Shape{}); b.Wave(5, 5, 0) }, verdict.Inconclusive,
			"lost n=4 of=5"},
		question{"waves torn off", add(5, synth.Shape{}), verdict.Pass, "sum n=5"},
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
		question{"interrupted", func(b *synth.Builder) { b.Add(1, synth.Shape{}); b.Run.Interrupted = true },
			verdict.Inconclusive, "interrupted"},
		question{"torn", func(b *synth.Builder) { b.Run.Finished, b.Run.Torn = record.Never, 17 }, verdict.Inconclusive,
			"torn bytes=17"})
	ask(t, verdict.Enough{},
		question{"one", add(1, synth.Shape{}), verdict.Pass, "enough streams n=1 of=1"},
		question{"none", func(*synth.Builder) {}, verdict.Inconclusive, "few streams need=1"},
		question{"too few", policy(func(p *record.Policy) { p.MinStreams = 20 }, add(3, synth.Shape{})), verdict.Inconclusive,
			"few streams n=3 of=3 need=20"})
	text := synth.Shape{End: func(s *record.Stream, last time.Duration) {
		synth.Clean(s, last)
		s.Content.State, s.Content.Unprovable = stream.Prefix, true
	}}
	ask(t, verdict.Provable{},
		question{"proved", add(3, synth.Shape{}), silent, ""},
		question{"text", add(3, text), verdict.Inconclusive, "unproved n=3"})
}

func TestLoad(t *testing.T) {
	wave := func(asked, started, late int) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(started, synth.Shape{}); b.Wave(asked, started, late) }
	}
	diluted := func(g record.Group) func(*synth.Builder) {
		return func(b *synth.Builder) {
			wave(100, 90, 10)(b)
			b.Run.Waves[0].Group = g
			for i := range 40 {
				wave(3, 3, 0)(b)
				if g != "" {
					b.Run.Waves[i+1].Group = record.Recovery
				}
			}
		}
	}
	ask(t, verdict.LoadReached{},
		question{"all", wave(10, 10, 0), verdict.Pass, "load n=10 of=10"},
		question{"half", wave(10, 5, 0), verdict.Inconclusive, "load short n=5 of=10 need=10"},
		question{"a tenth of the load, beside many small waves", diluted(""), verdict.Inconclusive,
			"load short n=90 of=100 need=95"},
		question{"the same, where the record says what a wave was", diluted(record.Victim), verdict.Inconclusive,
			"load short n=90 of=100 need=95"},
		question{"a recovery wave that was broken off", func(b *synth.Builder) {
			wave(100, 100, 0)(b)
			wave(3, 1, 0)(b)
		}, verdict.Pass, "load n=101 of=103"},
		question{"unknown", add(3, synth.Shape{}), silent, ""})
	lag := func(clock record.Clock, lag time.Duration) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Run.Plan.Host.Clock = clock
			b.Add(10, synth.Shape{End: func(s *record.Stream, last time.Duration) { synth.Whole(s, last); s.Lag = lag }})
		}
	}
	ask(t, verdict.KeptUp{},
		question{"kept up", wave(10, 10, 0), verdict.Pass, `kept up name="kernel (SO_TIMESTAMPNS)"`},
		question{"late starts", wave(10, 10, 2), verdict.Inconclusive, "lagged n=2 of=10 bound=1.5s share=0.05"},
		question{"late starts of the load, beside many small waves", diluted(""), verdict.Inconclusive,
			"lagged n=10 of=100 bound=1.5s share=0.05"},
		question{"the same, where the record says what a wave was", diluted(record.Victim), verdict.Inconclusive,
			"lagged n=10 of=100 bound=1.5s share=0.05"},
		question{"lag, kernel's stamps", lag(record.KernelClock, 500*ms), verdict.Pass,
			`kept up took=500ms name="kernel (SO_TIMESTAMPNS)"`},
		question{"the clock's name", lag(record.KernelClock, 0), verdict.Pass, `kept up name="kernel (SO_TIMESTAMPNS)"`},
		question{"lag, our own stamps", lag(record.UserClock, 500*ms), verdict.Inconclusive,
			"lagged of=10 took=500ms bound=100ms share=0.05"},
		question{"lag near the gap limit", lag(record.KernelClock, 2*sec), verdict.Inconclusive, "2s"},
		question{"no streams", func(*synth.Builder) {}, silent, ""})
}

func TestFaultSeen(t *testing.T) {
	ask(t, verdict.FaultSeen{},
		question{"confirmed", policy(kills, add(3, victim), fault(100*ms, sec)), verdict.Pass, "struck took=100ms"},
		question{"never struck", policy(kills, add(3, victim), func(b *synth.Builder) {
			b.Note(record.NoteNeverStruck, "not every victim reached event 3", "use longer streams")
		}), verdict.Inconclusive, "never struck"},
		question{"no trace took=100ms", policy(kills, add(3, victim), fault(100*ms, sec), func(b *synth.Builder) {
			b.Run.Windows = b.Run.Windows[:3]
		}), verdict.Inconclusive, "no trace took=100ms"},
		question{"both parts", policy(kills, add(3, victim), fault(100*ms, sec), second(4)), verdict.Pass,
			"struck took=100ms"},
		question{"the second part never struck", policy(kills, add(3, victim), fault(100*ms, sec), second(1)),
			verdict.Inconclusive, `part never struck name="stall"`},
		question{"the second part left no trace", policy(kills, add(3, victim), fault(100*ms, sec), second(3)),
			verdict.Inconclusive, `part no trace name="stall"`},
		question{"no fault", add(3, synth.Shape{}), silent, ""})
	need := func(p *record.Policy) { p.Faulty, p.MinInBody = true, 20 }
	ask(t, verdict.InBody{},
		question{"enough", policy(need, add(20, victim), fault(100*ms, sec)), verdict.Pass, "in body n=20"},
		question{"too few", policy(need, add(3, victim), fault(100*ms, sec)), verdict.Inconclusive,
			"few in body n=3 need=20"},
		question{"struck before them", policy(need, add(20, victim), fault(0, sec)), verdict.Inconclusive,
			"few in body need=20"},
		question{"not needed", policy(kills, add(3, victim)), silent, ""})
	for at, want := range map[time.Duration]record.FactKind{0: verdict.NextStrikeLater, 100 * ms: verdict.NextMoreOrLonger} {
		b := synth.New()
		policy(need, add(3, victim), fault(at, sec))(b)
		if got := (verdict.InBody{}).Check(&verdict.Scopes(&b.Run)[0]).Next; got == nil || got.Kind != want {
			t.Errorf("struck at %v: next is %v, want %q", at, got, want)
		}
	}
}

// The harness's note about a fault that never struck is not said twice.
func TestNeverStruckIsSaidOnce(t *testing.T) {
	b := synth.New()
	policy(kills, add(3, victim))(b)
	b.Note(record.NoteNeverStruck, "no victim came", "use longer streams")
	if got, want := (verdict.FaultSeen{}).Check(&verdict.Scopes(&b.Run)[0]).Fact.String(), `never struck about=[quoted text="no victim came"]`; got != want {
		t.Errorf("why = %q, want %q", got, want)
	}
}

func TestExpectation(t *testing.T) {
	silence := func(p *record.Policy) { p.Expect, p.Silence = record.ExpectSilence, 2*sec }
	ask(t, verdict.Expectation{},
		question{"silence", policy(silence, add(3, synth.Shape{PauseAfter: 4, Pause: 2 * sec})), verdict.Pass,
			"silence n=3 bound=2s"},
		question{"no silence", policy(silence, add(3, synth.Shape{})), verdict.Inconclusive, "no silence took=50ms bound=2s"},
		question{"nothing expected", add(3, synth.Shape{}), silent, ""})
	abort := func(p *record.Policy) { p.Expect = record.ExpectAbort }
	left := synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}
	ask(t, verdict.Expectation{},
		question{"account", policy(abort, add(2, left), func(b *synth.Builder) { b.Ledger(record.Ledger{Stream: 1}) }),
			verdict.Pass, "accounts n=1 of=2"},
		question{"no account", policy(abort, add(2, left)), verdict.Inconclusive, "no account n=2"},
		question{"nobody left", policy(abort, add(2, synth.Shape{})), verdict.Inconclusive, "no hang-up"})
}

// interrupted ends the run early.
func interrupted(when time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Run.Interrupted, b.Run.Finished = true, when }
}

func TestRecovery(t *testing.T) {
	recovers := func(p *record.Policy) { recovers(p); p.Refuses, p.Recovery = false, 2*sec }
	at := func(start time.Duration, end synth.End) func(*synth.Builder) {
		return add(3, synth.Shape{Group: record.Recovery, Start: start, End: end})
	}
	refused := func(start time.Duration) func(*synth.Builder) {
		return add(3, synth.Shape{Group: record.Recovery, Start: start, Keep: synth.KeepNone, End: synth.NoListener})
	}
	delayThenCut := func(b *synth.Builder) {
		b.Fault(synth.Delay("latency"), 100*ms, 6100*ms)
		b.Fault(synth.Cut("down"), 6400*ms, 6600*ms)
	}
	pressedAndKilled := func(b *synth.Builder) {
		b.Happen(record.Event{At: 10 * sec, Source: record.FaultSource, Kind: record.KindPressure, Subject: "app[0]"})
		b.Happen(record.Event{At: 28 * sec, Source: record.FaultSource, Kind: record.KindOOMKill, Subject: "app[0]"})
	}
	ask(t, verdict.Recovery{},
		question{"soon", policy(recovers, fault(sec, sec), at(1200*ms, synth.Clean), at(1500*ms, nil)), verdict.Pass,
			"recovered took=500.5ms bound=2s"},
		question{"relapse", policy(recovers, fault(sec, sec), at(1200*ms, nil), at(1500*ms, synth.Clean), at(1800*ms, nil)),
			verdict.Pass, "recovered took=800.5ms bound=2s"},
		question{"from the cut, behind a long delay", policy(recovers, delayThenCut, at(500*ms, synth.Clean),
			refused(6450*ms), at(6700*ms, nil)), verdict.Pass, "recovered took=300.5ms bound=2s"},
		question{"from the delay, where the app stays down after it", policy(recovers, delayThenCut, refused(6200*ms),
			at(6700*ms, nil)), verdict.Fail, "recovered took=6.6005s bound=2s"},
		question{"from the first cut, where the app stays down until a second one", policy(recovers,
			fault(sec, 1200*ms), refused(1300*ms), func(b *synth.Builder) { b.Fault(synth.Cut("down (2)"), 9*sec, 10*sec) },
			refused(9200*ms), at(10*sec, nil)), verdict.Fail, "recovered took=9.0005s bound=2s"},
		question{"from the first cut, whatever delays besides", policy(recovers, fault(sec, 1200*ms), func(b *synth.Builder) {
			b.Fault(synth.Delay("latency"), 100*ms, 20*sec)
			b.Fault(synth.Cut("down (2)"), 9*sec, 10*sec)
		}, refused(1300*ms), at(9500*ms, nil)), verdict.Fail, "recovered took=8.5005s bound=2s"},
		question{"from the kernel's kill, not from the pressure before it", policy(recovers, fault(10*sec, 28*sec),
			pressedAndKilled, refused(28200*ms), at(29*sec, nil)), verdict.Pass, "recovered took=1.0005s bound=2s"},
		question{"late from the kernel's kill", policy(recovers, fault(10*sec, 28*sec),
			pressedAndKilled, refused(28200*ms), at(31*sec, nil)), verdict.Fail, "recovered took=3.0005s bound=2s"},
		question{"what a later part of the fault cut is no relapse", policy(recovers, fault(100*ms, 300*ms),
			at(350*ms, nil), func(b *synth.Builder) { b.Add(3, cutLater); b.Fault(synth.Cut("down (2)"), 600*ms, 800*ms) }),
			verdict.Pass, "recovered took=250.5ms bound=2s"},
		question{"too late", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean), at(5*sec, nil)), verdict.Fail,
			"recovered took=4.0005s bound=2s"},
		question{"too late asked", policy(recovers, fault(sec, sec), at(5*sec, nil)), verdict.Inconclusive,
			"asked late took=4.0005s bound=2s"},
		question{"never", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean)), verdict.Fail, "never recovered n=3"},
		question{"not tried", policy(recovers, fault(sec, sec)), verdict.Inconclusive, "none new"},
		question{"never, and interrupted too early to say", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean),
			interrupted(2500*ms)), verdict.Inconclusive, "ended early n=3 took=1.5s bound=2s"},
		question{"never, and interrupted when its time was over", policy(recovers, fault(sec, sec), at(1500*ms, synth.Clean),
			interrupted(4*sec)), verdict.Fail, "never recovered n=3"},
		question{"from healing, for weather", policy(func(p *record.Policy) { p.Faulty, p.Recovery = true, 2*sec },
			fault(sec, 4*sec), at(5*sec, nil)), verdict.Pass, "recovered took=1.0005s bound=2s"},
		question{"slow first events are no recovery",
			policy(recovers, fault(2*sec, 2*sec), add(5, synth.Shape{Group: record.Baseline}),
				add(3, synth.Shape{Group: record.Recovery, Start: 2500 * ms, First: sec}), at(3*sec, nil)), verdict.Pass,
			"recovered took=1.0005s bound=2s"},
		question{"no fault", add(3, synth.Shape{}), silent, ""})
}

func TestFlagCheck(t *testing.T) {
	held := synth.Shape{PauseAfter: 5, Pause: limit + sec}
	struck := held
	struck.Group = record.Victim
	ask(t, verdict.FlagCheck{Flag: verdict.Gappy},
		question{"none", add(3, synth.Shape{}), verdict.Pass, "judged n=3"},
		question{"gappy", add(3, held), verdict.Fail, "broke, no count n=3 of=3 stream=1 about=[silent for took=4.05s]"},
		question{"exposed to the fault", policy(kills, add(3, struck), fault(100*ms, sec)), silent, ""},
		question{"our own doing", func(b *synth.Builder) { b.Add(3, held); cannotKeepUp(b) }, verdict.Inconclusive,
			"but about=[broke, no count n=3 of=3 stream=1 about=[silent for took=4.05s] generator late]"})
	ask(t, verdict.FlagCheck{Flag: verdict.Repeated},
		question{"twice", add(3, synth.Shape{End: synth.Twice}), verdict.Fail, "broke, no count n=3 of=3 stream=1"},
		question{"twice, whatever we did", func(b *synth.Builder) { b.Add(3, synth.Shape{End: synth.Twice}); cannotKeepUp(b) }, verdict.Fail, "broke, no count n=3 of=3 stream=1"})
	left := synth.Shape{Keep: 5, End: synth.Left(record.CancelledByUs)}
	ledger := func(l record.Ledger) func(*synth.Builder) {
		return func(b *synth.Builder) { b.Add(1, left); l.Stream = 1; b.Ledger(l) }
	}
	ask(t, verdict.FlagCheck{Flag: verdict.Leaked},
		question{"stopped", ledger(record.Ledger{LeftAt: sec, StopAt: sec + 10*ms}), verdict.Pass, ""},
		question{"goes on", ledger(record.Ledger{LeftAt: sec, StopAt: record.Never}), verdict.Fail,
			"broke, no count n=1 of=1 stream=1"},
		question{"stopped late", ledger(record.Ledger{LeftAt: sec, StopAt: 4 * sec}), verdict.Fail,
			"broke, no count n=1 of=1 stream=1"},
		question{"nobody left", add(3, synth.Shape{}), silent, ""},
		question{"no account, by default", add(3, left), silent, ""},
		question{"no account, asked for", policy(asks(verdict.Leaked), add(3, left)), verdict.Inconclusive, "no account n=3"},
		question{"no ledger", policy(asks(verdict.Leaked), able(record.Abilities{}), add(3, left)),
			verdict.Inconclusive, "no account n=3"})
	again := func(starts ...int) func(*synth.Builder) {
		return func(b *synth.Builder) {
			b.Add(2, synth.Shape{Keep: 5, End: synth.RST})
			b.Run.Streams[1].After, b.Run.Streams[1].Nonce = 1, b.Run.Streams[0].Nonce
			for _, n := range starts {
				b.Ledger(record.Ledger{Stream: 2, Starts: n})
			}
		}
	}
	ask(t, verdict.FlagCheck{Flag: verdict.Doubled},
		question{"once", policy(asks(verdict.Doubled), again(1)), verdict.Pass, "judged n=1"},
		question{"twice", policy(asks(verdict.Doubled), again(2)), verdict.Fail, "broke, no count n=1 of=1 stream=2"},
		question{"the app does not say", policy(asks(verdict.Doubled), again(0)), verdict.Inconclusive, "no starts n=1"},
		question{"no account", policy(asks(verdict.Doubled), again()), verdict.Inconclusive, "no starts n=1"},
		question{"no ledger", policy(asks(verdict.Doubled), able(record.Abilities{}), again()), verdict.Inconclusive,
			"no starts n=1"},
		question{"nothing sent again", policy(asks(verdict.Doubled), add(2, synth.Shape{})), silent, ""})
	ask(t, verdict.FlagCheck{Flag: verdict.Unprovable}, question{"asked elsewhere", add(3, synth.Shape{}), silent, ""})
}

func TestBounds(t *testing.T) {
	bound := func(th record.Thresholds) func(*record.Policy) {
		return func(p *record.Policy) { p.Thresholds = th }
	}
	first, gaps, total := record.Thresholds{FirstEvent: 100 * ms}, record.Thresholds{MaxGap: 100 * ms}, record.Thresholds{Total: 2 * sec}
	slow := synth.Shape{First: 500 * ms}
	ask(t, verdict.FirstEventBound{},
		question{"in time", policy(bound(first), add(20, synth.Shape{})), verdict.Pass, "p95 took=4.7ms bound=100ms"},
		question{"one of forty is slow", policy(bound(first), add(39, synth.Shape{}), add(1, slow)), verdict.Pass,
			"p95 took=4.7ms bound=100ms"},
		question{"slow", policy(bound(first), add(20, slow)), verdict.Fail, "p95 took=499.7ms bound=100ms"},
		question{"few, all in time", policy(bound(first), add(5, synth.Shape{})), verdict.Pass,
			"slowest of few n=5 took=4.7ms bound=100ms"},
		question{"few, all slow", policy(bound(first), add(5, slow)), verdict.Fail,
			"fastest of few n=5 took=499.7ms bound=100ms"},
		question{"few, all slow, and so are we", policy(bound(first), add(5, slow), cannotKeepUp), verdict.Inconclusive,
			"but about=[fastest of few n=5 took=499.7ms bound=100ms generator late]"},
		question{"few, one slow", policy(bound(first), add(5, synth.Shape{}), add(1, slow)), verdict.Inconclusive,
			"few for p95 n=6 need=20 took=499.7ms bound=100ms"},
		question{"slow, and so are we", policy(bound(first), add(20, slow), cannotKeepUp), verdict.Inconclusive,
			"but about=[p95 took=499.7ms bound=100ms generator late]"},
		question{"no bound", add(20, slow), silent, ""})
	ask(t, verdict.GapBound{},
		question{"even", policy(bound(gaps), add(3, synth.Shape{})), verdict.Pass, "largest gap took=50ms bound=100ms"},
		question{"gap", policy(bound(gaps), add(3, synth.Shape{PauseAfter: 3, Pause: sec})), verdict.Fail, "1.05s"},
		question{"gap, and so are we", policy(bound(gaps), add(3, synth.Shape{PauseAfter: 3, Pause: sec}), cannotKeepUp),
			verdict.Inconclusive, ""})
	ask(t, verdict.TotalBound{},
		question{"in time", policy(bound(total), add(20, synth.Shape{})), verdict.Pass, ""},
		question{"slow", policy(bound(total), add(20, synth.Shape{Events: 100})), verdict.Fail, ""},
		question{"few, one slow", policy(bound(total), add(5, synth.Shape{}), add(1, synth.Shape{Events: 100})),
			verdict.Inconclusive, ""})
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
		if a := (verdict.Expectation{}).Check(&verdict.Scopes(&b.Run)[0]); a.Verdict != verdict.Fail ||
			a.Fact.Kind != verdict.FactGrew || a.Fact.Name != "app[1]" || a.Fact.Bytes != 100<<20 || a.Fact.More != 300<<20 {
			t.Fatalf("%s: %s", a.Verdict, shown(a.Fact))
		}
	}
}

// asks lets a policy ask for one flag.
func asks(f verdict.Flag) func(*record.Policy) {
	return func(p *record.Policy) { p.Checks = []string{string(f)} }
}

// able says what the app is known to be able to do.
func able(a record.Abilities) func(*synth.Builder) {
	return func(b *synth.Builder) { b.Run.Plan.Able = &a }
}

// TestRefusedLongAfterHealing: a victim that was to be sent long after the fault was healed
// was not in its way, though it never got so far as to be sent.
func TestRefusedLongAfterHealing(t *testing.T) {
	b := synth.New()
	b.Scenario(0).Policy.Faulty, b.Scenario(0).Policy.Refuses = true, true
	refused := synth.Shape{Group: record.Victim, Keep: synth.KeepNone, End: synth.NoListener}
	for _, at := range []time.Duration{500 * ms, 20 * sec} {
		refused.Start = at
		b.Add(1, refused)
	}
	fault(100*ms, sec)(b)
	s := &verdict.Scopes(&b.Run)[0]
	for i, want := range []bool{true, false} {
		if got := s.Streams[i].Struck; got != want {
			t.Errorf("stream %d: struck = %v, want %v", i+1, got, want)
		}
	}
}

// TestSqueezeMayKillLate: while we hold memory short the kernel may kill at any time, also
// what serves the streams that are sent to see whether the app is well again.
func TestSqueezeMayKillLate(t *testing.T) {
	for kind, want := range map[record.EventKind]bool{record.KindSqueeze: true, record.KindKill: false} {
		b := synth.New()
		b.Scenario(0).Policy.Faulty, b.Scenario(0).Policy.Kills = true, true
		b.Add(1, synth.Shape{Group: record.Victim})
		b.Add(1, cutLater)
		for at, k := range map[time.Duration]record.EventKind{100 * ms: record.KindPressure, 110 * ms: kind, sec: record.KindRelief} {
			b.Happen(record.Event{At: at, Source: record.FaultSource, Kind: k, Subject: "app[0]"})
		}
		b.Fault(synth.Delay("memory limit lowered"), 110*ms, sec)
		if got := verdict.Scopes(&b.Run)[0].Streams[1].Struck; got != want {
			t.Errorf("%s: struck = %v, want %v", kind, got, want)
		}
	}
}
