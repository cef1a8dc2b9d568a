package process

import (
	"cmp"
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"

	toxiproxy "github.com/Shopify/toxiproxy/v2"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// A Stack is a running chain of processes.
type Stack struct {
	chain.Chain
	opt    Options
	spec   stack.Spec
	nginx  string // binary; "" for the Go edge
	remote remote // of a URL app
	server *toxiproxy.ApiServer
	edge   edge    // nil for EdgeNone
	links  []*link // to what is not a replica: the edge, and the app of a URL

	opening sync.Mutex // guards opened
	opened  []*replica // all that were ever opened

	closing sync.Mutex // makes Close wait for Close
}

var (
	_ stack.Stack    = (*Stack)(nil)
	_ stack.Killer   = (*Stack)(nil)
	_ stack.Pauser   = (*Stack)(nil)
	_ stack.Stopper  = (*Stack)(nil)
	_ stack.Reloader = (*Stack)(nil)
	_ stack.Scaler   = (*Stack)(nil)
	_ stack.Counter  = (*Stack)(nil)
	_ stack.Hosted   = (*Stack)(nil)
	_ stack.Settler  = (*Stack)(nil)
)

// start brings up the chain from its inner end to its outer one.
func (c *Stack) start(ctx context.Context) (err error) {
	if c.remote, err = parseRemote(c.spec.App.URL); err != nil {
		return err
	}
	c.remote.Addr = cmp.Or(c.spec.App.Addr, c.remote.Addr)
	c.server = newServer()
	c.Spec, c.Machine, c.What = &c.spec, machine{c}, c.appWhat()
	c.Network = "relay and toxiproxy " + moduleVersion("github.com/Shopify/toxiproxy/v2")
	if c.spec.App.URL == "" {
		err = c.OpenReplicas(ctx)
	} else {
		err = c.attach(ctx)
	}
	if err != nil {
		return err
	}
	front, base := c.Upstreams()[0].Main, c.remote.Base
	if c.hasEdge() {
		if err := c.openEdge(ctx, c.Upstreams()); err != nil {
			return err
		}
		c.Edge, c.EdgeAt = c.edge, func() chain.Entrance { return chain.At(c.edge.addr()) }
		if n, ok := c.edge.(*nginx); ok {
			c.Edge = n.Nginx
		}
		front, base = c.edge.addr(), ""
	}
	c.EdgeLink, err = c.openLink(ctx, stack.EdgeLink, front, base)
	return err
}

func (c *Stack) hasEdge() bool { return c.spec.Edge.Form != stack.EdgeNone }

func (c *Stack) appWhat() string {
	switch {
	case c.spec.App.URL != "":
		return "app"
	case c.spec.App.Origin != nil:
		return "origin"
	}
	return "command " + c.spec.App.Command[0]
}

// openLink opens a link to what is no replica; nil where it is left out.
func (c *Stack) openLink(ctx context.Context, name, target, base string) (chain.Link, error) {
	l, err := newLink(ctx, c.server, name, target, &c.spec)
	if l == nil {
		return nil, err
	}
	l.base = base
	c.links = append(c.links, l)
	return l, err
}

// attach makes the app of a URL the inner end.
func (c *Stack) attach(ctx context.Context) (err error) {
	c.Remote = &chain.Remote{At: chain.Entrance{URL: c.remote.Base, Addr: c.remote.Addr}}
	if c.hasEdge() {
		c.Remote.Link, err = c.openLink(ctx, chain.UpstreamName(0), c.remote.Addr, c.remote.Base)
	}
	return err
}

// A machine runs the replicas as processes.
type machine struct{ *Stack }

// Open implements [chain.Machine].
func (c machine) Open(ctx context.Context, i int) (*chain.Replica, error) {
	if c.spec.App.Port != 0 && i > 0 {
		return nil, &stack.Unable{What: "add and remove replicas", Why: "the command's port is fixed",
			App: true, Settle: "use {port} or $PORT in the command"}
	}
	r := c.newReplica(i)
	err := r.open(ctx)
	if err == nil && c.hasEdge() {
		r.link, err = newLink(ctx, c.server, chain.UpstreamName(i), r.addr(), &c.spec)
	}
	if err != nil {
		return nil, errors.Join(err, r.close(ctx))
	}
	open := &chain.Replica{Name: r.name, App: r}
	if r.link != nil {
		open.Link = r.link
	}
	return open, nil
}

// Retire implements [chain.Machine].
func (c machine) Retire(ctx context.Context, r *chain.Replica) error {
	return r.App.(*replica).close(ctx)
}

// openEdge starts the edge before the given upstreams.
func (c *Stack) openEdge(ctx context.Context, ups []nginxconf.Upstream) (err error) {
	var e edge
	if c.nginx == "" {
		e, err = startGoEdge(c, ups)
	} else {
		e, err = startNginx(ctx, c, ups)
	}
	if err == nil {
		c.edge = e
	}
	return err
}

func (c *Stack) all() []*replica {
	c.opening.Lock()
	defer c.opening.Unlock()
	return slices.Clone(c.opened)
}

// Reload implements [stack.Reloader].
func (c *Stack) Reload(ctx context.Context) error { return c.ReloadEdge(ctx) }

// Versions implements [stack.Stack].
func (c *Stack) Versions() map[string]string {
	v := map[string]string{}
	if c.Toxic() {
		v["toxiproxy"] = moduleVersion("github.com/Shopify/toxiproxy/v2")
	}
	if c.edge != nil {
		name, version := c.edge.Version()
		v[name] = version
	}
	return v
}

// moduleVersion is the version of a module linked into this binary, without its v.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range info.Deps {
		if m.Path == path && len(m.Version) > 1 {
			return m.Version[1:]
		}
	}
	return "unknown"
}

// Close implements [stack.Stack]. It goes from the outside in, so that a process
// that ends cuts nobody's stream by surprise.
func (c *Stack) Close(ctx context.Context) error {
	c.closing.Lock()
	defer c.closing.Unlock()
	var errs []error
	for _, l := range slices.Backward(c.links) {
		errs = append(errs, l.close(ctx))
	}
	if c.edge != nil {
		errs = append(errs, c.edge.close(ctx))
	}
	replicas := c.all()
	ends := make([]error, len(replicas))
	var all sync.WaitGroup
	for i, r := range replicas {
		all.Go(func() { ends[i] = r.close(ctx) })
	}
	all.Wait()
	return errors.Join(append(errs, ends...)...)
}

// Logs implements [stack.Stack].
func (c *Stack) Logs() []stack.Log {
	var logs []stack.Log
	if c.edge != nil && c.nginx != "" {
		logs = append(logs, stack.Log{Name: nginxAccessLog, Kind: record.NginxAccess},
			stack.Log{Name: nginxErrorLog, Kind: record.NginxError},
			stack.Log{Name: nginxOut, Kind: record.ProxyLog})
	} else if c.edge != nil {
		logs = append(logs, stack.Log{Name: goEdgeLog, Kind: record.ProxyLog})
	}
	for _, r := range c.all() {
		logs = append(logs, stack.Log{Name: r.log, Kind: record.AppLog})
	}
	return logs
}

// HostPids implements [stack.Hosted]: the guards, below which all runs that we
// started. It waits for no start and no stop.
func (c *Stack) HostPids() (pids []int) {
	if n, ok := c.edge.(*nginx); ok && n.proc != nil {
		pids = append(pids, n.proc.guard.Process.Pid)
	}
	for _, r := range c.all() {
		if proc := r.begun.Load(); proc != nil {
			pids = append(pids, proc.guard.Process.Pid)
		}
	}
	return pids
}
