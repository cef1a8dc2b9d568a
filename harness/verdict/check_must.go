package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// Must asks whether every stream ended in a way that is allowed:
// complete, failed cleanly, or cut by what the scenario itself did.
type Must struct{}

func (Must) Check(s *Scope) Answer {
	const name = "streams complete or fail cleanly"
	b := s.judge(func(g *Graded) bool { return g.Group != record.Probe }, s.allowed) // a probe meets what others left
	switch {
	case b.judged == 0:
		return Answer{}
	case b.total == 0:
		return pass(name, "").counts(b, sayOutcomes)
	case !slices.ContainsFunc(b.all, func(g *Graded) bool { return !s.Unending(g) }):
		return unsure(name, "read a feed without an end for a time: --endless 10s,5; or raise limits.total",
			"%d of %d streams were still sending when our limit on their life ended them, and none came to an end: does this feed end?", b.total, b.judged).about(b.all)
	case !slices.ContainsFunc(b.all, func(g *Graded) bool { return !waited(g) }):
		if why, n := s.excuses(b.all, silence); n == b.total {
			return unsure(name, settleBusy, "%s, but %s, so the silence may not be the app's", b, why).about(b.all)
		}
	}
	return fail(name, "").counts(b, sayBroken)
}

// waited reports whether g ended because we had waited for too long: for bytes of
// an answer, for its head, for a connection.
func waited(g *Graded) bool {
	return g.Grade.Outcome == Stalled || g.Grade.Outcome == Refused && g.Limit != record.NoLimit
}

// allowed is the MUST column of the table of outcomes.
func (s *Scope) allowed(g *Graded) bool {
	p := &s.Scenario.Policy
	switch g.Grade.Outcome {
	case Complete, FailedClean, Cancelled, Unread:
		return true
	case Aborted:
		// Where the clients themselves are the trial, theirs are all in its way.
		return p.Kills && (g.Struck || !p.Faulty && g.Group == record.Victim)
	case Refused:
		return p.Refuses && s.recovering(g) || p.Kills && g.Struck
	default:
		return false
	}
}

// recovering reports whether a stream fell into the time that the scenario
// grants after its fault struck.
func (s *Scope) recovering(g *Graded) bool {
	if s.Active == record.Never || !lasted(g.Stream, s.Active) {
		return false
	}
	start := startOf(g.Stream)
	return start-s.outOfService(s.Active, start) <= s.Active+s.Scenario.Policy.Recovery
}
