package verdict_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A crowdTrial is a load beside streams that were alone, on an app that stamps
// nothing.
type crowdTrial struct {
	name  string
	build func(*synth.Builder)
	want  verdict.Verdict // "" where the question does not arise
	is    verdict.Pattern
	n     int
	says  string
}

// soloOf sends streams alone whose first event takes so long each.
func soloOf(b *synth.Builder, firsts ...time.Duration) {
	for i, first := range firsts {
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, First: first, Start: time.Duration(i) * 10 * time.Second})
	}
}

// load starts n streams i·20 ms after 100 s, whose first event takes what of says.
func loadOf(b *synth.Builder, n int, of func(i int) time.Duration) {
	b.Each(n, func(i int) synth.Shape {
		return synth.Shape{Mute: true, Events: 30, Start: 100*time.Second + time.Duration(i)*20*time.Millisecond,
			First: of(i)}
	})
}

func steps(n int, each, first time.Duration) func(int) time.Duration {
	return func(i int) time.Duration {
		return first + time.Duration(i/n)*each - time.Duration(i%n)*time.Millisecond -
			time.Duration(i)*20*time.Millisecond*boolInt(i >= n)
	}
}

func boolInt(b bool) time.Duration {
	if b {
		return 1
	}
	return 0
}

func same(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// heldAt is a stream that is silent from one moment on.
func heldAt(i int, from, held time.Duration) synth.Shape {
	return synth.Shape{Mute: true, Events: 60, Start: 100*time.Second + time.Duration(i)*110*time.Millisecond,
		HoldFrom: from, HoldFor: held}
}

// starving are nine streams of 3 s, three of which pause in their bodies.
func starving(pause time.Duration) func(*synth.Builder) {
	return func(b *synth.Builder) {
		soloOf(b, 5*ms)
		b.Each(9, func(i int) synth.Shape {
			s := synth.Shape{Mute: true, Events: 60, First: 5 * ms, Start: 100*time.Second +
				time.Duration(i)*20*time.Millisecond}
			if i%3 == 2 {
				s.PauseAfter, s.Pause = 3, pause
			}
			return s
		})
	}
}

var crowdTrials = []crowdTrial{
	{"side by side", func(b *synth.Builder) { soloOf(b, 5*ms); loadOf(b, 20, same(6*ms)) }, verdict.Pass, "", 0,
		"alone and loaded"},
	{"slow by itself, alone as well", func(b *synth.Builder) { soloOf(b, 2*sec); loadOf(b, 20, same(2100*ms)) },
		verdict.Pass, "", 0, "alone"},
	{"one of twenty", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 20, func(i int) time.Duration { return 5*ms + time.Duration(i/19)*3*sec })
	}, verdict.Pass, "", 0, ""},
	{"unequal, alone as well", func(b *synth.Builder) {
		soloOf(b, 100*ms, 100*ms, 2500*ms, 100*ms, 100*ms)
		loadOf(b, 20, func(i int) time.Duration { return 100*ms + time.Duration(i%3/2)*2400*ms })
	}, verdict.Pass, "", 0, "unequal"},
	{"unequal, by chance not alone", func(b *synth.Builder) {
		soloOf(b, 100*ms)
		loadOf(b, 20, func(i int) time.Duration { return 100*ms + time.Duration(i%3/2)*2400*ms })
	}, verdict.Inconclusive, "", 0, "unordered about=[crowd n=6 of=20"},
	{"all late, and none alone", func(b *synth.Builder) {
		soloOf(b, 100*ms, 100*ms, 100*ms, 100*ms, 100*ms)
		loadOf(b, 20, same(5*sec))
	}, verdict.Fail, "", 0, "crowd n=20 of=20"},
	{"three starve until others end", starving(2850 * ms), verdict.Fail, verdict.AtMost, 6,
		`crowd n=3 of=9 need=6 name="at most N"`},
	{"three pause, and go on when they like", starving(1500 * ms), verdict.Inconclusive, "", 0,
		"unordered about=[crowd n=3 of=9"},
	{"a limit of 4, and half of 8 wait", func(b *synth.Builder) { soloOf(b, 5*ms); loadOf(b, 8, steps(4, 1460*ms, 5*ms)) },
		verdict.Fail, verdict.AtMost, 4, `crowd n=4 of=8 need=4 name="at most N"`},
	{"below the limit of 4", func(b *synth.Builder) { soloOf(b, 5*ms); loadOf(b, 4, steps(4, 1460*ms, 5*ms)) },
		verdict.Pass, "", 0, ""},
	{"one by one", func(b *synth.Builder) { soloOf(b, 5*ms); loadOf(b, 10, steps(1, 1460*ms, 5*ms)) }, verdict.Fail,
		verdict.OneByOne, 1, `crowd n=9 of=10 need=1 name="one by one"`},
	{"first events in steps of 5", func(b *synth.Builder) {
		soloOf(b, 700*ms)
		b.Each(40, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Events: 60, Start: 100 * sec, First: 700*ms + time.Duration(i/5)*700*ms}
		})
	}, verdict.Fail, verdict.StartsAtMost, 5, `crowd n=20 of=40 need=5 name="starts at most N"`},
	{"a lock around the first event", func(b *synth.Builder) {
		soloOf(b, 300*ms)
		b.Each(20, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Events: 60, Start: 100 * sec, First: 300 * ms * time.Duration(i+1)}
		})
	}, verdict.Fail, verdict.StartsOneByOne, 1, `crowd n=16 of=20 need=1 name="starts one by one"`},
	{"a blocking call before the first event", func(b *synth.Builder) { soloOf(b, 300*ms); loadOf(b, 20, same(6*sec)) },
		verdict.Fail, verdict.NothingMeanwhile, 1, `crowd n=20 of=20 need=1 name="nothing meanwhile"`},
	{"silent together, out of step", func(b *synth.Builder) {
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, Events: 60})
		b.Each(10, func(i int) synth.Shape { return heldAt(i, 102*sec, 2*sec) })
	}, verdict.Fail, verdict.SilentTogether, 0, "silent together"},
	{"a pause of its own, alone as well", func(b *synth.Builder) {
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, PauseAfter: 10, Pause: 2 * sec})
		b.Each(10, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 100 * sec, PauseAfter: 10, Pause: 2*sec + time.Duration(i)*100*ms}
		})
	}, verdict.Pass, "", 0, ""},
	{"the solo stream was cut", func(b *synth.Builder) {
		b.Add(1, synth.Shape{Group: record.Solo, Mute: true, Keep: 3, End: synth.FIN})
		loadOf(b, 20, same(6*sec))
	}, verdict.Inconclusive, "", 0, "no solo"},
	{"no solo stream, as in older records", func(b *synth.Builder) { loadOf(b, 20, same(6*sec)) }, "", "", 0, ""},
	{"turned off", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 20, same(6*sec))
		b.Scenario(0).Policy.Slowdown = 0
	}, "", "", 0, ""},
	{"the machine was busy", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 20, same(6*sec))
		b.Run.Machine = busyFrom(100*sec, 110*sec)
	}, verdict.Inconclusive, "", 0, "other programs"},
	{"the machine was as busy when one was prompt alone", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 8, steps(4, 1460*ms, 5*ms))
		b.Run.Machine = busyFrom(0, 110*sec)
	}, verdict.Fail, verdict.AtMost, 4, ""},
	{"the app waited for a core nearly all the time, which one alone hardly needs", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 20, same(1400*ms))
		b.Run.Machine = crowdedFrom(0, 110*sec)
	}, verdict.Inconclusive, "", 0, "other programs"},
	{"the app waited for a core nearly all the time, and far longer for something else", func(b *synth.Builder) {
		soloOf(b, 5*ms)
		loadOf(b, 48, steps(4, 1460*ms, 5*ms))
		b.Run.Machine = crowdedFrom(0, 150*sec)
	}, verdict.Fail, verdict.AtMost, 4, ""},
}

