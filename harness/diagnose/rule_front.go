package diagnose

import "slices"

// cutInFront is for streams whose client hung up, as the edge that we have the log of says
// of nearly all, while we did not: something between us and that edge ended them.
type cutInFront struct{}

func (cutInFront) match(v *view) []*finding {
	hits := v.tags[clientLeft]
	gs := keep(v.unexplainedEnds(), v.edge.mayPass)
	left := v.near(gs, hits)
	if len(left) < 2 || 10*len(left) < 9*len(gs) {
		return nil
	}
	told := v.near(left, slices.Concat(v.tags[upstreamTimeout], v.tags[totalTimeout], v.brokeOff(), v.tags[edgeGaveUp]))
	if len(told) > 0 { // the edge itself, or the app, ended some of these
		return nil
	}
	return one(found(ConnectionCut, layerNetwork, likely, left).
		tell(fact{Kind: FactClientLeft, Name: v.edge.product.String(), N: len(left)}).
		show(cite(hits, 3)...).see(say(left[0]), shape(left)).
		not(AppError, fact{Kind: NotBehindEdge}).
		mend(fact{Kind: MendEnterEachHop}).
		settle(v.settleLayers()))
}
