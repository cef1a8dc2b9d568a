// Package local is the stack made of this machine's own processes: the app as a
// command, our origin, or a URL that already runs; nginx where the host has it;
// toxiproxy as a library. What a chain is and does is harness/stack/chain; this is
// its machine.
//
//		client ─▶ edge link ─▶ nginx ─▶ upstream link i ─▶ replica i
//
//	 1. [Opener.Open] starts the replicas, each on a port of its own, and waits
//	    until they are healthy.
//	 2. Each gets a link, nginx gets a configuration that names their two lanes,
//	    and the edge link leads to nginx. Every listening port but the app's is
//	    bound by us before anybody needs it.
//	 3. Each program runs under a guard, a process that kills it with all that it
//	    started when we are gone, even by SIGKILL.
//	 4. What the programs do is told through [stack.Spec.Notify]: starts, exits,
//	    workers that come and go.
//	 5. Close goes the other way, asks first, insists, and names what would not go.
package process

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// cleanup bounds the end of a stack that did not get up.
const cleanup = 15 * time.Second

// NoNginx as [Options.NginxPath] pretends that the host has no nginx.
const NoNginx = "-"

// Options say what the machine offers. Commands are argument vectors to which
// more arguments are added.
type Options struct {
	// OriginCommand starts our origin: {os.Executable(), "origin"}. Apps of
	// other kinds do not need it.
	OriginCommand []string
	// GuardCommand runs [GuardMain]: {os.Executable(), "guard"}. Whatever starts
	// a process needs it.
	GuardCommand []string
	// NginxPath is the nginx binary; "" looks for it, [NoNginx] does without.
	NginxPath string
}

// An Opener opens local stacks.
type Opener struct{ opt Options }

var _ stack.Opener = (*Opener)(nil)

// New returns an opener.
func New(opt Options) *Opener { return &Opener{opt} }

// Kind implements [stack.Opener].
func (*Opener) Kind() string { return "local" }

// Open implements [stack.Opener].
func (o *Opener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	c := &Stack{opt: o.opt, spec: spec}
	if err := chain.Prepare(&c.spec, c.refuse); err != nil {
		return nil, err
	}
	if err := c.start(ctx); err != nil {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
		defer cancel()
		return nil, errors.Join(err, c.Close(ending))
	}
	return c, nil
}

// refuse says what this stack, or this machine, cannot do.
func (c *Stack) refuse() error {
	app := &c.spec.App
	switch {
	case app.Image != "" || app.Build != "" || app.Compose != (stack.Compose{}):
		return &stack.Unable{What: "run a container", Why: "the local stack starts processes only; the Docker stack can"}
	case app.Memory != 0 || app.CPUs != 0 || app.Pids != 0 || app.Shm != 0:
		return &stack.Unable{What: "limit the app's memory, CPUs or pids",
			Why: "the local stack has no cgroup of its own; the Docker stack has"}
	case app.URL != "" && c.spec.Replicas > 1:
		return stack.NotStarted("run replicas of a URL")
	case app.Port != 0 && c.spec.Replicas > 1:
		return errors.New("start replicas: they cannot share one port; leave the port out and use {port} or $PORT in the " +
			"command")
	case c.spec.Edge.NginxConf != "":
		return &stack.Unable{What: "run your own nginx.conf",
			Why: "its addresses are those of containers; the Docker stack can"}
	case app.URL == "" && len(c.opt.GuardCommand) == 0:
		return errors.New("open local stack: Options.GuardCommand is empty")
	case app.Origin != nil && len(c.opt.OriginCommand) == 0:
		return errors.New("open local stack: Options.OriginCommand is empty")
	case app.Origin == nil && len(app.Command) == 0 && app.URL == "":
		return errors.New("open local stack: no app is given")
	}
	return c.refuseEdge()
}

func (c *Stack) refuseEdge() (err error) {
	edge := c.spec.Edge
	if edge.Form == stack.EdgeNone {
		return nil
	}
	if c.remote, err = parseRemote(c.spec.App.URL); err != nil {
		return err
	}
	if c.remote.TLS {
		return &stack.Unable{What: "put an edge before an https URL",
			Why: "it would have to speak TLS to it; the app's own edge is part of what the URL tests",
			App: true, Settle: "test the app behind a plain http URL"}
	}
	if c.nginx = findNginx(c.opt.NginxPath); c.nginx != "" {
		return nil
	}
	const settle = "there is no nginx on this host; install it (Debian: apt-get install nginx-light)"
	if edge.Form != stack.EdgeStreaming {
		return &stack.Unable{What: fmt.Sprintf("run the edge form %q", edge.Form), Why: settle}
	}
	if edge != (stack.Edge{Form: stack.EdgeStreaming, IdleTimeout: edge.IdleTimeout}) {
		return &stack.Unable{What: "run the edge with timeouts and limits of its own", Why: settle}
	}
	return nil
}
