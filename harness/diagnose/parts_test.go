package diagnose_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// soak is a long load: one stream alone, then many, of which some are cut in the first
// quarter, some end early everywhere, and some are silent in the last quarter.
func soak(n int, policy record.Policy) *synth.Builder {
	b := synth.New(record.Scenario{ID: "soak", Policy: policy}, record.Scenario{ID: "short", Edge: "streaming"})
	b.Add(1, synth.Shape{Scenario: "soak", Group: record.Solo})
	b.Each(n, func(i int) synth.Shape {
		sh := synth.Shape{Scenario: "soak", Start: 3*time.Second + time.Duration(i)*5*ms}
		switch {
		case i%40 == 7 && i < n/4:
			sh.Keep, sh.End = 5, synth.FIN
		case i%40 == 17:
			sh.Keep, sh.End = 9, synth.Clean
		case i%40 == 27 && i > 3*n/4:
			sh.Keep, sh.End = 9, synth.Silent(gap)
		}
		return sh
	})
	b.Add(20, synth.Shape{Scenario: "short", Start: time.Duration(n)*5*ms + 10*time.Second})
	for i := range b.Run.Streams {
		b.Run.Streams[i].Lag = time.Duration(i) * time.Microsecond
	}
	b.Run.Waves = []record.Wave{{Scenario: "soak", Group: record.Solo, Asked: 1, Started: 1},
		{Scenario: "soak", Group: record.Load, Asked: n, Started: n, LateStarts: 3}, {Scenario: "short", Asked: 20, Started: 20}}
	return b
}

// inParts judges a run as it is stored, in parts of so many streams.
func inParts(t *testing.T, run *record.Run, streams int) *verdict.Report {
	t.Helper()
	parts, err := record.Bounds{Streams: streams, Bytes: 1 << 30}.Open(synth.Store(t, run))
	if err != nil {
		t.Fatal(err)
	}
	defer parts.Close()
	r, err := diagnose.ReportParts(parts, func(*record.Part, []verdict.Scope, *verdict.Report) {})
	if err != nil {
		t.Fatal(err)
	}
	return pastable(r)
}

// What is counted over parts is what is counted at once: streams, outcomes, flags,
// percentiles, the answers of checks, the streams that a cause explains.
func TestPartsAddUpToTheWhole(t *testing.T) {
	policy := record.Policy{GapLimit: gap, MinStreams: 300, Slowdown: 5, Checks: checks,
		Thresholds: record.Thresholds{FirstEvent: time.Second, MaxGap: time.Second, Total: 10 * time.Second}}
	for name, n := range map[string]int{"some": 400, "many": 1200} {
		t.Run(name, func(t *testing.T) {
			b := soak(n, policy)
			want, got := inParts(t, &b.Run, 10*n), inParts(t, &b.Run, 100)
			if len(got.Scenarios) != 2 || got.Verdict != want.Verdict || got.Started != want.Started || !reflect.DeepEqual(got.Outcomes, want.Outcomes) {
				t.Errorf("got %s, %d streams %v; want %s, %d streams %v", got.Verdict, got.Started, got.Outcomes, want.Verdict, want.Started, want.Outcomes)
			}
			if parts := got.Scenarios[0].Parts; parts != n/100+1 || want.Scenarios[0].Parts != 0 {
				t.Errorf("judged in %d parts, and %d", parts, want.Scenarios[0].Parts)
			}
			sameAnswers(t, &got.Scenarios[0], &want.Scenarios[0])
			if !reflect.DeepEqual(got.Scenarios[1], want.Scenarios[1]) {
				t.Errorf("a scenario of one part is judged as %+v, want %+v", got.Scenarios[1], want.Scenarios[1])
			}
		})
	}
}

func sameAnswers(t *testing.T, got, want *verdict.ScenarioReport) {
	t.Helper()
	for _, x := range []struct{ what, got, want any }{
		{"verdict", got.Verdict, want.Verdict},
		{"flags", got.Flags, want.Flags}, {"groups", got.Groups, want.Groups}, {"generator", got.Generator, want.Generator},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("%s = %v, want %v", x.what, x.got, x.want)
		}
	}
	if len(got.Checks) != len(want.Checks) {
		t.Fatalf("%d checks, want %d", len(got.Checks), len(want.Checks))
	}
	for i, c := range got.Checks {
		w := want.Checks[i]
		// What compares streams with one another says in which part it did.
		same := c.Fact.Same(w.Fact) || c.Fact.Is(verdict.FactOnePart) || c.Fact.Is(verdict.FactAllParts)
		if c.Name != w.Name || c.Verdict != w.Verdict || c.Obligation != w.Obligation || !same {
			t.Errorf("check %q: %s, %s; want %q: %s, %s", c.Name, c.Verdict, c.Fact, w.Name, w.Verdict, w.Fact)
		}
	}
	counts := func(s *verdict.ScenarioReport) map[string]int {
		n := map[string]int{}
		for _, c := range s.Causes {
			n[c.Cause] += c.Count
		}
		return n
	}
	if !reflect.DeepEqual(counts(got), counts(want)) {
		t.Errorf("causes explain %v, want %v", counts(got), counts(want))
	}
}

