package verdict

import (
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// Gateways that imitate an API often end an answer without closing what it opened:
// message_stop follows the last delta, with no content_block_stop between. Clients do
// not mind. The same is what a gateway makes of an upstream that was cut, when it adds
// the terminal itself. Which of the two it is, the server's other answers tell: a server
// that closes nothing in any of them has that habit, and one that closes has lost
// something where it does not.

// An unclosed is what is known of answers that left something open at their terminal.
type unclosed struct {
	open, calm int // answers that did so, and those of them that no fault was meant for
	closing    int // answers that closed what they opened
	example    *record.Stream
}

// unclosedIn looks at all streams of a run.
func unclosedIn(run *record.Run) (u unclosed) {
	faulty := map[string]bool{}
	for i := range run.Plan.Scenarios {
		faulty[run.Plan.Scenarios[i].ID] = run.Plan.Scenarios[i].Fault != ""
	}
	for i := range run.Streams {
		s := &run.Streams[i]
		switch {
		case s.Content.State != stream.Complete:
		case s.Content.Unclosed != "":
			if u.open++; u.example == nil {
				u.example = s
			}
			if !faulty[s.Scenario] || s.Group == record.Control {
				u.calm++
			}
		case s.Content.Closes:
			u.closing++
		}
	}
	return u
}

// habit reports whether the server never closes, also where nothing was done to it.
func (u unclosed) habit() bool { return u.closing == 0 && u.calm > 0 }

// unfinished is an answer that lacks what the server's other answers close, and what
// that is.
func (u unclosed) unfinished(st *record.Stream) (*record.Stream, *fact) {
	if st.Content.Unclosed == "" || st.Content.State != stream.Complete || u.habit() {
		return st, nil
	}
	own := *st
	c := &own.Content
	c.State, c.Fault, c.Why = stream.Corrupt, stream.Misnested, ""
	return &own, &fact{Kind: FactStillOpen, Name: c.Unclosed, N: u.closing}
}

// unclosedDoubts says that answers count as complete although they left something open.
func (s *Scope) unclosedDoubts() []Doubt {
	n := 0
	for i := range s.Streams {
		if c := &s.Streams[i].Content; c.Unclosed != "" && c.State == stream.Complete {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return []Doubt{doubtOn("completeness", fact{Kind: FactUnclosed, N: n, Name: s.unclosed.example.Content.Unclosed},
		next(NextCloseEvents))}
}
