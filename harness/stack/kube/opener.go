package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// cleanup bounds the end of a stack that did not get up.
const cleanup = 15 * time.Second

// An Opener opens stacks on a cluster.
type Opener struct {
	app    stack.Kubernetes
	client *client
	err    error // of the login
}

var (
	_ stack.Opener  = (*Opener)(nil)
	_ stack.Remote  = (*Opener)(nil)
	_ stack.Checker = (*Opener)(nil)
)

// New returns an opener for a workload. Nothing is sent to the cluster.
func New(app stack.Kubernetes) stack.Opener {
	o := &Opener{app: app}
	o.client, o.err = login("app.kubernetes", app.Context, app.Namespace)
	return o
}

// Kind implements [stack.Opener].
func (*Opener) Kind() string { return "kubernetes" }

// Host implements [stack.Remote]: it is that of the API server.
func (o *Opener) Host() (string, error) {
	if o.err != nil {
		return "", o.err
	}
	return o.client.base.Hostname(), nil
}

// Check implements [stack.Checker].
func (o *Opener) Check(ctx context.Context, app stack.App) error {
	_, err := o.look(ctx, app.Port)
	return err
}

// A view is what the cluster says of the app before anything is done.
type view struct {
	work object
	path string // of the workload
	port string // name of the Service's port

	servicePort int    // its number
	address     string // cluster IP of the Service; "" where its name leads to its pods
	container   string
}

// look reads what the app is made of, and asks whether its streams may be sent.
func (o *Opener) look(ctx context.Context, number int) (v view, err error) {
	if o.err != nil {
		return v, o.err
	}
	kind, name := o.app.Workload()
	v.path = o.client.in("apps/v1", kind+"s", name)
	if v.work, err = o.client.get(ctx, v.path); err != nil {
		return v, o.client.said(err, "app.kubernetes."+kind, "read "+kind+" "+name, "get "+kind+"s.apps")
	}
	if l, ok := loanOf(&v.work); ok && l.lives() {
		return v, &harness.UsageError{Place: "app.kubernetes." + kind, Problem: "another run tests this " + kind + " (" +
			l.parent + ")", Fix: "wait for its end; where it was killed, set " + strconv.Itoa(l.own) +
			" replicas and remove the annotation " + original}
	}
	if c, ok := cordonOf(&v.work); ok && lives(c.parent) {
		return v, &harness.UsageError{Place: "app.kubernetes." + kind,
			Problem: "another run has drained node " + c.node + " to test this " + kind + " (" + c.parent + ")",
			Fix: "wait for its end; where it was killed, say kubectl uncordon " + c.node + " and remove the annotation " +
				cordoned}
	}
	service, err := o.client.get(ctx, o.client.in("v1", "services", o.app.Service))
	if err != nil {
		return v, o.client.said(err, "app.kubernetes.service", "read service "+o.app.Service, "get services")
	}
	p, err := portOf(&service, number)
	if err != nil {
		return v, err
	}
	v.port, v.servicePort = p.Name, p.Port
	if ip := service.Spec.ClusterIP; net.ParseIP(ip) != nil {
		v.address = ip
	}
	if v.container, err = o.containerOf(&v.work); err != nil {
		return v, err
	}
	return v, o.client.mayAll(ctx, rights)
}

// rights are what no run can do without. What a fault needs is asked where it is used.
var rights = []right{
	{"list", "", "pods", ""}, {"watch", "", "pods", ""}, {"list", "", "events", ""}, {"watch", "", "events", ""},
	{"list", "discovery.k8s.io", "endpointslices", ""}, {"watch", "discovery.k8s.io", "endpointslices", ""},
	{"create", "", "pods", "portforward"},
}

// portOf is the port of a Service that has the number; 0 is the only one.
func portOf(service *object, number int) (port, error) {
	ports := service.Spec.Ports
	i := slices.IndexFunc(ports, func(p port) bool { return p.Port == number || number == 0 && len(ports) == 1 })
	if i >= 0 {
		return ports[i], nil
	}
	var known []string
	for _, p := range ports {
		known = append(known, fmt.Sprint(p.Port))
	}
	problem := fmt.Sprintf("service %s has no port %d", service.Metadata.Name, number)
	if number == 0 {
		problem = fmt.Sprintf("service %s has %d ports", service.Metadata.Name, len(ports))
	}
	return port{}, &harness.UsageError{Place: "app.port", Problem: problem,
		Fix: "name one of " + strings.Join(known, ", ")}
}

// containerOf is the container of the workload's pods that serves.
func (o *Opener) containerOf(work *object) (string, error) {
	var names []string
	for _, c := range work.Spec.Template.Spec.Containers {
		names = append(names, c.Name)
	}
	kind, name := o.app.Workload()
	switch {
	case o.app.Container == "" && len(names) == 1:
		return names[0], nil
	case slices.Contains(names, o.app.Container):
		return o.app.Container, nil
	case o.app.Container == "":
		return "", &harness.UsageError{Place: "app.kubernetes.container",
			Problem: fmt.Sprintf("the pods of %s %s have %d containers", kind, name, len(names)),
			Fix:     "name the one that serves: " + strings.Join(names, ", ")}
	}
	return "", &harness.UsageError{Place: "app.kubernetes.container",
		Problem: fmt.Sprintf("the pods of %s %s have no container %q", kind, name, o.app.Container),
		Fix:     "name one of " + strings.Join(names, ", ")}
}

// Open implements [stack.Opener].
func (o *Opener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	s := &Stack{opener: o, client: o.client, app: o.app, spec: spec, broken: make(chan struct{})}
	if err := chain.Prepare(&s.spec, s.refuse); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
		defer cancel()
		return nil, errors.Join(err, s.Close(ending))
	}
	return s, nil
}

// refuse says what this stack cannot do.
func (s *Stack) refuse() error {
	if s.spec.Edge.Form != stack.EdgeNone || s.spec.Edge.IdleTimeout != 0 {
		return notHere("put nginx or a load balancer before the app", "the streams go to a Service of Kubernetes")
	}
	for name := range s.spec.Toxics {
		if name != stack.EdgeLink {
			return notHere("disturb the network between edge and app", "there is no edge of ours before the pods")
		}
	}
	return nil
}

// notHere says that a scenario does not apply to an app on Kubernetes.
func notHere(what, why string) error {
	return &stack.Unable{What: what, Why: why, App: true,
		Settle: "run this scenario on the app's image (app: image), where streamproof starts it"}
}
