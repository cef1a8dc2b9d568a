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
		return pass(name, "").counts(b, sayJudged)
	case c.Flag == Buffered && slices.ContainsFunc(b.all, (*Graded).collected):
		// no excuse
	case c.Flag.timing():
		if why, n := s.excuses(b.all, c.Flag.delay); n == b.total {
			return unsure(name, settleBusy, "%d of %d streams (first: #%d%s), but %s", b.total, b.judged, b.first.Seq,
				comma(flagWhy(c.Flag, b.first)), why).about(b.all)
		}
	}
	if c.Flag == Buffered && !slices.ContainsFunc(b.all, (*Graded).surelyHeld) {
		return unsure(name, s.settleShape(), "%d of %d streams (first: #%d%s); asked directly, would the app do the same?",
			b.total, b.judged, b.first.Seq,
			comma(flagWhy(c.Flag, b.first))).about(b.all)
	}
	if c.Flag == Buffered && s.Scenario.Policy.LeftToEdge {
		return s.inapplicable(name, "send X-Accel-Buffering: no with every stream, or turn buffering off at your edge; to "+
			"have this judged name the edge (edge.form) or the scenario",
			"the app leaves it to the edge not to buffer, and nothing says that yours does: behind nginx with its defaults %d "+
				"of %d streams are held back (first: #%d%s)",
			b.total, b.judged, b.first.Seq, comma(flagWhy(c.Flag, b.first))).about(b.all)
	}
	b.why = flagWhy(c.Flag, b.first)
	return fail(name, "").counts(b, sayFirst)
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
func flagWhy(f Flag, g *Graded) string {
	switch f {
	case Late:
		if d, ok := TTFE(g.Stream); ok {
			return "first event after " + seconds(d)
		}
		return "no first event"
	case Gappy:
		return "silent for " + seconds(g.MaxGap)
	case Buffered:
		return g.heldWhy()
	case Lingering:
		return "left open for " + seconds(max(g.Wire.Lingered, 0))
	default:
		return g.Grade.Why
	}
}