// A bound of the user's on a percentile is one on all streams: a part that is over it
// does not break it.
func TestPartsKeepBoundsTogether(t *testing.T) {
	b := synth.New(record.Scenario{ID: "soak", Policy: record.Policy{Thresholds: record.Thresholds{FirstEvent: 100 * ms}}})
	b.Add(1, synth.Shape{Scenario: "soak", Group: record.Solo})
	b.Each(1000, func(i int) synth.Shape {
		sh := synth.Shape{Scenario: "soak", Start: 3*time.Second + time.Duration(i)*5*ms}
		if i < 40 { // 4 % of all, 40 % of a part
			sh.First = 200 * ms
		}
		return sh
	})
	want, got := inParts(t, &b.Run, 10_000).Scenarios[0], inParts(t, &b.Run, 100).Scenarios[0]
	if got.Verdict != verdict.Pass || got.Verdict != want.Verdict {
		t.Errorf("got %s, want %s", got.Verdict, want.Verdict)
	}
}

// A machine that was busy excuses a time over its objective in a run that is judged in parts
// as in one that is judged at once; so does a generator that read late.
func TestPartsExcuseObjectivesTogether(t *testing.T) {
	busy := func(b *synth.Builder) {
		const over = 250 * ms
		for at := over; at <= 20*time.Second; at += over {
			b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: over, Known: true, Whole: true,
				Busy: 2 * over, OursRan: over / 5, AppRan: over / 2, AppWaited: over / 2})
		}
	}
	late := func(b *synth.Builder) {
		for i := range b.Run.Streams {
			b.Run.Streams[i].Lag = 10 * time.Second
		}
	}
	for name, tc := range map[string]struct {
		how  func(*synth.Builder)
		want verdict.Verdict
	}{
		"busy": {busy, verdict.Inconclusive}, "late": {late, verdict.Inconclusive},
		"quiet": {func(*synth.Builder) {}, verdict.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "soak", Policy: record.Policy{SLO: "first_event p95 < 100ms"}})
			b.Add(1, synth.Shape{Scenario: "soak", Group: record.Solo})
			b.Each(1000, func(i int) synth.Shape {
				return synth.Shape{Scenario: "soak", Start: 3*time.Second + time.Duration(i)*5*ms, First: 200 * ms}
			})
			tc.how(b)
			for _, streams := range []int{10_000, 100} {
				for _, c := range inParts(t, &b.Run, streams).Scenarios[0].Checks {
					if c.Name == "objectives met" && c.Verdict != tc.want {
						t.Errorf("in parts of %d: %s (%s), want %s", streams, c.Verdict, c.Fact, tc.want)
					}
				}
			}
		})
	}
}

// What goes wrong in one part fails the scenario, and the answer says where.
func TestPartsTellWhere(t *testing.T) {
	b := synth.New(record.Scenario{ID: "soak", Policy: record.Policy{Slowdown: 5}})
	b.Add(1, synth.Shape{Scenario: "soak", Group: record.Solo})
	b.Each(1000, func(i int) synth.Shape {
		sh := synth.Shape{Scenario: "soak", Start: 5*time.Second + time.Duration(i)*20*ms}
		if i >= 300 && i < 350 { // let go one after the other
			sh.First = 2*time.Second + time.Duration(i-300)*100*ms
		}
		return sh
	})
	s := inParts(t, &b.Run, 100).Scenarios[0]
	for _, c := range s.Checks {
		if c.Name == "streams as prompt under load as alone" {
			if c.Verdict == verdict.Pass || !c.Fact.Is(verdict.FactOnePart) || c.Fact.N != 4 || c.Fact.Of != 11 {
				t.Errorf("%s: %s", c.Verdict, c.Fact)
			}
			return
		}
	}
	t.Errorf("checks = %+v", s.Checks)
}
