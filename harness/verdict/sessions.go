package verdict

import "github.com/streamproof/streamproof/harness/record"

// A SessionsReport counts the conversations of a load and what became of their turns.
type SessionsReport struct {
	Sessions int `json:"sessions"`
	Turns    int `json:"turns"` // that one was to have, at most
	// Finished got a whole answer to each of its turns. Of the others one turn Failed, or
	// the load Ended before the next, or we hung up and Stopped it.
	Finished int `json:"finished"`
	Failed   int `json:"failed"`
	Ended    int `json:"ended"`
	Stopped  int `json:"stopped"`
	Unsent   int `json:"unsent_turns"` // the turns that were not sent therefore
	// CutAnswers is how many answers were too long to be put whole into the next turn.
	CutAnswers int          `json:"cut_answers,omitempty"`
	ByTurn     []TurnReport `json:"by_turn"`
}

// A TurnReport counts the streams of one turn. Times are seconds, over complete streams
// only; nil where there are none.
type TurnReport struct {
	Turn     int             `json:"turn"`
	Started  int             `json:"started"`
	Outcomes map[Outcome]int `json:"outcomes"`
	TTFE     *Quantiles      `json:"ttfe,omitempty"`
	Gap      *Quantiles      `json:"max_gap,omitempty"`
}

// A talks puts the streams of sessions together, in any order and without keeping them.
type talks struct {
	last map[uint64]talk // by the number of the session
	by   []turnTimes     // turn 1 first
	cut  int
}

// A talk is how far a session came.
type talk struct {
	seq         uint64 // of the last stream, which has the largest number
	turn, turns int
	outcome     Outcome
}

// A turnTimes is one turn of all sessions, and the times of its complete streams.
type turnTimes struct {
	report TurnReport
	times
}

func (t *talks) add(g *Graded) {
	if g.Session == 0 || g.Turn < 1 {
		return
	}
	if t.last == nil {
		t.last = map[uint64]talk{}
	}
	if x, ok := t.last[g.Session]; !ok || g.Seq > x.seq {
		t.last[g.Session] = talk{g.Seq, g.Turn, g.Turns, g.Grade.Outcome}
	}
	if g.AnswerCut {
		t.cut++
	}
	for len(t.by) < g.Turn {
		t.by = append(t.by, turnTimes{report: TurnReport{Turn: len(t.by) + 1, Outcomes: zeroOutcomes()}})
	}
	of := &t.by[g.Turn-1]
	of.report.Started++
	of.report.Outcomes[g.Grade.Outcome]++
	of.add(g)
}

// report is nil where there were no sessions.
func (t *talks) report() *SessionsReport {
	if len(t.last) == 0 {
		return nil
	}
	r := &SessionsReport{Sessions: len(t.last), CutAnswers: t.cut}
	for _, x := range t.last {
		r.Turns = max(r.Turns, x.turns)
		r.Unsent += max(0, x.turns-x.turn)
		switch {
		case x.outcome == Cancelled:
			r.Stopped++
		case x.outcome != Complete:
			r.Failed++
		case x.turn < x.turns:
			r.Ended++
		default:
			r.Finished++
		}
	}
	for _, of := range t.by {
		of.report.TTFE, of.report.Gap = QuantilesOf(of.ttfe), QuantilesOf(of.gaps)
		r.ByTurn = append(r.ByTurn, of.report)
	}
	return r
}

// sessions sums up the conversations of the scenario; nil where there were none.
func (s *Scope) sessions() *SessionsReport {
	var t talks
	for i := range s.Streams {
		if g := &s.Streams[i]; !s.guest(g) {
			t.add(g)
		}
	}
	return t.report()
}

// paced reports whether the load asked for a stream itself: not for a later turn of one
// that it had started.
func paced(s *record.Stream) bool { return s.Turn <= 1 }
