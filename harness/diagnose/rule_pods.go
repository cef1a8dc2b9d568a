package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// pods explains what Kubernetes itself did to streams, by what its API told while they
// ran: see [record.KubernetesSource].
type pods struct{}

func (pods) match(v *view) []*finding {
	var fs []*finding
	for _, find := range []func(*view) *finding{probeKilled, disrupted, routedLate} {
		if f := find(v); f != nil {
			fs = append(fs, f)
			v.explain(f)
		}
	}
	return fs
}

// next is the first event of a kind that the cluster told of a replica from a time on.
func (v *view) next(kind record.EventKind, replica string, from time.Duration) *record.Event {
	for i := range v.Events {
		e := &v.Events[i]
		if e.Source == record.KubernetesSource && e.Kind == kind && e.Subject == replica && e.At >= from {
			return e
		}
	}
	return nil
}

// probeKilled explains cuts in a container that was ended since its liveness probe got no
// answer. They end with the container: by SIGTERM, or when its grace is over.
func probeKilled(v *view) *finding {
	gs, first := v.endedPods(record.KindProbeKill)
	if first == nil {
		return nil
	}
	return found(LivenessKill, layerKubernetes, certain, gs).
		tell(fact{Kind: FactProbeKilled, N: len(gs), Name: first.Subject, Took: first.At}).
		see(fact{Kind: FactPodSaid, Name: first.Subject, Took: first.At, Text: first.Text}).
		show(cite(v.tags[probeFailed], 2)...).see(tightest(gs)).
		not(GraceTooShort, fact{Kind: NotADeploy}).
		notIf(!v.podOOM(), "memory kill", fact{Kind: NotOOM}).
		mend(fact{Kind: MendProbe})
}

// disrupted explains cuts in a pod that the cluster ended of its own accord: it needed the
// room, the node ran short, or has a taint.
func disrupted(v *view) *finding {
	gs, first := v.endedPods(record.KindDisrupted)
	if first == nil {
		return nil
	}
	return found(PodDisrupted, layerKubernetes, certain, gs).
		tell(fact{Kind: FactDisrupted, N: len(gs), Name: first.Subject, Took: first.At}).
		see(fact{Kind: FactPodSaid, Name: first.Subject, Took: first.At, Text: first.Text}).see(tightest(gs)).
		not(GraceTooShort, fact{Kind: NotAsked}).
		mend(fact{Kind: MendDisruption})
}

// endedPods are the streams that were cut with the end of their container, which the
// cluster announced by an event of that kind, and the first such event.
func (v *view) endedPods(kind record.EventKind) (gs []*verdict.Graded, first *record.Event) {
	for i := range v.Events {
		e := &v.Events[i]
		if e.Source != record.KubernetesSource || e.Kind != kind {
			continue
		}
		// The exit is stamped by the second, the event when it was told: of an app that exits
		// quickly the exit seems to come first.
		exit := v.next(record.KindExit, e.Subject, e.At-stampUnit)
		if exit == nil {
			continue // it lives yet
		}
		hit := v.take(func(g *verdict.Graded) bool {
			return isCut(g) && g.MayBeOn(e.Subject) && startOf(g) <= exit.At && g.End >= min(e.At, exit.At)-deathBefore &&
				g.End <= exit.At+deathAfter+stampUnit && !slices.Contains(gs, g)
		})
		if gs = append(gs, hit...); first == nil && len(hit) > 0 {
			first = e
		}
	}
	return gs, first
}

// routedLate explains new streams that were sent to a pod after it was told to go, and
// before its Service had left it out: it did not listen any more.
func routedLate(v *view) *finding {
	var gs []*verdict.Graded
	var asked, left *record.Event
	for i := range v.Events {
		e := &v.Events[i]
		if e.Source != record.KubernetesSource || e.Kind != record.KindStop {
			continue
		}
		out := v.next(record.KindUnrouted, e.Subject, e.At)
		if out == nil || v.next(record.KindProbeKill, e.Subject, e.At-deathBefore) != nil {
			continue
		}
		until := out.At
		if !v.forwarded() {
			until += proxyLag
		}
		hit := v.take(func(g *verdict.Graded) bool {
			lost := g.Grade.Outcome == verdict.Refused || isCut(g) && g.First == record.Never
			return lost && g.MayBeOn(e.Subject) && startOf(g) >= e.At && startOf(g) <= until && !slices.Contains(gs, g)
		})
		if gs = append(gs, hit...); asked == nil && len(hit) > 0 {
			asked, left = e, out
		}
	}
	if asked == nil || !v.servedElsewhere(asked.Subject, left.At) {
		return nil
	}
	return found(RoutedLate, layerKubernetes, likely, gs).
		tell(fact{Kind: FactRoutedLate, N: len(gs), Name: asked.Subject, Times: []time.Duration{asked.At, left.At}}).
		see(fact{Kind: FactPodSaid, Name: asked.Subject, Took: asked.At, Text: asked.Text}).see(say(gs[0])).
		not(DeployGap, fact{Kind: NotAlone}).
		mend(fact{Kind: MendPreStop})
}

// proxyLag is how long the nodes of a cluster may send new connections to a pod which its
// Service has left out: kube-proxy writes its rules once a second at most (by default, see
// minSyncPeriod of KubeProxyConfiguration), and takes a while to.
const proxyLag = 2 * time.Second

// forwarded reports whether the streams came by a port-forward, which follows a Service at
// once.
func (v *view) forwarded() bool {
	return slices.ContainsFunc(v.Scenario.Layers, func(l record.Layer) bool { return l.Name == record.ForwardLayer })
}

// servedElsewhere reports whether another replica than the named one, which its Service left
// out at a time, served a stream. Where streams do not say which replica they are on, one
// that began when no rules led to that replica any more was on another.
func (v *view) servedElsewhere(replica string, left time.Duration) bool {
	for i := range v.Streams {
		g := &v.Streams[i]
		if g.First == record.Never {
			continue
		}
		if g.Replica != "" && g.Replica != replica || g.Replica == "" && startOf(g) > left+proxyLag {
			return true
		}
	}
	return false
}

// onKubernetes reports whether the app's pods are those of a cluster.
func (v *view) onKubernetes() bool {
	return slices.ContainsFunc(v.Scenario.Layers, func(l record.Layer) bool { return l.Name == layerKubernetes })
}
