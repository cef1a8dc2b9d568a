package diagnose

import "github.com/streamproof/streamproof/harness/verdict"

// edgeGaveUpRule is for answers that an edge ended by closing its own connection to
// the app. Proxies written in Go do so where the app answers before it has read the
// request: the response closes the client's body, the copy of it fails, and the
// connection with it (net/http: Transport, persistConn.writeLoop).
type edgeGaveUpRule struct{}

func (edgeGaveUpRule) match(v *view) []*finding {
	hits := v.tags[edgeGaveUp]
	gs := v.near(v.take(func(g *verdict.Graded) bool { return cameShort(g) && !g.Struck && v.edge.mayPass(g) }), hits)
	if len(gs) == 0 {
		return nil
	}
	return one(found(CutByEdge, layerEdge, certain, gs).
		tell(fact{Kind: FactEdgeGaveUp, Name: v.edge.product.String(), N: len(gs), About: []fact{asIfWhole(gs)}}).
		show(cite(hits, 3)...).see(say(gs[0])).
		not(AppError, fact{Kind: NotEdgeClosed}))
}
