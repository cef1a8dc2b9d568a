package logline

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"
)

// A KubeFact is something that Kubernetes did to a pod, or saw of it.
type KubeFact struct {
	At        time.Time
	Reason    string // "OOMKilled", "Killing", "Unhealthy", "Evicted", "BackOff", "Error"
	Namespace string // "" where none is told
	Pod       string // "" where it is not about a pod
	Container string // "" where the whole pod is meant
	Code      int    // exit code; Unknown where none is told
	Text      string // one line for the reader
}

// kubernetes reports whether the lines begin JSON objects as kubectl writes them.
func kubernetes(lines []string) bool {
	text := strings.TrimSpace(strings.Join(lines[:min(60, len(lines))], "\n"))
	if !strings.HasPrefix(text, "{") {
		return false
	}
	return strings.Contains(text, `"apiVersion"`) && strings.Contains(text, `"kind"`) &&
		(strings.Contains(text, `"items"`) || strings.Contains(text, `"Event"`) || strings.Contains(text, `"Pod"`) ||
			strings.Contains(text, `"List"`))
}

type kubeObject struct {
	Kind           string
	Type           string      // of a watch event
	Object         *kubeObject // of a watch event
	Items          []kubeObject
	Reason         string
	Message        string
	Count          int
	LastTimestamp  *time.Time
	FirstTimestamp *time.Time
	EventTime      *time.Time
	InvolvedObject struct{ Kind, Namespace, Name, FieldPath string }
	Metadata       struct {
		Name, Namespace   string
		CreationTimestamp *time.Time
		Labels            map[string]string
		OwnerReferences   []struct{ Kind, Name string }
	}
	Status kubeStatus
}

type kubeStatus struct {
	Phase, Reason, Message string
	PodIP                  string
	StartTime              *time.Time
	ContainerStatuses      []kubeContainer
	InitContainerStatuses  []kubeContainer
}

type kubeContainer struct {
	Name             string
	RestartCount     int
	State, LastState struct {
		Terminated *struct {
			Reason, Message string
			ExitCode        int
			Signal          int
			FinishedAt      *time.Time
		}
	}
}

// ReadKubernetes reads what kubectl writes with -o json: a list, single objects,
// or a stream of them (--watch). What is in no list of ours is left out. The pods are
// those that stand there as objects, whether there is a fact of them or not.
func ReadKubernetes(r io.Reader) (facts []KubeFact, pods []KubePod, err error) {
	d := json.NewDecoder(r)
	for {
		var o kubeObject
		err := d.Decode(&o)
		if err == io.EOF || err == io.ErrUnexpectedEOF { // one that is still being written
			break
		}
		if err != nil {
			return facts, pods, fmt.Errorf("read Kubernetes objects: %w", err)
		}
		facts, pods = o.add(facts), o.addPods(pods)
	}
	sort.SliceStable(facts, func(i, j int) bool { return facts[i].At.Before(facts[j].At) })
	return unique(facts), pods, nil
}

// unique drops what a watch told twice.
func unique(facts []KubeFact) []KubeFact {
	var out []KubeFact
	seen := map[KubeFact]bool{}
	for _, f := range facts {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}

func (o *kubeObject) add(facts []KubeFact) []KubeFact {
	if o.Object != nil {
		return o.Object.add(facts)
	}
	for i := range o.Items {
		facts = o.Items[i].add(facts)
	}
	switch o.Kind {
	case "Event":
		return append(facts, o.event())
	case "Pod":
		return o.pod(facts)
	}
	return facts
}

// event is what the event says, at the last time that it happened.
func (o *kubeObject) event() KubeFact {
	f := KubeFact{Reason: o.Reason, Code: Unknown}
	for _, t := range []*time.Time{o.LastTimestamp, o.EventTime, o.FirstTimestamp, o.Metadata.CreationTimestamp} {
		if t != nil && !t.IsZero() {
			f.At = t.UTC()
			break
		}
	}
	if o.InvolvedObject.Kind == "Pod" {
		f.Namespace, f.Pod = o.InvolvedObject.Namespace, o.InvolvedObject.Name
	}
	if _, c, ok := strings.Cut(o.InvolvedObject.FieldPath, "{"); ok { // spec.containers{app}
		f.Container = strings.TrimSuffix(c, "}")
	}
	f.Text = fmt.Sprintf("%s %s %s/%s: %s", f.At.Format(time.RFC3339), o.Reason, strings.ToLower(o.InvolvedObject.Kind),
		o.InvolvedObject.Name, oneLine(o.Message))
	if o.Count > 1 {
		f.Text += fmt.Sprintf(" (%d times)", o.Count)
	}
	return f
}

// pod is what the status tells of ends of containers, the last two of each.
func (o *kubeObject) pod(facts []KubeFact) []KubeFact {
	for _, c := range o.Status.ContainerStatuses {
		for _, s := range []*struct {
			Reason, Message string
			ExitCode        int
			Signal          int
			FinishedAt      *time.Time
		}{c.LastState.Terminated, c.State.Terminated} {
			if s == nil {
				continue
			}
			f := KubeFact{Reason: s.Reason, Namespace: o.Metadata.Namespace, Pod: o.Metadata.Name, Container: c.Name,
				Code: s.ExitCode}
			if s.FinishedAt != nil {
				f.At = s.FinishedAt.UTC()
			}
			f.Text = fmt.Sprintf("%s %s pod/%s container %s: exit code %d, %d restarts", f.At.Format(time.RFC3339), s.Reason,
				f.Pod, c.Name, s.ExitCode, c.RestartCount)
			facts = append(facts, f)
		}
	}
	if o.Status.Reason == "Evicted" {
		f := KubeFact{Reason: "Evicted", Namespace: o.Metadata.Namespace, Pod: o.Metadata.Name, Code: Unknown}
		if o.Status.StartTime != nil {
			f.At = o.Status.StartTime.UTC()
		}
		f.Text = fmt.Sprintf("Evicted pod/%s: %s", f.Pod, oneLine(o.Status.Message))
		f.At = time.Time{} // the status does not say when
		facts = append(facts, f)
	}
	return facts
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
