package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// takeUp is how long an old process may still take streams: it takes up the reload
// when it comes to it.
const takeUp = 300 * time.Millisecond

// stopLimit is how long after a reload an edge may still end the streams of its
// old processes, where nobody knows its setting.
const stopLimit = 10 * time.Minute

// stoppedByLog (E10) is for an edge that somebody else reloaded or stopped: its
// log says so, and streams that it served then were cut together at that time or
// later. It is often reloaded since an app died, whose recorded end then explains the cuts.
func (v *view) stoppedByLog() []*finding {
	for _, h := range v.tags[edgeStopped] {
		if h.line.At == record.Never || !h.log.Kind.Edge() || v.drainsFully(h) {
			continue
		}
		gs := v.take(func(g *verdict.Graded) bool {
			return isCut(g) && !g.Struck && v.edge.mayPass(g) && startOf(g) <= h.line.At+h.line.Within+takeUp &&
				g.End >= h.line.At-closeBy && g.End <= h.line.At+stopLimit
		})
		gs = v.without(gs, diedByKill, diedByExit, diedByMemory, diedByTimeout, diedByException)
		gs = atOneMoment(gs)
		if len(gs) == 0 {
			continue
		}
		confidence := certain
		after := gs[0].End - h.line.At
		if after > lineAfter+h.line.Within {
			confidence = likely // another thing may have come between
		}
		switch {
		case len(gs) < minCluster && confidence == likely:
			continue
		case len(gs) < minCluster:
			confidence = likely
		}
		return one(found(EdgeReloaded, layerEdge, confidence, gs).
			tell(fact{Kind: FactEdgeStopped, Name: v.edge.product.String(), N: len(gs), Took: max(after, 0)}).
			show(h.cited()).see(tightest(gs)).show(v.accessLine(gs[0])).
			notIf(len(gs) >= minCluster, "application error mid-stream",
				fact{Kind: NotOneMoment}))
	}
	return nil
}

// drainsFully reports whether a line is of a reload that ends no stream: the old
// workers of our own nginx have no time limit, so that they serve theirs to the end.
func (v *view) drainsFully(h hit) bool {
	limit := settings(v.Scope, "nginx", "worker_shutdown_timeout")
	return h.log.Kind == record.NginxError && strings.Contains(h.line.Text, "(SIGHUP)") && !v.Run.Attached() &&
		limit != "" && lasting(limit) == 0
}

// atOneMoment keeps the streams that ended together with most others.
func atOneMoment(gs []*verdict.Graded) []*verdict.Graded {
	gs = slices.Clone(gs)
	slices.SortStableFunc(gs, func(a, b *verdict.Graded) int { return int(a.End - b.End) })
	var best []*verdict.Graded
	for i := range gs {
		j := i
		for j < len(gs) && gs[j].End <= gs[i].End+instant {
			j++
		}
		if j-i > len(best) {
			best = gs[i:j]
		}
	}
	return best
}
