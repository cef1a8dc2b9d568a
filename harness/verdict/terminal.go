package verdict

import (
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A terminal expression is the user's guess. One that matches events which others
// follow proves nothing: a stream that is cut behind such an event would look
// whole. Where most streams of a run show that, none of its terminals is believed;
// where most end with the event, the few that go on behind it are the server's
// fault.

// A loose is what is known about a terminal expression that matches too much.
type loose struct {
	early, sound int // streams with events behind a match, and without
	example      *record.Stream
}

// looseTerminal looks at all streams of a run.
func looseTerminal(run *record.Run) (l loose) {
	if d, ok := run.Plan.ReadAs(); !ok || !d.NeedsTerminal {
		return l
	}
	for i := range run.Streams {
		switch s := &run.Streams[i]; {
		case s.Content.Early > 0:
			if l.early++; l.example == nil {
				l.example = s
			}
		case s.Content.Terminals > 0:
			l.sound++
		}
	}
	return l
}

// disproved reports whether the expression is not to be believed.
func (l loose) disproved() bool { return l.early > l.sound }

// LooseTerminal reports whether the run's terminal expression matches events that
// others follow, so that no stream of it counts as proved.
func (s *Scope) LooseTerminal() bool { return s.loose.disproved() }

// disbelieve is a stream without its terminals, and why it is not whole then.
func disbelieve(st *record.Stream) (_ *record.Stream, why *fact) {
	if st.Content.Terminals == 0 {
		return st, nil
	}
	own := *st
	c := &own.Content
	c.Terminals, c.AfterTerminal, c.Unprovable = 0, 0, true
	if c.State == stream.Complete || c.State == stream.Corrupt && c.Fault == stream.AfterTerminal {
		c.State, c.Fault = stream.Prefix, ""
		c.Why, why = "", &fact{Kind: FactNothingProves}
	}
	return &own, why
}

// Terminal asks whether the terminal expression tells the end from the middle.
type Terminal struct{}

func (Terminal) Check(s *Scope) Answer {
	const name = "terminal expression matches the last event only"
	if !s.loose.disproved() {
		return Answer{}
	}
	var all []*Graded
	for i := range s.Streams {
		if g := &s.Streams[i]; g.Content.Unprovable || g.Content.Early > 0 {
			all = append(all, g)
		}
	}
	if len(all) == 0 {
		return Answer{}
	}
	e, ends := s.loose.example, Ends(s.Run)
	early := fact{Kind: FactEvent, N: e.Content.Early, Of: e.Frames - e.Heartbeats, Stream: e.Seq}
	return unsure(name, fact{Kind: NextTerminal, Text: strings.Join(ends[:min(1, len(ends))], "")},
		fact{Kind: FactLooseTerminal, N: s.loose.early, Of: s.loose.early + s.loose.sound, About: []fact{early}},
	).about(all).obliges()
}

// Ends are the terminal expressions that match the last event, and no other, of
// every stream of the run that ended as an answer does.
func Ends(run *record.Run) []string {
	var common []string
	first := true
	for i := range run.Streams {
		s := &run.Streams[i]
		if s.Status < 200 || s.Status >= 300 || !whole(s) || s.Content.Errors > 0 || s.Frames == s.Heartbeats ||
			s.Partial > 0 || s.Limit != record.NoLimit {
			continue
		}
		if first {
			common, first = append(common, s.Content.Ends...), false
			continue
		}
		common = both(common, s.Content.Ends)
	}
	return common
}

func both(a, b []string) []string {
	var out []string
	for _, x := range a {
		for _, y := range b {
			if x == y {
				out = append(out, x)
			}
		}
	}
	return out
}
