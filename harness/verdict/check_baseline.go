package verdict

import "github.com/streamproof/streamproof/harness/record"

// Baseline asks whether the streams before the fault were complete. One that was
// not failed on its own: "failed before the fault".
type Baseline struct{}

func (Baseline) Check(s *Scope) Answer {
	const name = "baseline complete"
	b := s.judge(func(g *Graded) bool { return g.Group == record.Baseline && !sentAway(g) },
		func(g *Graded) bool { return g.Grade.Outcome == Complete })
	switch {
	case b.total > 0:
		if why, ok := s.excusedByTime(&b); ok {
			return unsure(name, next(NextQuiet), b.but(FactBut, why)).obliges().about(b.all)
		}
		return fail(name, fact{Kind: FactBeforeFault, About: []fact{b.as(FactBroke)}}).obliges().about(b.all)
	case b.judged > 0:
		return pass(name, fact{Kind: FactBaseline, N: b.judged}).obliges()
	case s.Scenario.Policy.Faulty && len(s.Streams) > 0:
		return unsure(name, next(NextBeforeFault), fact{Kind: FactNoBaseline}).obliges()
	default:
		return Answer{}
	}
}
