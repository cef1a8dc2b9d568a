package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// Flags lists all flags in the order in which reports show them.
var Flags = []Flag{Late, Gappy, Slowed, Buffered, Lingering, Ragged, Leaked, Doubled, Unprovable, Repeated, ErrorThen}

// DefaultChecks are the flags that fail a scenario which says nothing else: all
// but ragged, which is harmless to most clients, and unprovable, which no
// scenario passes with anyway.
var DefaultChecks = []string{string(Late), string(Gappy), string(Buffered), string(Lingering), string(Leaked),
	string(Repeated), string(ErrorThen)}

// timing reports whether f is about time: our own faults and a generator that
// could not keep up cause such flags as well as the app does.
func (f Flag) timing() bool {
	return f == Late || f == Gappy || f == Slowed || f == Buffered || f == Lingering
}

// Has reports whether the grade bears f.
func (g Grade) Has(f Flag) bool { return slices.Contains(g.Flags, f) }

func flagsOf(s *record.Stream, p *record.Policy, g Grade) []Flag {
	var flags []Flag
	add := func(f Flag, ok bool) {
		if ok {
			flags = append(flags, f)
		}
	}
	add(Late, late(s, p))
	add(Gappy, gappy(s, p))
	add(Buffered, BufferingOf(s).Buffered())
	add(Lingering, g.Ending == OpenAtEnd || s.Wire.Lingered >= lingerBound(p))
	add(Ragged, g.Ending == CutAtTerminal)
	add(Unprovable, unprovable(s) && g.Outcome == Complete && g.Ending != FeedRead)
	add(Repeated, s.Content.Terminals > 1)
	add(ErrorThen, errorEvents(s) > 0 && s.Content.Terminals > 0)
	return flags
}

// errorEvents counts the events that report an error. A reason that names a failure
// stands in an event of its API, and its sentinel behind it is as that has it.
func errorEvents(s *record.Stream) int {
	if s.Content.Failing {
		return s.Content.Errors - 1
	}
	return s.Content.Errors
}

// late compares the first event with the user's bound, or else with the silence
// that would count as a stall later on.
func late(s *record.Stream, p *record.Policy) bool {
	if s.Limit == record.FirstLimit {
		return true
	}
	bound := p.Thresholds.FirstEvent
	if bound == 0 {
		bound = p.GapLimit
	}
	ttfe, ok := TTFE(s)
	return ok && bound > 0 && ttfe > bound
}

func gappy(s *record.Stream, p *record.Policy) bool {
	bound := p.Thresholds.MaxGap
	if bound == 0 {
		bound = p.GapLimit
	}
	return bound > 0 && s.MaxGap > bound
}