// crowdedFrom is a machine on which an app stands in a long queue for the cores.
func crowdedFrom(from, to time.Duration) []record.MachineSample {
	ms := busyFrom(from, to)
	for i := range ms {
		ms[i].AppRan, ms[i].AppWaited = ms[i].Over/20, ms[i].Over*9/10
	}
	return ms
}

// busyFrom is a machine that others take from an app that wants it.
func busyFrom(from, to time.Duration) (ms []record.MachineSample) {
	const over = 250 * time.Millisecond
	for at := from + over; at <= to; at += over {
		ms = append(ms, record.MachineSample{At: at, Over: over, Known: true, Whole: true, Busy: 2 * over, OursRan: over / 10,
			AppRan: over / 2, AppWaited: over / 2})
	}
	return ms
}

func (tr crowdTrial) run() *synth.Builder {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming",
		Policy: record.Policy{GapLimit: 20 * sec, Slowdown: verdict.DefaultSlowdown}})
	tr.build(b)
	return b
}

func TestSlowdown(t *testing.T) {
	for _, tr := range crowdTrials {
		b := tr.run()
		s := verdict.Scopes(&b.Run)[0]
		a := verdict.Slowdown{}.Check(&s)
		if a.Verdict != tr.want || !strings.Contains(shown(a.Fact), tr.says) {
			t.Errorf("%s: %q (%s), want %q with %q", tr.name, a.Verdict, shown(a.Fact), tr.want, tr.says)
		}
		if tr.want == verdict.Inconclusive && a.Next == nil {
			t.Errorf("%s: nothing would settle it", tr.name)
		}
		for _, c := range s.Crowds() {
			if c.Pattern != tr.is || tr.n != 0 && c.N != tr.n {
				t.Errorf("%s: pattern %q with %d (%.2f), want %q with %d", tr.name, c.Pattern, c.N, c.Share, tr.is, tr.n)
			}
		}
	}
}

