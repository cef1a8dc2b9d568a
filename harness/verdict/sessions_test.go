package verdict

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// TestSessionsAreCounted: what became of a session is what became of its last stream,
// whatever the order in which streams are met.
func TestSessionsAreCounted(t *testing.T) {
	type one struct {
		seq, session uint64
		turn, turns  int
		outcome      Outcome
	}
	all := []one{
		{1, 1, 1, 3, Complete}, {101, 1, 2, 3, Complete}, {201, 1, 3, 3, Complete}, // finished
		{2, 2, 1, 3, Complete}, {102, 2, 2, 3, Refused}, {202, 2, 2, 3, Complete}, // tried again; then the load ended
		{3, 3, 1, 3, Complete}, {103, 3, 2, 3, Aborted}, // failed
		{4, 4, 1, 2, Cancelled}, // stopped
		{5, 5, 1, 1, Complete},  // finished, of one turn
		{6, 0, 0, 0, Complete},  // no session
	}
	want := &SessionsReport{Sessions: 5, Turns: 3, Finished: 2, Failed: 1, Ended: 1, Stopped: 1, Unsent: 1 + 1 + 1, CutAnswers: 1}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}} {
		var sum talks
		for _, i := range order {
			x := all[i]
			st := &record.Stream{Seq: x.seq, Session: x.session, Turn: x.turn, Turns: x.turns, Send: 0, First: time.Duration(x.turn) * time.Second,
				MaxGap: time.Second, AnswerCut: x.seq == 101}
			sum.add(&Graded{Stream: st, Grade: Grade{Outcome: x.outcome}})
		}
		got := sum.report()
		by := got.ByTurn
		if got.ByTurn = nil; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		var line string
		for _, turn := range by {
			line += fmt.Sprint(turn.Turn, " ", turn.Started, " ", turn.Outcomes[Complete], " ", turn.TTFE.Max, " ", turn.Gap.N, "; ")
		}
		if line != "1 5 4 1 4; 2 4 2 2 2; 3 1 1 3 1; " {
			t.Errorf("by turn: %s", line)
		}
	}
	if (&talks{}).report() != nil {
		t.Error("no sessions are reported")
	}
}

// TestLaterTurnsAreNoLoad: a load that was not sent is not made up by later turns of what
// was, nor are late starts hidden among them.
func TestLaterTurnsAreNoLoad(t *testing.T) {
	sc := &record.Scenario{Load: record.LoadPlan{Turns: 3}}
	s := &Scope{Run: &record.Run{}, Scenario: sc, Waves: []record.Wave{{Asked: 100, Started: 150, Clients: 50}}}
	if a := (LoadReached{}).Check(s); a.Verdict != Inconclusive || a.Fact.N != 50 || a.Fact.Name != "session" {
		t.Errorf("%+v %+v", a, a.Fact)
	}
	s.Waves[0] = record.Wave{Asked: 100, Started: 150}
	if a := (LoadReached{}).Check(s); a.Verdict != Pass {
		t.Errorf("%+v", a)
	}
	s.Waves[0].LateStarts = 6
	for i := range 300 {
		s.Streams = append(s.Streams, Graded{Stream: &record.Stream{Seq: uint64(i), Session: 1, Turn: 1 + i/100}})
	}
	if a := (KeptUp{}).Check(s); a.Verdict != Inconclusive || a.Fact.Of != 100 {
		t.Errorf("%+v %+v", a, a.Fact)
	}
}

// TestSessionsAcrossParts: a session whose turns are judged in two parts is one session.
func TestSessionsAcrossParts(t *testing.T) {
	run := &record.Run{Plan: record.Plan{Scenarios: []record.Scenario{{ID: "s", Load: record.LoadPlan{Turns: 2}}}}}
	m := NewMerger(run)
	for n := 1; n <= 2; n++ {
		s := &Scope{Run: run, Scenario: &run.Plan.Scenarios[0], Active: record.Never, Healed: record.Never}
		for i := range uint64(3) {
			st := &record.Stream{Seq: 1 + i + 100*uint64(n-1), Scenario: "s", Group: record.Load, Session: 1 + i, Turn: n, Turns: 2}
			s.Streams = append(s.Streams, Graded{Stream: st, Grade: Grade{Outcome: Complete}})
		}
		m.Add(&record.Part{Run: run, N: n, Of: 2}, s, judgeScope(s))
	}
	got := m.Report().Scenarios[0].Sessions
	if got == nil || got.Sessions != 3 || got.Finished != 3 || got.Unsent != 0 || len(got.ByTurn) != 2 || got.ByTurn[1].Started != 3 {
		t.Errorf("%+v", got)
	}
}
