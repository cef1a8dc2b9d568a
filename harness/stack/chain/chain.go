package chain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// A Machine runs the replicas of a chain.
type Machine interface {
	// Open starts replica i, by its number among all that the chain ever had, with
	// its link where it has one. It returns when the app is healthy. On error the
	// machine takes away what there is of it, at once or with its other parts.
	Open(ctx context.Context, i int) (*Replica, error)
	// Retire takes away what is left of a replica that the edge has forgotten and that
	// has been stopped.
	Retire(ctx context.Context, r *Replica) error
}

// An App is one running instance of the app, of one machine.
type App interface {
	Part
	// At is where it is reached. That may change when it starts again.
	At() Entrance
	// Stop asks with SIGTERM and insists after grace; one that does not run is left
	// alone. Start returns when it is healthy again, at the same place in the chain;
	// one that runs is left alone.
	Stop(ctx context.Context, grace time.Duration) error
	Start(ctx context.Context) error
}

// A Layered is an [App] that knows what it is set to.
type Layered interface {
	Layers() []stack.Layer
}

// A Watched is an [App] into which its machine can look.
type Watched interface {
	Watch() *Watch // nil while nothing can be seen
}

// A Pauser is an [App] that can be frozen.
type Pauser interface {
	Pause(ctx context.Context) error
	Unpause(ctx context.Context) error
}

// A Counter is an [App] with counters of the kernel.
type Counter interface {
	Counters(ctx context.Context) (map[string]int64, error)
}

// An Entrance is a place at which something listens.
type Entrance struct {
	URL  string // base of requests from this host
	Dial string // "host:port" to connect to where the URL's own is not meant; "" for the URL's
	Addr string // "host:port" as the parts before it know it
}

// At is the entrance at an address that everybody knows it by.
func At(addr string) Entrance { return Entrance{URL: "http://" + addr, Addr: addr} }

// A Link is a link of a machine, with its two lanes.
type Link interface {
	stack.Link
	Main() Entrance
	Control() Entrance
	// Striker is the relay of the link; nil where the stack does not strike.
	Striker() stack.Striker
}

// A Plain link is one that a machine may make of a relay alone, see
// [stack.Spec.Struck].
type Plain interface {
	Plain() bool // it has no toxiproxy
}

// plain reports whether l is made of a relay alone.
func plain(l Link) bool {
	p, can := l.(Plain)
	return can && p.Plain()
}

// A Replica is one instance of the app and the link that leads to it.
type Replica struct {
	Name string // "app[0]"
	App  App
	Link Link // nil where it is left out
}

// ReplicaName is how replica i is called.
func ReplicaName(i int) string { return fmt.Sprintf("app[%d]", i) }

// UpstreamName is how the link to replica i is called.
func UpstreamName(i int) string { return fmt.Sprintf("%s[%d]", stack.UpstreamLink, i) }

// main and control are the ways to the replica, by its link where it has one.
func (r *Replica) main() Entrance {
	if r.Link != nil {
		return r.Link.Main()
	}
	return r.App.At()
}

func (r *Replica) control() Entrance {
	if r.Link != nil {
		return r.Link.Control()
	}
	return r.App.At()
}

// A Chain is what stands between the clients and the app. A machine fills it from
// its inner end to its outer one; it is a [stack.Stack] but for Logs, Versions and
// Close, which are the machine's.
type Chain struct {
	Spec    *stack.Spec
	Machine Machine
	// Network is what the links are made of: "toxiproxy 2.12.0". What is what the app
	// is made of: "image acme/chat:ci".
	Network, What string

	EdgeLink Link // nil where it is left out
	Edge     Edge // nil for [stack.EdgeNone]
	// EdgeAt is where the edge is reached, without the link before it.
	EdgeAt func() Entrance
	// Remote is the app where we did not start it; it is none of the replicas.
	Remote *Remote

	mu       sync.Mutex // guards what follows
	replicas []*Replica
	next     int // number of the replica that comes next
}