// TestSoloIsTheSoonest: before its first answer an app may still be warming up.
func TestSoloIsTheSoonest(t *testing.T) {
	b := synth.New()
	soloOf(b, 2*sec, 20*ms, 40*ms)
	s := verdict.Scopes(&b.Run)[0]
	if st := s.Solo(); st == nil || st.Seq != 2 {
		t.Errorf("solo is %v, want stream 2", st)
	}
	if st := s.SoloAt("app"); st != nil {
		t.Errorf("a hop where none was sent has %v", st)
	}
}

// TestSoloOfAnEarlierScenario: a long answer is not asked for again on the same
// road, and the wave says which stream stands for it.
func TestSoloOfAnEarlierScenario(t *testing.T) {
	b := synth.New(record.Scenario{ID: "control"}, record.Scenario{ID: "again"})
	soloOf(b, 20*ms)
	b.Add(3, synth.Shape{Scenario: "again", Start: 20 * sec})
	b.Run.Waves = []record.Wave{{Scenario: "again", Hop: "edge", Solo: 1}}
	s := verdict.Scopes(&b.Run)[1]
	if st := s.Solo(); st == nil || st.Seq != 1 {
		t.Errorf("solo is %v, want stream 1", st)
	}
}

// TestUnequalAnswersAreNotAccused: answers whose first event takes from 50 ms to 4 s,
// and whose pauses are as unequal, by themselves.
func TestUnequalAnswersAreNotAccused(t *testing.T) {
	for seed := range 200 {
		at := func(i, of int) time.Duration { return time.Duration((seed*7919+i*104729)%of) * ms }
		b := synth.New(record.Scenario{ID: "control", Edge: "streaming",
			Policy: record.Policy{GapLimit: 20 * sec, Slowdown: verdict.DefaultSlowdown}})
		soloOf(b, 50*ms+at(1, 4000), 50*ms+at(2, 4000), 50*ms+at(3, 4000), 50*ms+at(4, 4000), 50*ms+at(5, 4000))
		b.Each(5+seed%40, func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 100*sec + time.Duration(i)*20*ms, First: 50*ms + at(i+11, 3997),
				Events: 10 + i%17, PauseAfter: 1 + i%9, Pause: at(i+77, 2503)}
		})
		s := verdict.Scopes(&b.Run)[0]
		if a := (verdict.Slowdown{}).Check(&s); a.Verdict == verdict.Fail {
			c := s.Crowds()[0]
			t.Errorf("seed %d: %s, pattern %q with %d (%.2f)", seed, shown(a.Fact), c.Pattern, c.N, c.Share)
		}
	}
}

// TestPausesThatMeetByChance: an app that thinks for a second here and there, and did
// not while it was asked alone, is not taken for one that stands still: that some of
// its pauses end together is chance. That nearly all streams pause at one time, each
// for more than a second, looks like a standstill to anybody: one run in 200 may.
func TestPausesThatMeetByChance(t *testing.T) {
	accused := 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		b := synth.New(record.Scenario{ID: "control", Edge: "streaming",
			Policy: record.Policy{GapLimit: 20 * sec, Slowdown: verdict.DefaultSlowdown}})
		soloOf(b, 60*ms)
		b.Each(6+r.IntN(6), func(i int) synth.Shape {
			return synth.Shape{Mute: true, Start: 100*sec + time.Duration(i)*20*ms, First: 60 * ms, Gap: 50 * ms,
				Events: 30 + r.IntN(20), PauseAfter: 1 + r.IntN(25), Pause: time.Duration(1100+r.IntN(400)) * ms}
		})
		s := verdict.Scopes(&b.Run)[0]
		if a := (verdict.Slowdown{}).Check(&s); a.Verdict == verdict.Fail {
			accused++
			t.Logf("seed %d: %s", seed, shown(a.Fact))
		}
	}
	if accused > 2 {
		t.Errorf("%d of 500 sound runs are accused", accused)
	}
}

// TestSlowedIsAFlag: the flag names whom the causes are about.
func TestSlowedIsAFlag(t *testing.T) {
	i := slices.IndexFunc(crowdTrials, func(tr crowdTrial) bool { return tr.is == verdict.AtMost && tr.n == 4 })
	b := crowdTrials[i].run()
	n := 0
	s := verdict.Scopes(&b.Run)[0]
	for _, g := range s.Streams {
		if g.Grade.Has(verdict.Slowed) {
			n++
		}
	}
	if n != 4 {
		t.Errorf("%d streams are slowed, want 4", n)
	}
	if got := s.Crowds()[0].Fact(); got.N != 4 || got.Of != 8 {
		t.Error(got)
	}
}
