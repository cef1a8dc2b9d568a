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
		record.OnTLS: verdict.NextWorkersTrust, record.OnRoom: verdict.NextRoom, record.OnClock: verdict.NextNearer,
		record.OnVersion: verdict.NextLoadWorkers} {
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

// A worker that is the same way amiss before two waves is told of once.
func TestLoadWorkerIsNamedOnce(t *testing.T) {
	b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{Slowdown: verdict.DefaultSlowdown}})
	w := record.LoadWorker{Scenario: "control", Of: 2, State: record.LoadWorkerDisagrees, On: record.OnReach, Ours: "10.0.0.7:80"}
	other := w
	other.Index = 1
	b.Run.LoadWorkers = []record.LoadWorker{w, other, w, other}
	s := verdict.Judge(&b.Run).Scenarios[0]
	i := slices.IndexFunc(s.Checks, func(c verdict.Check) bool { return c.Name == "load workers" })
	if i < 0 || s.Checks[i].Fact == nil || s.Checks[i].Fact.N != 2 {
		t.Errorf("checks %+v", s.Checks)
	}
}

// What is wrong with one worker says what to do, also where another was only lost. Clocks
// of one machine that differ are those of one that is busy.
func TestNextOfLoadWorkers(t *testing.T) {
	room := record.LoadWorker{State: record.LoadWorkerDisagrees, On: record.OnRoom, Ours: "20", Theirs: "9"}
	here := record.LoadWorker{State: record.LoadWorkerDisagrees, On: record.OnClock, Ours: "10ms", Theirs: "20ms", Pid: 7}
	lost := record.LoadWorker{State: record.LoadWorkerLost}
	for _, c := range []struct {
		workers []record.LoadWorker
		want    record.FactKind
	}{
		{[]record.LoadWorker{lost, room}, verdict.NextRoom},
		{[]record.LoadWorker{room, lost}, verdict.NextRoom},
		{[]record.LoadWorker{here, lost}, verdict.NextLoadWorkers},
	} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{Slowdown: verdict.DefaultSlowdown}})
		for i, w := range c.workers {
			w.Scenario, w.Index, w.Of = "control", i, len(c.workers)
			b.Run.LoadWorkers = append(b.Run.LoadWorkers, w)
		}
		doubts := verdict.Judge(&b.Run).Scenarios[0].Doubts
		if !slices.ContainsFunc(doubts, func(d verdict.Doubt) bool { return d.Next.Is(c.want) }) {
			t.Errorf("%+v: no %q in %+v", c.workers, c.want, doubts)
		}
	}
}
