package kube

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// An object has the members of Kubernetes objects that we use, of whichever kind it is:
// a workload, a pod, an EndpointSlice, a Service, an Event.
type object struct {
	Kind     string
	Metadata meta
	Spec     spec
	Status   status

	// Of an EndpointSlice.
	Endpoints []endpoint
	Ports     []port

	// Of an Event.
	Reason, Message string
	InvolvedObject  struct{ Kind, Name, UID string }
}

type meta struct {
	Name, UID, ResourceVersion string
	Annotations                map[string]string
	DeletionTimestamp          *time.Time
	DeletionGracePeriodSeconds *int64
}

type spec struct {
	// Of a workload.
	Replicas *int
	Selector selector
	Template struct {
		Metadata struct{ Labels map[string]string }
		Spec     podSpec
	}
	Paused         bool // the rollout of a Deployment
	UpdateStrategy struct {
		Type          string
		RollingUpdate *struct{ Partition int } // of a StatefulSet
	}
	// Of a Service.
	Ports     []port
	ClusterIP string // "None" where its name leads to the pods themselves

	podSpec // of a pod

	Unschedulable bool // of a Node: it takes no pods

	// Of a HorizontalPodAutoscaler.
	ScaleTargetRef           struct{ Kind, Name string }
	MinReplicas, MaxReplicas int
	// Of a PodDisruptionBudget: numbers or shares.
	MinAvailable, MaxUnavailable json.RawMessage
	// Of an Ingress.
	IngressClassName string
	DefaultBackend   backend
	Rules            []struct {
		HTTP struct{ Paths []struct{ Backend backend } }
	}
}

type backend struct{ Service struct{ Name string } }

// A selector is that of a workload; a Service has its labels beside matchLabels, and is
// read through its EndpointSlices alone.
type selector struct {
	MatchLabels      map[string]string
	MatchExpressions []struct {
		Key, Operator string
		Values        []string
	}
}

type podSpec struct {
	NodeName                      string
	TerminationGracePeriodSeconds *int64
	Containers                    []container
}

// container is the one of that name, nil if there is none.
func (p *podSpec) container(name string) *container {
	i := slices.IndexFunc(p.Containers, func(c container) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &p.Containers[i]
}

type container struct {
	Name      string
	Lifecycle *struct{ PreStop *handler }
	Resources struct{ Limits map[string]string }

	ReadinessProbe, LivenessProbe *probe
}

// A handler is what runs before a container is stopped.
type handler struct {
	Exec    *struct{ Command []string }
	HTTPGet *struct{ Path string }
	Sleep   *struct{ Seconds int64 }
}

type probe struct {
	PeriodSeconds, TimeoutSeconds, FailureThreshold int
}

type port struct {
	Name string
	Port int
}

type endpoint struct {
	Addresses  []string
	Conditions struct{ Ready, Serving, Terminating *bool }
	TargetRef  *struct{ Kind, Name string }
}

// A status is that of a pod or of a Job.
type status struct {
	Phase             string // of a pod
	Conditions        []condition
	ContainerStatuses []containerStatus
	Reason, Message   string // of a pod that the node has ended

	InitContainerStatuses []containerStatus
	PodIP                 string
	Ready                 int // pods of a Job
	DisruptionsAllowed    int // of a PodDisruptionBudget
}

type condition struct{ Type, Status, Reason, Message string }

type containerStatus struct {
	Name, ContainerID string
	State, LastState  state
}

type state struct {
	Waiting    *struct{ Reason, Message string }
	Running    *struct{ StartedAt *time.Time }
	Terminated *terminated
}

type terminated struct {
	ExitCode            int
	Reason, ContainerID string
	FinishedAt          *time.Time
}

// Exit codes of processes that end by a signal.
const (
	byKill = 128 + 9
	byTerm = 128 + 15
)

// forMemory reports whether a container has ended for its memory. Its reason says
// OOMKilled of a container of which any process was killed for memory, even long before:
// it may have ended by itself, or as it was told to.
func (t *terminated) forMemory() bool {
	return t.Reason == "OOMKilled" && t.ExitCode != 0 && t.ExitCode != byTerm
}

// labels is the selector as the API takes it in a query.
func (s *selector) labels() string {
	var all []string
	for k, v := range s.MatchLabels {
		all = append(all, k+"="+v)
	}
	for _, e := range s.MatchExpressions {
		switch e.Operator {
		case "In", "NotIn":
			all = append(all, e.Key+" "+strings.ToLower(e.Operator)+" ("+strings.Join(e.Values, ",")+")")
		case "Exists":
			all = append(all, e.Key)
		case "DoesNotExist":
			all = append(all, "!"+e.Key)
		}
	}
	return strings.Join(all, ",")
}

// over reports whether a pod has ended for good. It is kept for its owner to look at, and
// counts as no replica any more.
func (s *status) over() bool { return s.Phase == "Succeeded" || s.Phase == "Failed" }

// is reports whether a condition holds.
func (s *status) is(kind string) bool {
	for _, c := range s.Conditions {
		if c.Type == kind {
			return c.Status == "True"
		}
	}
	return false
}

// disruptions are the reasons for which a cluster ends a pod of its own accord. An eviction
// by the API is none: somebody has asked for it, as our drain does.
var disruptions = []string{"PreemptionByScheduler", "TerminationByKubelet", "DeletionByTaintManager"}

// disrupted is the condition that says that the cluster ends the pod of its own accord; nil
// where it does not.
func (s *status) disrupted() *condition {
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if c.Type == "DisruptionTarget" && c.Status == "True" && slices.Contains(disruptions, c.Reason) {
			return c
		}
	}
	return nil
}

// of is the status of a container by name.
func (s *status) of(name string) *containerStatus {
	for i := range s.ContainerStatuses {
		if s.ContainerStatuses[i].Name == name {
			return &s.ContainerStatuses[i]
		}
	}
	return nil
}

// stuck says why a pod does not come up, "" if nothing is known to be in its way.
func (s *status) stuck() string {
	for _, c := range s.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" {
			return c.Reason + ": " + c.Message
		}
	}
	for _, c := range slices.Concat(s.InitContainerStatuses, s.ContainerStatuses) {
		w := c.State.Waiting
		if w != nil && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			return strings.TrimSuffix(w.Reason+" of container "+c.Name+": "+w.Message, ": ")
		}
	}
	return ""
}

// forbidden is what keeps the controller of a Deployment from making pods, such as a quota or
// a policy; "" if nothing is known.
func (s *status) forbidden() string {
	for _, c := range s.Conditions {
		if c.Type == "ReplicaFailure" && c.Status == "True" {
			return c.Reason + ": " + c.Message
		}
	}
	return ""
}

// can reports what an optional condition of an endpoint says; nil is as given.
func can(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}
