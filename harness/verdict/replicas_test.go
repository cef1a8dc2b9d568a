package verdict_test

import (
	"fmt"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

func TestReplicasAreCountedByOutcome(t *testing.T) {
	b := synth.New()
	served := func(name string, n int, sh synth.Shape) {
		b.Add(n, sh)
		for i := range n {
			b.Run.Streams[len(b.Run.Streams)-1-i].Replica = name
		}
	}
	kills(&b.Scenario(0).Policy)
	served("app[1]", 3, cutOne)
	served("", 1, synth.Shape{Keep: synth.KeepNone, End: synth.FIN})
	served("app[0]", 4, synth.Shape{Group: record.Control})
	fault(100*ms, sec)(b)
	got := verdict.Judge(&b.Run).Scenarios[0].Replicas
	want := []string{"app[0] 4 0 4 complete 0 aborted", "app[1] 3 3 0 complete 3 aborted", " 1 0 0 complete 1 aborted"}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, r := range got {
		if s := fmt.Sprintf("%s %d %d %d complete %d aborted", r.Name, r.Started, r.Struck, r.Outcomes[verdict.Complete],
			r.Outcomes[verdict.Aborted]); s != want[i] {
			t.Errorf("got %q, want %q", s, want[i])
		}
	}
}

func TestNobodySaysWhoServed(t *testing.T) {
	b := synth.New()
	b.Add(3, synth.Shape{})
	if r := verdict.Judge(&b.Run).Scenarios[0]; r.Replicas != nil || r.Clients != nil {
		t.Errorf("replicas %+v, clients %+v", r.Replicas, r.Clients)
	}
}

// TestClientsThatAskAgain: one gets its answer at the third attempt, one never
// does, and the server began the work of one twice.
func TestClientsThatAskAgain(t *testing.T) {
	b := synth.New()
	b.Scenario(0).Policy.Checks = []string{string(verdict.Doubled)}
	cut := synth.Shape{Keep: 5, End: synth.FIN}
	for i, sh := range []synth.Shape{cut, cut, {}, cut, cut, {}} {
		b.Add(1, sh)
		if after := []uint64{0, 1, 2, 0, 4, 0}[i]; after > 0 {
			b.Run.Streams[i].After = after
		}
	}
	b.Ledger(record.Ledger{Stream: 3, Starts: 2})
	b.Ledger(record.Ledger{Stream: 5, Starts: 1})
	r := verdict.Judge(&b.Run).Scenarios[0]
	if want := (verdict.ClientsReport{Clients: 2, Again: 3, Whole: 1, Doubled: 1}); r.Clients == nil ||
		*r.Clients != want {
		t.Errorf("got %+v, want %+v", r.Clients, want)
	}
	for _, c := range r.Checks {
		if c.Name == "no stream is doubled" && c.Verdict == verdict.Fail {
			return
		}
	}
	t.Error("a request whose work was done twice fails no check")
}
