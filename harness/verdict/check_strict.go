package verdict

import "github.com/streamproof/streamproof/harness/record"

// Strict asks whether every stream was complete or failed cleanly, whatever the
// scenario did. It arises where the user asked for the strict policy.
type Strict struct{}

func (Strict) Check(s *Scope) Answer {
	const name = "strict: no stream is cut or refused"
	if !s.Run.Plan.Strict {
		return Answer{}
	}
	b := s.judge(func(g *Graded) bool { return g.Group != record.Probe }, func(g *Graded) bool {
		return g.Grade.Outcome == Complete || g.Grade.Outcome == FailedClean
	})
	switch {
	case b.judged == 0:
		return Answer{}
	case b.total == 0:
		return pass(name, next(FactJudged)).counts(b)
	default:
		return fail(name, next(FactBroke)).counts(b)
	}
}
