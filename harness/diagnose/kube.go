package diagnose

import (
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// Reasons as Kubernetes gives them, in events and in the status of a container.
var kubeDeaths = map[string]deathKind{
	"OOMKilled":            diedByMemory,
	"OOMKilling":           diedByMemory, // of the node
	"Evicted":              diedByTerm,
	"Preempted":            diedByTerm,
	"Preempting":           diedByTerm,
	"TaintManagerEviction": diedByTerm,
	"Killing":              diedByTerm,
	"NodeNotReady":         diedByExit,
	"ContainerDied":        diedByExit,
}

// podGoes are the reasons of those in which a pod is told to go.
var podGoes = []string{"Killing", "Evicted", "Preempted", "Preempting", "TaintManagerEviction"}

// livedOn reports whether a container has the reason OOMKilled for a process that was killed
// long before its end: it ended by itself, or as it was told to.
func livedOn(k *logline.KubeFact) bool {
	return k.Reason == "OOMKilled" && (k.Code == 0 || k.Code == 143)
}

// calledOff reports whether a pod that had to go for a taint stays after all. The Event for
// both has one reason.
func calledOff(k *logline.KubeFact) bool {
	return k.Reason == "TaintManagerEviction" && strings.Contains(k.Text, "Cancelling deletion")
}

// fromKube reads what Kubernetes did to the app's pods.
func (ds *deaths) fromKube(v *view) {
	for _, l := range v.logs[record.KubernetesLog] {
		for i := range l.Kube {
			k := &l.Kube[i]
			kind, ok := kubeDeath(k)
			h := hit{log: l, line: l.Lines[i]}
			if !ok || v.foreign(h) {
				continue
			}
			what := fact{Kind: DeathKube, Name: k.Reason, Place: k.Pod, Text: k.Container, N: max(k.Code, 0)}
			ds.shared = append(ds.shared, death{at: h.line.At, what: what, kind: kind, cite: h.cited()})
		}
	}
}

// kubeDeath says how something ended; false where nothing did.
func kubeDeath(k *logline.KubeFact) (deathKind, bool) {
	if calledOff(k) {
		return 0, false
	}
	if kind, ok := kubeDeaths[k.Reason]; ok && !livedOn(k) {
		return kind, true
	}
	switch {
	case k.Code == logline.Unknown || k.Code == 0:
		return 0, false
	case k.Code == 137:
		return diedByKill, true
	case k.Code == 143:
		return diedByTerm, true
	}
	return diedByExit, true
}

// tagKube sorts the facts: a container that was killed for its memory, and a pod
// that was told to go, with the probe that failed before. Ends that may be of others are
// kept apart.
func (v *view) tagKube() {
	for _, l := range v.logs[record.KubernetesLog] {
		for i := range l.Kube {
			h := hit{log: l, line: l.Lines[i]}
			switch k := &l.Kube[i]; {
			case livedOn(k), calledOff(k):
			case v.foreign(h):
				if kind, ok := kubeDeath(k); ok {
					v.others = append(v.others, otherEnd{h, causesOfKube[kind]})
				}
			case k.Reason == "OOMKilled", k.Reason == "OOMKilling":
				v.tags[oomKiller] = append(v.tags[oomKiller], h)
			case slices.Contains(podGoes, k.Reason):
				v.tags[podKilled] = append(v.tags[podKilled], h)
			case k.Reason == "Unhealthy":
				v.tags[probeFailed] = append(v.tags[probeFailed], h)
			}
		}
	}
}

// podOOM reports whether Kubernetes says that a container died for its memory.
func (v *view) podOOM() bool {
	for _, h := range v.tags[oomKiller] {
		if h.log.Kind == record.KubernetesLog {
			return true
		}
	}
	return false
}
