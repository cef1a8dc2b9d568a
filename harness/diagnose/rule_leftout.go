package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// leftOut explains streams that the edge answered by itself, since it took every server of
// the app for dead. nginx leaves a server out for 10 s (fail_timeout) after one failure
// (max_fails), unless it is the only one, and tries none while that is so of all
// (ngx_http_upstream_module); others do so by health checks.
//
// The app is well meanwhile where the failure was one of the way to it: of a link that we
// took down, which has healed. Of an app that was gone itself the same line says that it
// is not back yet.
type leftOut struct{}

func (leftOut) match(v *view) []*finding {
	hits := v.tags[noneLive]
	if len(hits) == 0 || v.appWasHit() {
		return nil
	}
	since := time.Duration(0)
	switch {
	case v.Active != record.Never:
		since = v.healed()
	case len(v.tags[connectRefused]) > 0:
		return nil // see deployGap
	}
	gs := v.near(v.take(func(g *verdict.Graded) bool {
		return withStatus(502, 503)(g) && !g.Struck && startOf(g) >= since
	}), hits)
	if len(gs) == 0 {
		return nil
	}
	last := since
	for _, g := range gs {
		last = max(last, startOf(g))
	}
	said := fact{Kind: FactLeftOut, Name: v.edge.product.String(), N: len(gs)}
	if since > 0 {
		said.Took = last - since
	}
	return one(found(LeftOut, layerEdge, certain, gs).
		tell(said).
		show(cite(hits, 3)...).see(say(gs[0])).show(v.accessLine(gs[0])).
		not("the app", fact{Kind: NotAnsweredByApp}))
}

// appWasHit reports whether something happened to the app itself: a fault of ours that
// kills, stops or squeezes it, or a death that its log or the kernel tells of.
func (v *view) appWasHit() bool {
	for _, w := range v.Windows {
		switch w.Fault.Kind {
		case record.FaultKill, record.FaultCrash, record.FaultMemory, record.FaultDrain, record.FaultDeploy,
			record.FaultScaleIn, record.FaultScaleOut, record.FaultNodeDrain, record.FaultPause, record.FaultSqueeze,
			record.FaultOther,
			"": // of a record that does not say
			return true
		}
	}
	return slices.ContainsFunc(v.deaths.shared, func(d death) bool {
		return d.kind == diedByExit || d.kind == diedByKill || d.kind == diedByTerm
	})
}
