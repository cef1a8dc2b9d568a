package verdict

import (
	"net/http"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Must asks whether every stream ended in a way that is allowed:
// complete, failed cleanly, or cut by what the scenario itself did.
type Must struct{}

const endWell = "streams complete or fail cleanly"

func (Must) Check(s *Scope) Answer {
	const name = endWell
	b := s.judge(func(g *Graded) bool { return g.Group != record.Probe }, s.allowed) // a probe meets what others left
	switch {
	case b.judged == 0:
		return Answer{}
	case b.total == 0:
		return pass(name, next(FactOutcomes)).counts(b)
	case !slices.ContainsFunc(b.all, func(g *Graded) bool { return !s.Unending(g) }):
		return unsure(name, next(NextEndless), fact{Kind: FactUnending, N: b.total, Of: b.judged}).about(b.all)
	}
	if why, ok := s.excusedByTime(&b); ok {
		return unsure(name, next(NextQuiet), b.but(FactButSilent, why)).about(b.all)
	}
	return fail(name, next(FactBroke)).counts(b)
}

// waited reports whether g ended because we had waited for too long: for bytes of
// an answer, for its head, for a connection.
func waited(g *Graded) bool {
	return g.Grade.Outcome == Stalled || g.Grade.Outcome == Refused && g.Limit != record.NoLimit
}

// byTime reports whether g ended because somebody had waited for too long: we, an idle
// timer of something on the way, or a gateway that says so. Whoever caused the silence
// caused the end.
func byTime(g *Graded) bool { return waited(g) || cutInSilence(g) || gatewayTimedOut(g) }

// timerSilence is the least silence that an idle timer on the way is taken to end.
const timerSilence = time.Second

// cutInSilence reports whether g was cut after a silence, as by an idle timer.
func cutInSilence(g *Graded) bool {
	if g.Struck || g.Grade.Outcome != Aborted && g.Grade.Outcome != Truncated {
		return false
	}
	from, to := silence(g)
	return to-from >= timerSilence
}

// gatewayTimedOut reports whether a gateway had waited for too long for the head of an
// answer (504, RFC 9110 section 15.6.5).
func gatewayTimedOut(g *Graded) bool {
	return g.Grade.Outcome == FailedClean && g.Status == http.StatusGatewayTimeout
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
// grants after its fault struck, the last time before the stream.
func (s *Scope) recovering(g *Graded) bool {
	if s.Active == record.Never || !lasted(g.Stream, s.Active) {
		return false
	}
	start := startOf(g.Stream)
	blow := s.blowBefore(start)
	return start-s.outOfService(blow, start) <= blow+s.Scenario.Policy.Recovery
}
