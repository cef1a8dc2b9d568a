package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The hops of a chain that are not the app.
const (
	upstreamHop = "upstream"
	nginxHop    = record.NginxHop
	foreignHop  = record.ForeignHop
	edgeHop     = "edge"
)

// hopNames are the hops of a peeled chain from the app outward.
var hopNames = []string{appHop, upstreamHop, nginxHop, foreignHop, edgeHop}

// hop is the innermost hop at which the finding's streams were asked for, 0 for
// the app: what goes wrong there is to be mended first. Where nothing is peeled
// all findings are alike.
func (f *finding) hop() int {
	inmost := len(hopNames)
	for _, g := range f.streams {
		if i := slices.Index(hopNames, g.Hop); i >= 0 {
			inmost = min(inmost, i)
		}
	}
	return inmost
}

// launderedAsWell names the edge where one cause explains streams that are
// visibly cut behind it and end cleanly in front of it: the app's fault is one
// thing, that nobody can see it is another.
func (v *view) launderedAsWell(found []*finding) []*finding {
	if !v.Scenario.Peel || !v.edge.known || !v.edge.old {
		return nil
	}
	var gs []*verdict.Graded
	cut := 0
	for _, f := range found {
		if f.Cause.Cause == LaunderedByEdge {
			return nil
		}
		if f.rank() > 1 {
			continue
		}
		for _, g := range f.streams {
			switch passed := v.edge.passed(g); {
			case passed && g.Grade.Outcome == verdict.Truncated:
				gs = append(gs, g)
			case !passed && g.Grade.Outcome == verdict.Aborted:
				cut++
			}
		}
	}
	if cut == 0 || len(gs) == 0 || v.direct.clean > 0 {
		return nil
	}
	return one(behindAndInFront(gs, cut))
}

// behindAndInFront is B9, seen by the two sides of the edge.
func behindAndInFront(gs []*verdict.Graded, cut int) *finding {
	return found(LaunderedByEdge, layerEdge, certain, gs).
		tell(fact{Kind: FactCutBehindEdge, N: len(gs)}).
		see(fact{Kind: FactAbortedBehind, N: cut}, framingLine(gs[0])).
		not("silent truncation by the app", fact{Kind: NotCutVisibly})
}
