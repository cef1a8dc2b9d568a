package harness

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/streamproof/streamproof/harness/plural"
)

// A Fleet says where load workers run that are not on this machine.
type Fleet struct {
	Kubernetes FleetJob `yaml:"kubernetes"`
}

// A FleetJob is an Indexed Job of Kubernetes whose pods are the load workers.
type FleetJob struct {
	Context   string `yaml:"context"`   // of the kubeconfig; "" is its current one
	Namespace string `yaml:"namespace"` // "" is the context's own
	Workers   int    `yaml:"workers"`   // pods; 0 sends the load from this machine
	Image     string `yaml:"image"`     // of streamproof; "" is that of this release
	CPU       string `yaml:"cpu"`       // that each pod asks for, as Kubernetes writes it; "" means 500m
	Memory    string `yaml:"memory"`    // that each pod asks for and may have; "" means 512Mi
	// NodeSelector are the labels of the nodes that may run the pods.
	NodeSelector map[string]string `yaml:"node_selector"`
	Start        time.Duration     `yaml:"start"` // how long the pods may take to run; 0 means 3 min
}

// A LoadFleet starts load workers elsewhere than on this machine.
type LoadFleet interface {
	// Check says what is in the way, before anything is started.
	Check(ctx context.Context) error
	// Start starts all workers. What it has made is taken away again where it fails, and
	// where ctx ends, for which it returns neither workers nor an error.
	Start(ctx context.Context) ([]LoadWorker, error)
	// Manifests are what Start would create, and the rights that it takes, as YAML.
	Manifests() (string, error)
	// Close takes away what Start has made, once the connections of all workers are
	// closed. It may be called twice. What has not gone when ctx ends is a [PodsLeft].
	Close(ctx context.Context) error
}

// PodsLeft is the error where the pods of a fleet have not gone, though their Job was
// deleted: those of a node that has gone stay until somebody forces them. It takes nothing
// from what the run has found.
type PodsLeft struct {
	Context, Namespace, Job string // the context as the user named it; "" for the current one
	N                       int    // pods; 0 where it is not known
	Err                     error  // why it is not; nil where it is
}

func (e *PodsLeft) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("see whether the pods of Job %s in namespace %s have gone: %v", e.Job, e.Namespace, e.Err)
	}
	return fmt.Sprintf("delete Job %s in namespace %s: %s left", e.Job, e.Namespace, plural.Of(e.N, "pod"))
}

// Unwrap is why the pods could not be counted.
func (e *PodsLeft) Unwrap() error { return e.Err }

// MostFleetWorkers is how many load workers one parent takes in.
const MostFleetWorkers = 1000

// away reports whether anything says that the load comes from a cluster.
func (f *Fleet) away() bool {
	k := &f.Kubernetes
	return k.Workers != 0 || k.Context != "" || k.Namespace != "" || k.Image != "" || k.CPU != "" || k.Memory != "" ||
		len(k.NodeSelector) > 0 || k.Start != 0
}

// Away reports whether the load comes from elsewhere than from this machine.
func (o *Options) Away() bool { return o.Fleet.Kubernetes.Workers > 0 }

// Beside is the fleet, in the context of an app in a cluster where it names none of its own.
func (o *Options) Beside() Fleet {
	f := o.Fleet
	if f.Kubernetes.Context == "" {
		f.Kubernetes.Context = o.App.Kubernetes.Context
	}
	return f
}

// ValidFleet refuses a fleet that cannot be, or cannot reach the app.
func (o *Options) ValidFleet() error {
	f, app := &o.Fleet.Kubernetes, o.App.Kubernetes.Context
	switch {
	case !o.Fleet.away():
		return nil
	case f.Workers < 1 || f.Workers > MostFleetWorkers:
		return &UsageError{Place: "fleet.kubernetes.workers", Problem: fmt.Sprintf("%d load workers", f.Workers),
			Fix: fmt.Sprintf("ask for 1 to %d", MostFleetWorkers)}
	case f.Start < 0:
		return &UsageError{Place: "fleet.kubernetes.start", Problem: "a negative time", Fix: "use durations like 3m"}
	case o.LoadWorkers > 0 && o.LoadWorkers != f.Workers:
		return &UsageError{Place: "load_workers", Problem: "the load comes from the pods of fleet.kubernetes",
			Fix: "leave load_workers out"}
	case o.App.InCluster() && f.Context != "" && app != "" && app != f.Context:
		return &UsageError{Place: "fleet.kubernetes.context", Problem: fmt.Sprintf("the pods that send are in context %q, "+
			"the app is in %q: a Service is reached from its own cluster", f.Context, app),
			Fix: "name the same context in both, or name the app by a url that the pods can reach"}
	case o.App.InCluster():
		return nil
	case o.App.URL == "":
		return &UsageError{Place: "fleet", Problem: "the app runs on this machine, where pods cannot reach it",
			Fix: "name an app by url that pods can reach"}
	}
	if host, here := o.App.here(); here {
		return &UsageError{Place: "fleet", Problem: "pods cannot reach " + host + " on this machine: for a pod that is the " +
			"pod itself", Fix: "name the app by a url that both this machine and the pods can reach"}
	}
	return nil
}

// here is the host of the URL where that is this machine.
func (a *App) here() (host string, here bool) {
	u, err := url.Parse(a.URL)
	if err != nil {
		return "", false
	}
	host = u.Hostname()
	if at, _, err := net.SplitHostPort(a.At(u)); err == nil && at != "" {
		return host, IsLoopback(at)
	}
	return host, IsLoopback(host)
}
