package load

import (
	"math/rand/v2"
	"time"
)

// Sessions are conversations: a client sends a turn, takes the whole answer, thinks, and
// sends the next one, which may hold what was answered before. A turn that failed ends
// its session. The zero value lets each client have one turn, and no session.
//
//	turn 1 ── whole ── think ── turn 2 ── whole ── think ── turn 3
//	     └─ failed ─▶ over           └─ the load ended ─▶ over
type Sessions struct {
	Turns int // at most
	// A client thinks for a time between these, which Seed draws by the number of its
	// session and its turn: the same in whichever process.
	Least, Most time.Duration
	Seed        uint64
	// Answers is which texts of answers the bodies ask for.
	Answers Answers
}

// Answers say which texts of answers are put into later bodies.
type Answers int

const (
	NoAnswers Answers = iota
	LastAnswer
	AllAnswers
)

// think is how long the client of session n thinks after a turn.
func (s *Sessions) think(n uint64, turn int) time.Duration {
	if s.Most <= s.Least {
		return s.Least
	}
	r := rand.New(rand.NewPCG(s.Seed, Hash("think")+n*0x9e3779b97f4a7c15+uint64(turn)))
	return s.Least + time.Duration(r.Int64N(int64(s.Most-s.Least)+1))
}

// begin makes the client's first stream the first of a session, where there are any.
func (a *asker) begin() {
	s := &a.d.wave.Sessions
	if s.Turns == 0 {
		return
	}
	t := &a.job.Turn
	t.Session, t.N, t.Of, t.Say = a.job.Seq, 1, s.Turns, s.Answers != NoAnswers
	if a.d.wave.Request != nil {
		if a.bodies = a.d.wave.Request(a.seq).Turns; a.bodies != nil {
			t.Of = min(t.Of, len(a.bodies))
		}
	}
}

// talking reports whether the client's session may go on after the last stream.
func (a *asker) talking() bool {
	t := &a.job.Turn
	return t.Session > 0 && a.d.wave.Whole(a.last)
}

// think decides whether another turn follows, and after how long. Where it would begin
// after the end of the wave the client thinks until then, and keeps its slot: the load
// must not grow because others come in its place.
func (a *asker) think() (wait time.Duration, again bool) {
	if a.job.Turn.N >= a.job.Turn.Of {
		return 0, false
	}
	a.due = a.last.End + a.d.wave.Sessions.think(a.seq, a.job.Turn.N)
	if p := a.d.pace; p.end > 0 && a.due >= p.end {
		a.due, a.beyond = p.end, true
	}
	a.turned, a.retrying, a.retries, a.reconnects = true, false, 0, 0
	return max(0, a.due-a.d.tap.Now()), true
}

// turn makes the job of the last turn that of the next.
func (a *asker) turn() {
	j := &a.job
	j.After, j.Late, j.Sched = 0, false, a.due
	j.Ask.Nonce, j.Ask.Resume, j.Header = "", 0, a.header
	a.lastID, a.retry, a.turned = "", 0, false
	t := &j.Turn
	switch a.d.wave.Sessions.Answers {
	case AllAnswers:
		t.Answers = append(t.Answers[:len(t.Answers):len(t.Answers)], a.said)
	case LastAnswer: // of the others the length counts
		t.Answers = append(make([]string, t.N-1, t.N), a.said)
	}
	if t.N++; a.bodies != nil {
		j.Body = a.bodies[t.N-1]
	}
	a.said, a.resumed = "", false
}

// hear keeps what an answer said. Where its client had asked for the rest of one, it is
// what follows; a retry, or a stream that began anew, starts again.
func (a *asker) hear(text string) {
	if a.resumed {
		a.said += text
		return
	}
	a.said = text
}