// A Remote is an app that somebody else has started, and the link that leads to it.
type Remote struct {
	At   Entrance
	Link Link // nil where it is left out
}

// Reserve gives out the number of the next replica.
func (c *Chain) Reserve() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return c.next - 1
}

// OpenReplicas opens as many as the spec asks for, side by side, and makes them part
// of the chain once all are up.
func (c *Chain) OpenReplicas(ctx context.Context) error {
	rs := make([]*Replica, max(c.Spec.Replicas, 1))
	errs := make([]error, len(rs))
	var all sync.WaitGroup
	for i := range rs {
		n := c.Reserve()
		all.Go(func() { rs[i], errs[i] = c.Machine.Open(ctx, n) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return err // one is enough to read; they are alike
		}
	}
	c.Join(rs...)
	return nil
}

// Join makes replicas part of the chain.
func (c *Chain) Join(rs ...*Replica) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.replicas = append(c.replicas, rs...)
}

// Living are the replicas that the chain has now.
func (c *Chain) Living() []*Replica {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.replicas)
}

// Find returns a replica by name.
func (c *Chain) Find(name string) (*Replica, error) {
	if c.Remote != nil {
		return nil, notOurs()
	}
	for _, r := range c.Living() {
		if r.Name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("find replica: there is no %q", name)
}

func notOurs() error { return stack.NotStarted("see and signal the app's processes") }

// Upstreams are where the edge passes requests on to.
func (c *Chain) Upstreams() (ups []nginxconf.Upstream) {
	if c.Remote != nil {
		r := Replica{Link: c.Remote.Link}
		if r.Link == nil {
			return []nginxconf.Upstream{{Main: c.Remote.At.Addr, Control: c.Remote.At.Addr}}
		}
		return []nginxconf.Upstream{{Main: r.main().Addr, Control: r.control().Addr}}
	}
	for _, r := range c.Living() {
		ups = append(ups, nginxconf.Upstream{Main: r.main().Addr, Control: r.control().Addr})
	}
	return ups
}

// Hops implements [stack.Stack].
func (c *Chain) Hops() (hops []stack.Hop) {
	if c.EdgeLink != nil {
		hops = append(hops, hop("edge", c.made(c.EdgeLink), c.EdgeLink.Main(), c.EdgeLink.Control()))
	}
	if c.Edge != nil {
		hops = append(hops, hop("nginx", c.Edge.What(), c.EdgeAt(), c.EdgeAt()))
	}
	if app, link, ok := c.innermost(); ok {
		if link != nil {
			hops = append(hops, hop("upstream", c.made(link), link.Main(), link.Control()))
		}
		if len(hops) == 0 { // the app is the whole chain
			hops = append(hops, hop("edge", c.What, app, app))
		}
		hops = append(hops, hop("app", c.What, app, app))
	}
	if len(hops) > 0 {
		hops[0].Name = "edge" // whatever the chain begins with
	}
	return hops
}

// made is what a link is made of.
func (c *Chain) made(l Link) string {
	if plain(l) {
		return "relay"
	}
	return c.Network
}

func hop(name, what string, main, control Entrance) stack.Hop {
	return stack.Hop{Name: name, What: what, URL: main.URL, Control: control.URL,
		Dial: main.Dial, DialControl: control.Dial}
}

// innermost is the first replica, or the app that we did not start.
func (c *Chain) innermost() (app Entrance, link Link, ok bool) {
	if c.Remote != nil {
		return c.Remote.At, c.Remote.Link, true
	}
	rs := c.Living()
	if len(rs) == 0 {
		return app, nil, false
	}
	return rs[0].App.At(), rs[0].Link, true
}

// Links implements [stack.Stack].
func (c *Chain) Links() (list []stack.Link) {
	for _, l := range c.links() {
		list = append(list, show(l))
	}
	return list
}

// links are those that stand in the chain, the edge's first.
func (c *Chain) links() []Link {
	all := []Link{c.EdgeLink}
	if c.Remote != nil {
		all = append(all, c.Remote.Link)
	}
	for _, r := range c.Living() {
		all = append(all, r.Link)
	}
	return slices.DeleteFunc(all, func(l Link) bool { return l == nil })
}

// Toxic reports whether a toxiproxy stands in the chain.
func (c *Chain) Toxic() bool {
	return slices.ContainsFunc(c.links(), func(l Link) bool { return !plain(l) })
}

// A strikingLink is a link with its relay.
type strikingLink struct {
	stack.Link
	stack.Striker
}

// show is the link as the stack's user sees it: a [stack.Striker] only where it can
// strike.
func show(l Link) stack.Link {
	if s := l.Striker(); s != nil {
		return strikingLink{l, s}
	}
	return l
}

// Replicas implements [stack.Stack].
func (c *Chain) Replicas() (list []stack.Replica) {
	for _, r := range c.Living() {
		list = append(list, r.show())
	}
	return list
}

// show is the replica as the stack's user sees it.
func (r *Replica) show() stack.Replica {
	s := stack.Replica{Name: r.Name, Addr: r.main().Addr, URL: r.App.At().URL}
	if r.Link != nil {
		s.Control = r.Link.Control().Addr
	}
	return s
}

// Layers implements [stack.Stack].
func (c *Chain) Layers() []stack.Layer {
	layers := c.Spec.Balancer()
	if c.Toxic() {
		passes := map[string]string{"reset from behind it": "passed on as FIN"}
		layers = append(layers, stack.Layer{Name: "toxiproxy", Settings: passes})
	}
	if c.Edge != nil {
		layers = append(layers, c.Edge.Layer())
	}
	if rs := c.Living(); len(rs) > 0 {
		if l, ok := rs[0].App.(Layered); ok {
			layers = append(layers, l.Layers()...)
		}
	}
	return layers
}

// Processes implements [stack.Killer]. Masters come before their workers; a replica
// that does not run has none.
func (c *Chain) Processes(ctx context.Context) (all []stack.Process, err error) {
	if c.Remote != nil {
		return nil, notOurs()
	}
	for _, r := range c.Living() {
		ps, err := r.App.Processes(ctx)
		if err != nil {
			return nil, fmt.Errorf("list processes of %s: %w", r.Name, err)
		}
		Assign(r.App.Pid(), ps)
		for _, p := range ps {
			p.Replica = r.Name
			if p.Host != 0 {
				p.Sockets = stack.Sockets(p.Host)
			}
			all = append(all, p.Process)
		}
	}
	return all, nil
}

// Signal implements [stack.Killer].
func (c *Chain) Signal(ctx context.Context, p stack.Process, sig int) error {
	r, err := c.Find(p.Replica)
	if err != nil {
		return err
	}
	at := c.Spec.Now() // before it: streams end as soon as it is sent
	if err := r.App.Signal(ctx, p.Pid, syscall.Signal(sig)); err != nil {
		return fmt.Errorf("signal pid %d of %s: %w", p.Pid, p.Replica, err)
	}
	c.Spec.Notify(stack.Event{At: at, Source: record.ProcessSource, Kind: record.KindKill, Subject: p.Replica,
		Pid: p.Pid, Code: sig, Text: fmt.Sprintf("%v sent by us to %s %s", syscall.Signal(sig), p.Role, p.Command)})
	return nil
}

// Counters implements [stack.Counter].
func (c *Chain) Counters(ctx context.Context, name string) (map[string]int64, error) {
	r, err := c.Find(name)
	if err != nil {
		return nil, err
	}
	counter, ok := r.App.(Counter)
	if !ok {
		return nil, unable("read counters")
	}
	n, err := counter.Counters(ctx)
	if err != nil {
		return nil, fmt.Errorf("read counters of %s: %w", name, err)
	}
	return n, nil
}

func unable(what string) error {
	return &stack.Unable{What: what, Why: "this machine has no such ability"}
}

// Pause implements [stack.Pauser].
func (c *Chain) Pause(ctx context.Context, name string) error {
	return c.pauser(name, "pause", func(p Pauser) error { return p.Pause(ctx) })
}

// Unpause implements [stack.Pauser]. One that is not paused is left alone.
func (c *Chain) Unpause(ctx context.Context, name string) error {
	return c.pauser(name, "unpause", func(p Pauser) error { return p.Unpause(ctx) })
}

func (c *Chain) pauser(name, what string, do func(Pauser) error) error {
	r, err := c.Find(name)
	if err != nil {
		return err
	}
	p, ok := r.App.(Pauser)
	if !ok {
		return unable("freeze a replica")
	}
	if err := do(p); err != nil {
		return fmt.Errorf("%s %s: %w", what, name, err)
	}
	return nil
}

// Stop implements [stack.Stopper].
func (c *Chain) Stop(ctx context.Context, name string, grace time.Duration) error {
	r, err := c.Find(name)
	if err != nil {
		return err
	}
	return c.stop(ctx, r, cmp.Or(grace, c.Spec.App.Grace))
}

// stop asks a replica to end, and tells so.
func (c *Chain) stop(ctx context.Context, r *Replica, grace time.Duration) error {
	Tell(c.Spec, r.Name, record.KindStop, r.App.Pid(), int(syscall.SIGTERM), fmt.Sprintf("SIGTERM, grace %v", grace))
	return r.App.Stop(ctx, grace)
}

// Start implements [stack.Stopper].
func (c *Chain) Start(ctx context.Context, name string) error {
	r, err := c.Find(name)
	if err != nil {
		return err
	}
	return r.App.Start(ctx)
}

// ReloadEdge has nginx read its configuration again. A stack that can have nginx is a
// [stack.Reloader] by it.
func (c *Chain) ReloadEdge(ctx context.Context) error {
	if _, ok := c.Edge.(*Nginx); !ok {
		return &stack.Unable{What: "reload nginx", Why: "there is none in this stack"}
	}
	return c.Edge.Route(ctx, c.Upstreams())
}

// AddReplica implements [stack.Scaler]. The edge sends it streams as soon as it is
// healthy.
func (c *Chain) AddReplica(ctx context.Context) (stack.Replica, error) {
	if err := c.scalable(); err != nil {
		return stack.Replica{}, err
	}
	r, err := c.Machine.Open(ctx, c.Reserve())
	if err != nil {
		return stack.Replica{}, err
	}
	c.Join(r)
	if err := c.Edge.Route(ctx, c.Upstreams()); err != nil {
		return stack.Replica{}, err
	}
	return r.show(), nil
}

// RemoveReplica implements [stack.Scaler]: the edge forgets it, then it gets
// SIGTERM and its grace, so that streams in flight may finish.
func (c *Chain) RemoveReplica(ctx context.Context, name string) error {
	if err := c.scalable(); err != nil {
		return err
	}
	r, err := c.Find(name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	last := len(c.replicas) == 1
	if !last {
		c.replicas = slices.DeleteFunc(c.replicas, func(q *Replica) bool { return q == r })
	}
	c.mu.Unlock()
	if last {
		return fmt.Errorf("remove replica %s: it is the last one", name)
	}
	if err := c.Edge.Route(ctx, c.Upstreams()); err != nil {
		return fmt.Errorf("remove replica %s: %w", name, err)
	}
	return errors.Join(c.stop(ctx, r, c.Spec.App.Grace), c.Machine.Retire(ctx, r))
}

func (c *Chain) scalable() error {
	switch {
	case c.Remote != nil:
		return notOurs()
	case c.Edge == nil:
		return &stack.Unable{What: "add and remove replicas", Why: "there is no edge to send streams to them"}
	}
	return nil
}

// Settle implements [stack.Settler]: what has changed within the pause between two
// looks is told. The counters of a kill rise before its streams end.
func (c *Chain) Settle(context.Context) {
	for _, r := range c.Living() {
		if w, ok := r.App.(Watched); ok && w.Watch() != nil {
			w.Watch().Look()
		}
	}
}
