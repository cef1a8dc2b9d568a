package diagnose

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// idleTimeout (D4) explains cuts by the idle timer of a load balancer, which
// stands in no log of ours: the silence before each end is the timer's.
type idleTimeout struct{}

func (idleTimeout) match(v *view) []*finding {
	limit := lasting(settings(v.Scope, layerBalancer, "idle timeout"))
	if limit == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool {
		silence := g.End - lastBytes(g)
		return (g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated) &&
			silence >= limit-minSilence && silence <= limit+limit/4+minSilence
	})
	if len(gs) == 0 {
		return nil
	}
	confidence := likely
	said := v.idleLines(gs)
	if len(said) > 0 {
		confidence = certain
	}
	return one(found(IdleTimeout, layerNetwork, confidence, gs).
		tell(fact{Kind: FactBalancerIdle, N: len(gs), Took: limit}).
		see(fact{Kind: FactBalancerTimeout, Name: layerBalancer, Took: limit}).see(said...).see(silenceLine(gs)).
		notIf(v.edgeSpeaks() && len(v.tags[upstreamTimeout]) == 0, "proxy read timeout",
			fact{Kind: NotUpstreamTimedOut}))
}

// layerBalancer is the layer's name in the table of timers.
const layerBalancer = "load balancer"

// idleLines cites the balancer's own account, where it keeps one.
func (v *view) idleLines(gs []*verdict.Graded) []fact {
	of := map[uint64]bool{}
	for _, g := range gs {
		of[g.Seq] = true
	}
	var out []fact
	for _, e := range v.Events {
		if e.Source == record.RelaySource && e.Kind == record.KindIdle && of[e.Stream] && len(out) < 3 {
			out = append(out, fact{Kind: FactIdleSaid, Stream: e.Stream, Took: e.At, Text: e.Text})
		}
	}
	return out
}

// edgeReloaded (E10) explains cuts by worker_shutdown_timeout: the edge was
// reloaded, and its old workers gave up on their streams.
type edgeReloaded struct{}

func (edgeReloaded) match(v *view) []*finding {
	limit := lasting(settings(v.Scope, "nginx", "worker_shutdown_timeout"))
	at := record.Never
	for _, e := range v.Events {
		if e.Kind == record.KindReload && e.Subject == record.NginxHop && at == record.Never {
			at = e.At
		}
	}
	if limit == 0 || at == record.Never {
		return v.stoppedByLog()
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return isCut(g) && startOf(g) <= at+deathAfter && g.End >= at+limit-minSilence && g.End <= at+limit+reloadSlack
	})
	if len(gs) == 0 {
		return nil
	}
	return one(found(EdgeReloaded, layerEdge, certain, gs).
		tell(fact{Kind: FactOldWorkersOver, Name: v.edge.product.String(), N: len(gs)}).
		see(fact{Kind: FactReloadAt, Took: at, Bound: limit},
			tightest(gs)).show(v.accessLine(gs[0])).
		not("clients that hung up", fact{Kind: NotSameMoment}))
}

// reloadSlack is how much later than its time a worker may end: it takes up the
// new configuration first.
const reloadSlack = 2 * time.Second
