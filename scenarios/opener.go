package scenarios

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/container"
	"github.com/streamproof/streamproof/harness/stack/process"
)

// Our own program is started again as the origin, as a load worker, and as the guard
// that outlives a killed harness. The first argument says so; it works in test binaries as
// well as in the command, because the hook runs before main.
const (
	originArg = "streamproof:origin"
	guardArg  = "streamproof:guard"
	workerArg = "streamproof:load-worker"
)

func init() {
	if len(os.Args) < 2 {
		return
	}
	switch os.Args[1] {
	case originArg:
		os.Exit(origin.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
	case workerArg:
		os.Exit(loadWorkerMain())
	case guardArg:
		os.Exit(process.GuardMain())
	}
}

// ourselves is what is started as the origin and the guard.
var ourselves = os.Executable

// A machine is a kind of stack that users name.
type machine struct {
	name string
	// contains says that it starts containers, and can start what is given as one.
	contains bool
	open     func() (stack.Opener, error)
}

// machines are the kinds of stacks that users name. Of those that can start an app the
// first one does where nobody names one.
var machines = []machine{
	{name: "local", open: func() (stack.Opener, error) {
		self, err := ourselves()
		if err != nil {
			return nil, fmt.Errorf("find our own program: %w", err)
		}
		return process.New(process.Options{OriginCommand: []string{self, originArg}, GuardCommand: []string{self, guardArg},
			NginxPath: os.Getenv("STREAMPROOF_NGINX")}), nil
	}},
	{name: "docker", contains: true, open: func() (stack.Opener, error) {
		return container.New(container.Options{}), nil
	}},
}

// Kubernetes opens stacks on clusters. It is nil until somebody who needs that sets it, as
// the command does with that of package harness/stack/kube: what it is made of is large, and
// whoever imports this package for tests of another app should not have to link it.
var Kubernetes func(stack.Kubernetes) stack.Opener

// KubernetesFleet makes load workers of the pods of a cluster. As with [Kubernetes], it is
// nil until somebody sets it to kube.NewFleet.
var KubernetesFleet func(harness.Fleet) harness.LoadFleet

// LoadFleet is what sends the load where that is not this machine; nil where it is.
func LoadFleet(o *harness.Options) (harness.LoadFleet, error) {
	switch {
	case !o.Away():
		return nil, nil
	case KubernetesFleet == nil:
		return nil, &harness.UsageError{Place: "fleet.kubernetes", Problem: "this program has been built without Kubernetes",
			Fix: "build it without the tag nokubernetes; in Go, set scenarios.KubernetesFleet to kube.NewFleet of package " +
				"harness/stack/kube"}
	}
	return KubernetesFleet(o.Beside()), nil
}

// cluster is the stack of an app on Kubernetes.
func cluster(app harness.App) (stack.Opener, error) {
	switch {
	case app.Stack != "":
		return nil, &harness.UsageError{Place: "stack", Problem: "the " + app.Stack + " stack starts the app itself, and a " +
			"workload of Kubernetes runs already", Fix: "leave stack out"}
	case Kubernetes == nil:
		return nil, &harness.UsageError{Place: "app.kubernetes", Problem: "this program has been built without Kubernetes",
			Fix: "build it without the tag nokubernetes; in Go, set scenarios.Kubernetes to kube.New of package " +
				"harness/stack/kube"}
	}
	return Kubernetes(app.Kubernetes), nil
}

// Stacks are the names that [harness.App.Stack] may have.
func Stacks() []string {
	var names []string
	for _, m := range machines {
		names = append(names, m.name)
	}
	return names
}

// Opener returns the stack that can start app: containers for an image, a
// Dockerfile or a compose service, a cluster for a workload of Kubernetes, this
// machine's processes for all else. The
// built-in server runs on either, as app.Stack says. $STREAMPROOF_NGINX names
// the host's nginx, "-" does without.
func Opener(app harness.App) (stack.Opener, error) {
	if app.InCluster() {
		return cluster(app)
	}
	contained := app.Image != "" || app.Build != "" || app.Compose != (stack.Compose{})
	for _, m := range machines {
		switch {
		case app.Stack == m.name && contained && !m.contains:
			return nil, &harness.UsageError{Place: "stack", Problem: "the " + m.name + " stack runs no containers",
				Fix: "leave stack out, or use docker"}
		case app.Stack == m.name && m.contains && app.URL != "":
			return nil, &harness.UsageError{Place: "stack",
				Problem: "the " + m.name + " stack starts the app itself, and an app at a URL runs already",
				Fix:     "leave stack out, or name the app's image in the place of its URL"}
		case app.Stack == m.name && m.contains && len(app.Command) > 0:
			return nil, &harness.UsageError{Place: "stack",
				Problem: "the " + m.name + " stack runs containers, and no commands of this machine",
				Fix:     "leave stack out, or put the command into an image"}
		case app.Stack == m.name || app.Stack == "" && (m.contains || !contained):
			return m.open()
		}
	}
	return nil, &harness.UsageError{Place: "stack", Problem: fmt.Sprintf("unknown stack %q", app.Stack),
		Fix: "known are " + strings.Join(Stacks(), ", ")}
}
