package verdict_test

import (
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A load that its workers could not send says nothing about the app, nor about the stream
// that was sent alone: each worker is named, and what is to be done about it.
func TestLoadWorkersThatSentNothing(t *testing.T) {
	for on, next := range map[record.Agreement]record.FactKind{record.OnReach: verdict.NextReach,
		record.OnRoom: verdict.NextLoadWorkers} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{Slowdown: verdict.DefaultSlowdown}})
		b.Add(1, synth.Shape{Scenario: "control", Group: record.Solo})
		b.Run.LoadWorkers = []record.LoadWorker{{Scenario: "control", Of: 2, State: record.LoadWorkerDisagrees, On: on,
			Ours: "10.0.0.7:80", Theirs: "i/o timeout"}, {Scenario: "control", Index: 1, Of: 2}}
		s := verdict.Judge(&b.Run).Scenarios[0]
		if s.Verdict != verdict.Inconclusive {
			t.Errorf("%s: %s", on, s.Verdict)
		}
		i := slices.IndexFunc(s.Checks, func(c verdict.Check) bool { return c.Name == "load workers" })
		j := slices.IndexFunc(s.Doubts, func(d verdict.Doubt) bool { return d.Next != nil && d.Next.Kind == next })
		if i < 0 || s.Checks[i].Verdict != verdict.Inconclusive || j < 0 {
			t.Errorf("%s: checks %+v, doubts %+v", on, s.Checks, s.Doubts)
		}
		for _, c := range s.Checks {
			if c.Fact != nil && c.Fact.Kind == verdict.FactNoSolo {
				t.Errorf("%s: the stream that was sent alone is blamed, and it was complete", on)
			}
		}
	}
}
