package diagnose

import (
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// overheard explains ends that no rule has a word for by what the logs say in words
// that nobody taught us: the app finished what clients did not get, or it wrote a
// line of its own at each of the ends and nowhere else.
func (v *view) overheard(gs []*verdict.Graded) *finding {
	if p := v.produced(gs); p != nil && p.lost {
		return v.lostOnTheWay(gs, p)
	}
	c, ok := v.ownWords(gs)
	if !ok {
		return nil
	}
	return found(AppError, layerApp, likely, gs).
		tell(fact{Kind: FactEndedItself, N: len(gs), Need: c.bad}).
		show(c.cited()).see(say(gs[0]), shape(gs), v.neighbours(gs)).
		notIf(v.noExit(gs), "worker killed", fact{Kind: NotExited})
}

// lostOnTheWay is for answers that the app finished.
func (v *view) lostOnTheWay(gs []*verdict.Graded, p *production) *finding {
	name, layer := ConnectionCut, layerNetwork
	if v.edge.passed(gs[0]) {
		name, layer = CutByEdge, layerEdge
	}
	return found(name, layer, likely, gs).
		tell(fact{Kind: FactLostBetween, N: len(gs)}).
		see(p.fact().Fact()).see(say(gs[0]), shape(gs)).show(v.accessLine(gs[0])).
		not(AppError, fact{Kind: NotFinished}).
		mend(fact{Kind: MendBetween}).
		settle(v.peel(fact{Kind: WhyWhereLost}))
}

// ownWords is the line of the app's own that goes with nearly all of the ends. A
// line that only answers to a closed connection says nothing of who closed it.
func (v *view) ownWords(gs []*verdict.Graded) (companion, bool) {
	for _, c := range v.companions(gs) {
		_, access := logline.ParseAccess(c.log.Kind, c.first.line.Text)
		if c.strong && c.log.Kind == record.AppLog && 10*c.bad >= 9*c.badOf && !access &&
			!logline.Reacts(c.first.line.Text) {
			return c, true
		}
	}
	return companion{}, false
}
