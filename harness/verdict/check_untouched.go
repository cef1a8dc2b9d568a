package verdict

import "github.com/streamproof/streamproof/harness/record"

// Untouched asks whether the streams that no fault of ours came near were
// complete. To fail cleanly is the right answer to a fault, not a way of life:
// an app that answers 500 to everybody must not pass. What [Must] refuses already
// is not said twice.
type Untouched struct{}

func (Untouched) Check(s *Scope) Answer {
	const name = "untouched streams complete"
	b := s.judge(func(g *Graded) bool {
		return (g.Untouched() || s.endedBefore(g)) && g.Group != record.Baseline && !g.Group.Alone() && s.allowed(g) &&
			!sentAway(g) && !(s.Scenario.Policy.Sheds && turnedAway(g))
	},
		func(g *Graded) bool { return g.Grade.Outcome == Complete })
	switch {
	case b.judged == 0:
		return Answer{}
	case b.total == 0:
		return pass(name, next(FactUntouched)).counts(b)
	}
	if why, ok := s.excusedByTime(&b); ok {
		return unsure(name, next(NextQuiet), b.but(FactBut, why)).about(b.all)
	}
	return fail(name, next(FactBroke)).counts(b)
}

// turnedAway reports whether a stream was refused in words before any of its answer
// came. One that was let in and then failed was not.
func turnedAway(g *Graded) bool {
	return g.Grade.Outcome == FailedClean && (g.Status >= 400 || g.Contents == 0)
}

// endedBefore reports whether a stream was meant for the fault and was over when that struck.
func (s *Scope) endedBefore(g *Graded) bool {
	return g.Group == record.Victim && !g.Struck && s.Active != record.Never && !lasted(g.Stream, s.Active)
}

// ControlSeen asks whether a scenario that keeps streams out of its fault's way
// saw at least one of them complete: without it, nothing tells the fault's
// effect from a general failure.
type ControlSeen struct{}

func (ControlSeen) Check(s *Scope) Answer {
	const name = "control group seen"
	n, complete := 0, 0
	for g := range s.InGroup(record.Control) {
		n++
		if g.Grade.Outcome == Complete {
			complete++
		}
	}
	switch {
	case n == 0:
		return Answer{}
	case complete == 0:
		return unsure(name, next(NextControl), fact{Kind: FactNoControl, Of: n}).obliges().inAnyPart()
	default:
		return pass(name, fact{Kind: FactControl, N: complete, Of: n}).obliges().inAnyPart()
	}
}
