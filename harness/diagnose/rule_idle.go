package diagnose

import (
	"fmt"
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
		say("the load balancer ended %d connections on which nothing had moved for %v", len(gs), limit).
		see(fmt.Sprintf("%s: idle timeout is %v", layerBalancer, limit)).see(said).see(silenceLine(gs)).
		notIf(v.edgeSpeaks() && len(v.tags[upstreamTimeout]) == 0, "proxy read timeout", "the edge's error log has no \"upstream timed out\"").
		mend("send a heartbeat comment (\": ping\") every third of the timeout; or raise the balancer's idle timeout above the longest silence"))
}

// layerBalancer is the layer's name in the table of timers.
const layerBalancer = "load balancer"

// idleLines cites the balancer's own account, where it keeps one.
func (v *view) idleLines(gs []*verdict.Graded) []string {
	of := map[uint64]bool{}
	for _, g := range gs {
		of[g.Seq] = true
	}
	var out []string
	for _, e := range v.Events {
		if e.Source == record.RelaySource && e.Kind == record.KindIdle && of[e.Stream] && len(out) < 3 {
			out = append(out, fmt.Sprintf("stream %d at %.3f s: %s", e.Stream, e.At.Seconds(), e.Text))
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
		say("%s was reloaded, and cut %d streams when their old workers' time was over", v.edge.product, len(gs)).
		see(fmt.Sprintf("reload at %.3f s, worker_shutdown_timeout is %v", at.Seconds(), limit),
			tightest(gs)).show(v.accessLine(gs[0])).
		not("clients that hung up", "they all ended at the same moment").
		mend("worker_shutdown_timeout 0; or longer than the longest stream"))
}

// reloadSlack is how much later than its time a worker may end: it takes up the
// new configuration first.
const reloadSlack = 2 * time.Second
