package local

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
)

// A Stack is a running chain of processes.
type Stack struct {
	opt    Options
	spec   stack.Spec
	nginx  string // binary; "" for the Go edge
	remote remote // of a URL app
	server *toxiproxy.ApiServer

	versions map[string]string
	edgeLink *link
	edge     edge  // nil for EdgeNone
	remoteUp *link // upstream link of a URL app behind an edge

	mu       sync.Mutex // guards what follows
	replicas []*replica
	logs     []stack.Log // of all replicas ever started
	next     int         // index of the replica that comes next

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
	c.server = newServer()
	if c.spec.App.URL == "" {
		if err := c.startReplicas(ctx); err != nil {
			return err
		}
	}
	front := c.innermost()
	if c.spec.Edge.Form != stack.EdgeNone {
		if err := c.startEdge(ctx); err != nil {
			return err
		}
		front = c.edge.addr()
	}
	c.edgeLink, err = newLink(ctx, c.server, stack.EdgeLink, front, &c.spec, c.spec.Toxics[stack.EdgeLink])
	c.versions = c.findVersions()
	return err
}

// innermost is the address of the first replica, or of the URL.
func (c *Stack) innermost() string {
	if len(c.replicas) > 0 {
		return c.replicas[0].addr()
	}
	return c.remote.Addr
}

// startReplicas starts all at once and waits for all; those that got up are
// kept, also on error, for Close.
func (c *Stack) startReplicas(ctx context.Context) error {
	errs := make([]error, c.spec.Replicas)
	var all sync.WaitGroup
	for i := range c.spec.Replicas {
		r := c.newReplica()
		c.replicas = append(c.replicas, r)
		all.Go(func() { errs[i] = r.open(ctx) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err // one is enough to read; they are alike
		}
	}
	return nil
}

// startEdge opens the upstream links and the edge before them.
func (c *Stack) startEdge(ctx context.Context) (err error) {
	for _, r := range c.replicas {
		if err := c.openUpstream(ctx, r); err != nil {
			return err
		}
	}
	if len(c.replicas) == 0 {
		c.remoteUp, err = newLink(ctx, c.server, upstreamName(0), c.remote.Addr, &c.spec, c.spec.Toxics[stack.UpstreamLink])
		if err != nil {
			return err
		}
	}
	return c.openEdge(ctx, c.upstreams())
}

func upstreamName(i int) string { return fmt.Sprintf("%s[%d]", stack.UpstreamLink, i) }

func (c *Stack) openUpstream(ctx context.Context, r *replica) (err error) {
	r.link, err = newLink(ctx, c.server, upstreamName(r.index), r.addr(), &c.spec, c.spec.Toxics[stack.UpstreamLink])
	return err
}

// upstreamLinks lists the links behind the edge.
func (c *Stack) upstreamLinks() []*link {
	if c.remoteUp != nil {
		return []*link{c.remoteUp}
	}
	var links []*link
	for _, r := range c.all() {
		if r.link != nil {
			links = append(links, r.link)
		}
	}
	return links
}

func (c *Stack) upstreams() []nginxconf.Upstream {
	var ups []nginxconf.Upstream
	for _, l := range c.upstreamLinks() {
		ups = append(ups, nginxconf.Upstream{Main: l.addr(), Control: l.controlAddr()})
	}
	return ups
}

func (c *Stack) all() []*replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.replicas)
}

// findVersions names the parts for the report.
func (c *Stack) findVersions() map[string]string {
	v := map[string]string{}
	if len(c.Links()) > 0 {
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
	if c.edgeLink != nil {
		errs = append(errs, c.edgeLink.close(ctx))
	}
	if c.edge != nil {
		errs = append(errs, c.edge.close(ctx))
	}
	if c.remoteUp != nil {
		errs = append(errs, c.remoteUp.close(ctx))
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

// close ends the replica with its link.
func (r *replica) close(ctx context.Context) error {
	var linkErr error
	if r.link != nil {
		linkErr = r.link.close(ctx)
	}
	err := r.stop(ctx, r.spec.App.Grace)
	if err == nil {
		r.giveBack()
	}
	return errors.Join(linkErr, err)
}

// Logs implements [stack.Stack].
func (c *Stack) Logs() []stack.Log {
	var logs []stack.Log
	if c.edge != nil && c.nginx != "" {
		logs = append(logs, stack.Log{Name: nginxAccessLog, Kind: string(record.NginxAccess)},
			stack.Log{Name: nginxErrorLog, Kind: string(record.NginxError)},
			stack.Log{Name: nginxOut, Kind: string(record.ProxyLog)})
	} else if c.edge != nil {
		logs = append(logs, stack.Log{Name: goEdgeLog, Kind: string(record.ProxyLog)})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return append(logs, c.logs...)
}
