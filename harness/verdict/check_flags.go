package verdict

import "slices"

// A FlagCheck asks whether any stream bears a flag. Flags about time are not
// held against streams in the way of our own faults, and are doubtful where the
// generator did not keep up.
type FlagCheck struct{ Flag Flag }

func (c FlagCheck) Check(s *Scope) Answer {
	name := "no stream is " + string(c.Flag)
	if c.Flag == Unprovable {
		return Answer{} // asked by Provable, for whatever policy
	}
	b := s.judgeFlag(c.Flag)
	switch {
	case b.judged == 0:
		return Answer{}
	case b.total == 0:
		return pass(name, next(FactJudged)).counts(b)
	case c.Flag == Buffered && slices.ContainsFunc(b.all, (*Graded).collected):
		// no excuse
	case c.Flag.timing():
		if why, n := s.excuses(b.all, c.Flag.delay); n == b.total {
			b.why = flagWhy(c.Flag, b.first)
			return unsure(name, next(NextQuiet), fact{Kind: FactBut, About: []fact{b.as(FactFirst), why.fact()}}).about(b.all)
		}
	}
	b.why = flagWhy(c.Flag, b.first)
	if c.Flag == Buffered && !slices.ContainsFunc(b.all, (*Graded).surelyHeld) {
		return unsure(name, s.settleShape(), fact{Kind: FactAsItself, About: []fact{b.as(FactFirst)}}).about(b.all)
	}
	if c.Flag == Buffered && s.Scenario.Policy.LeftToEdge {
		return s.inapplicable(name, next(NextUnbuffer), fact{Kind: FactLeftToEdge, About: []fact{b.as(FactFirst)}}).about(b.all)
	}
	return fail(name, next(FactFirst)).counts(b)
}

// judgeFlag counts cancelled streams too: a server leaks precisely those.
func (s *Scope) judgeFlag(f Flag) bad {
	b := bad{tally: tally{n: make(map[Outcome]int)}}
	for i := range s.Streams {
		g := &s.Streams[i]
		if f.timing() && g.Struck || s.guest(g) {
			continue
		}
		if b.judged++; g.Grade.Has(f) {
			b.broke(g)
		}
	}
	return b
}

// flagWhy gives the number behind a flag.
func flagWhy(f Flag, g *Graded) *fact {
	switch f {
	case Late:
		if d, ok := TTFE(g.Stream); ok {
			return &fact{Kind: FactFirstEvent, Took: d}
		}
		return &fact{Kind: FactNoFirstEvent}
	case Gappy:
		return &fact{Kind: FactSilentFor, Took: g.MaxGap}
	case Buffered:
		return g.heldWhy()
	case Lingering:
		return &fact{Kind: FactLeftOpen, Took: max(g.Wire.Lingered, 0)}
	default:
		return g.Grade.Fact
	}
}
