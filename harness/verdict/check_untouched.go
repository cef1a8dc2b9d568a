package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Untouched asks whether the streams that no fault of ours came near were
// complete. To fail cleanly is the right answer to a fault, not a way of life:
// an app that answers 500 to everybody must not pass. Streams that were meant for the
// fault count as well if they were over before it, or began when the service was well
// again. What [Must] refuses already is not said twice.
type Untouched struct{}

const untouched = "untouched streams complete"

func (Untouched) Check(s *Scope) Answer {
	const name = untouched
	again, lastWhole := s.wellAgain(), s.lastWhole()
	b := s.judge(func(g *Graded) bool {
		return (g.Untouched() || s.endedBefore(g) || begunAfter(g, again)) &&
			g.Group != record.Baseline && !g.Group.Alone() && s.allowed(g) && !sentAway(g) &&
			!(s.Scenario.Policy.Sheds && turnedAway(g))
	},
		func(g *Graded) bool {
			return g.Grade.Outcome == Complete || begunAfter(g, again) && s.recovering(g) && startOf(g.Stream) < lastWhole
		})
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

// begunAfter reports whether a stream was meant for the fault and began only when the
// service was well again.
func begunAfter(g *Graded, again time.Duration) bool {
	return g.Group == record.Victim && !g.Struck && again != record.Never && startOf(g.Stream) > again
}

// wellAgain is when the service was seen to be well after all of the fault was taken
// back: at the first event of the first whole recovery stream that no bad one follows.
// Never where it was not.
func (s *Scope) wellAgain() time.Duration {
	if s.Healed == record.Never || s.stands() {
		return record.Never
	}
	p := s.probes(s.Healed)
	if p.well == nil {
		return record.Never
	}
	return max(p.well.First, startOf(p.well.Stream))
}

// stands reports whether a part of the fault was not taken back.
func (s *Scope) stands() bool {
	n := 0
	for _, w := range s.Windows {
		switch w.Phase {
		case record.Active:
			n++
		case record.Healed:
			n--
		}
	}
	return n > 0
}

// lastWhole is when the last whole one of the streams began that the fault may have met.
// What was refused before it, in the time that the app has to recover, was not refused
// for good.
func (s *Scope) lastWhole() time.Duration {
	last := record.Never
	for i := range s.Streams {
		if g := &s.Streams[i]; g.Grade.Outcome == Complete && (g.Group == record.Victim || g.Group == record.Recovery) {
			last = max(last, startOf(g.Stream))
		}
	}
	return last
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
