package diagnose_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// killed is a run in which we kill a worker under ten streams, which may be cut.
func killed(more func(*synth.Builder)) *synth.Builder {
	b := faulty("streaming", record.Policy{Kills: true})
	v := b.Add(10, chaos(record.Victim, synth.Shape{Worker: 11, Events: 60, Keep: 19, End: synth.CutAt(sec)}))
	b.Add(5, chaos(record.Baseline, synth.Shape{}))
	b.Fault(synth.Cut(killFault), sec, 1200*ms, v...)
	weKill(b, 11)
	app(b)
	more(b)
	return b
}

// What the scenario allows explains no failure: the streams that broke a check
// lead, even if no more than guesses are known of them.
func TestCausesOfAFailureAreThoseOfItsStreams(t *testing.T) {
	b := killed(func(b *synth.Builder) {
		b.Add(5, chaos(record.Control, synth.Shape{Events: 60, Keep: 30, End: synth.Clean}))
	})
	s := reportOf(&b.Run).Scenarios[0]
	if s.Verdict != verdict.Fail || len(s.Causes) < 2 {
		t.Fatalf("%s with %d causes", s.Verdict, len(s.Causes))
	}
	first, last := s.Causes[0], s.Causes[len(s.Causes)-1]
	if strings.HasPrefix(first.Cause, diagnose.InjectedFault) || !slices.Contains(first.Checks, "streams complete or fail cleanly") {
		t.Errorf("the failure is led by %q of %q", first.Cause, first.Checks)
	}
	if !strings.HasPrefix(last.Cause, diagnose.InjectedFault) || len(last.Checks) != 0 {
		t.Errorf("our allowed fault is %q of %q", last.Cause, last.Checks)
	}

	// By the strict policy the same cuts are failures.
	b = killed(func(b *synth.Builder) { b.Run.Plan.Strict = true })
	s = reportOf(&b.Run).Scenarios[0]
	if len(s.Causes) != 1 || len(s.Causes[0].Checks) != 1 || !strings.HasPrefix(s.Causes[0].Checks[0], "strict") {
		t.Errorf("strict: %+v", s.Causes)
	}
}

// Two checks, two causes: each is tied to its own.
func TestChecksKeepTheirOwnCauses(t *testing.T) {
	b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
	b.Add(10, synth.Shape{})
	b.Add(5, synth.Shape{Keep: 10, End: synth.Clean})
	b.Add(5, synth.Shape{End: synth.Twice})
	app(b)
	s := reportOf(&b.Run).Scenarios[0]
	want := map[string]string{diagnose.SilentTruncation: "streams complete or fail cleanly", diagnose.TerminalTwice: "no stream is repeated terminal"}
	for _, c := range s.Causes {
		if check := want[c.Cause]; !slices.Equal(c.Checks, []string{check}) {
			t.Errorf("%s is tied to %q, want %q", c.Cause, c.Checks, check)
		}
		delete(want, c.Cause)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
}

// A stream that began after a death is not its victim.
func TestNobodyDiesOfAnEarlierDeath(t *testing.T) {
	for _, tc := range []struct {
		name  string
		start time.Duration
		want  bool
	}{
		{"began before it", 500 * ms, true},
		{"began after it", 1100 * ms, false},
	} {
		b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap, Checks: checks}})
		b.Log(record.NginxError)
		b.Add(5, synth.Shape{Start: tc.start, Events: 60, Keep: 10, Gap: 50 * ms, End: synth.Clean})
		b.Happen(record.Event{At: sec, Source: record.ProcessSource, Kind: record.KindExit, Subject: "app[0]",
			Pid: 11, Code: 9})
		app(b)
		got := slices.ContainsFunc(causesOf(b), func(c verdict.Cause) bool {
			return c.Cause == diagnose.LaunderedByEdge && c.Confidence == "certain"
		})
		if got != tc.want {
			t.Errorf("%s: laundered by the edge: %v, want %v (%v)", tc.name, got, tc.want, listed(causesOf(b)))
		}
	}
}

func listed(cs []verdict.Cause) (all []string) {
	for _, c := range cs {
		all = append(all, c.Cause+" ("+c.Confidence+")")
	}
	return all
}

// What the machine or our own pressure did is nobody's fault: no look-alike is
// named.
func TestBusyMachineIsNobodysFault(t *testing.T) {
	stall := synth.Shape{Keep: 3, End: synth.Silent(gap)}
	for _, tc := range []struct {
		name string
		do   func(*synth.Builder)
		want string
	}{
		{"busy", func(b *synth.Builder) {
			for at := 250 * ms; at < 10*sec; at += 250 * ms {
				b.Run.Machine = append(b.Run.Machine, record.MachineSample{At: at, Over: 250 * ms, Known: true, Whole: true,
					Busy: 500 * ms, AppRan: 100 * ms, AppWaited: 150 * ms})
			}
		}, diagnose.BusyMachine},
		{"pressed", func(b *synth.Builder) {
			b.Happen(record.Event{At: 0, Source: record.FaultSource, Kind: record.KindPressure, Subject: "app[0]"})
		}, diagnose.InjectedFault + ": memory pressure"},
		{"neither", func(*synth.Builder) {}, ""},
	} {
		b := synth.New(record.Scenario{ID: "control", Edge: "streaming", Policy: record.Policy{GapLimit: gap, Checks: checks}})
		b.Add(5, stall)
		app(b)
		tc.do(b)
		got := listed(causesOf(b))
		blamed := len(got) > 0 && !strings.HasPrefix(got[0], diagnose.BusyMachine) && !strings.HasPrefix(got[0], diagnose.InjectedFault)
		if tc.want == "" && !blamed || tc.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tc.want)) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
