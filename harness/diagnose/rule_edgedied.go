package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// edgeDied explains cuts by the death of a process of the edge: its log says so, and the
// streams that this process served ended at that moment. It wrote no line about them any
// more, and the app has not ended by anybody's word.
type edgeDied struct{}

func (edgeDied) match(v *view) []*finding {
	var fs []*finding
	for _, h := range v.tags[edgeWorkerDied] {
		if f := v.diedWith(h); f != nil {
			fs = append(fs, f)
			v.explain(f)
		}
	}
	return fs
}

// diedWith are the streams that ended with a process of the edge. One or two may have ended
// then by chance, where others were cut at other moments; a line without a time says of no
// moment that it is the one.
func (v *view) diedWith(h hit) *finding {
	cut := v.take(func(g *verdict.Graded) bool {
		return isCut(g) && !g.Struck && v.edge.mayPass(g) && !v.toldOfEnd(g)
	})
	gs := keep(cut, func(g *verdict.Graded) bool {
		return h.line.At == record.Never || startOf(g) <= h.line.At+h.line.Within && g.End >= h.line.At-closeBy &&
			g.End <= h.line.At+h.line.Within+instant
	})
	gs = v.without(gs, diedByKill, diedByExit, diedByMemory, diedByTimeout, diedByException)
	gs = atOneMoment(gs)
	if len(gs) == 0 {
		return nil
	}
	f := found(CutByEdge, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgeWorkerDied, Name: v.edge.product.String(), N: len(gs)}).
		show(h.cited()).see(tightest(gs), say(gs[0]), v.neighbours(gs))
	switch {
	case h.line.At == record.Never || len(gs) < minCluster && len(gs) < len(cut):
		f.Confidence = possible
		f.or(unknownSide.name, unknownSide.why).settle(v.keepEdgeLog())
	case len(gs) < minCluster:
		f.Confidence = likely
	}
	return f
}

// toldOfEnd reports whether the edge wrote a line at the end of the stream: the process that
// served it lived.
func (v *view) toldOfEnd(g *verdict.Graded) bool {
	a, ok := v.accessOf(g)
	return ok && a.log.Kind.Edge()
}

// limitSaid are the lines of the app that one of its limits is reached, while one of gs
// waited or was turned away.
func (v *view) limitSaid(gs []*verdict.Graded) []hit {
	return keepHits(v.tags[limitReached], func(h hit) bool {
		return h.line.At != record.Never && slices.ContainsFunc(gs, func(g *verdict.Graded) bool {
			until := g.First
			if until == record.Never {
				until = g.End
			}
			return g.MayBeOn(h.log.Replica()) && h.line.At+h.line.Within >= startOf(g) && h.line.At <= until+lineAfter
		})
	})
}

// noFilesAtEdge are the lines of an edge that it may open no more files: it takes no
// connection, or makes none to the app.
func (v *view) noFilesAtEdge() []hit {
	return keepHits(v.tags[noFiles], func(h hit) bool { return h.log.Kind.Edge() })
}

func keepHits(hits []hit, which func(hit) bool) (out []hit) {
	for _, h := range hits {
		if which(h) {
			out = append(out, h)
		}
	}
	return out
}
