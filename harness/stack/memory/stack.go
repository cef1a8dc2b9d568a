package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// An Opener opens stacks in memory. It must not be copied.
type Opener struct {
	// App makes the handler of a replica, counted from 0, each time that it starts.
	// One with a method Shutdown(context.Context) error, as origin.Server has, is
	// asked to end by it where a process would get SIGTERM.
	App func(replica int) http.Handler
	// Twins lets stacks start a second edge ([stack.Twinner]).
	Twins bool

	mu    sync.Mutex // guards hosts
	hosts map[string]entrance
}

// An entrance is what is connected to at an address.
type entrance func(ctx context.Context, from addr) (net.Conn, error)

// Kind implements [stack.Opener].
func (*Opener) Kind() string { return "memory" }

// DialContext implements [stack.Dialer].
func (o *Opener) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	o.mu.Lock()
	enter, ok := o.hosts[address]
	o.mu.Unlock()
	err := error(syscall.ECONNREFUSED)
	if ok {
		var c net.Conn
		if c, err = enter(ctx, "client.memory:1"); err == nil {
			return c, nil
		}
	}
	return nil, &net.OpError{Op: "dial", Net: "memory", Addr: addr(address), Err: err}
}

// Open implements [stack.Opener].
func (o *Opener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if spec.Notify == nil {
		spec.Notify = func(stack.Event) {}
	}
	spec.App.Grace = cmp.Or(spec.App.Grace, defaultGrace)
	s := &Stack{opener: o, spec: spec, hosts: map[addr]entrance{}, open: map[*conn]struct{}{}}
	s.Chain.Spec, s.Machine, s.What, s.Network = &s.spec, machine{s}, "app", "link in memory"
	if !spec.LeftOut(stack.EdgeLink) {
		s.edge = newLink(stack.EdgeLink, spec.Now, spec.Toxics[stack.EdgeLink])
		s.edge.main, s.edge.control = at(edgeHost), at(controlHost)
		s.EdgeLink = s.edge
	}
	if s.balanced() {
		s.Edge, s.EdgeAt = balancer{form: spec.Edge.Form}, func() chain.Entrance { return at(balancerHost) }
		s.host(balancerHost, s.enterControl)
	}
	for range max(1, spec.Replicas) { // one after the other: a run in memory is always the same
		r, err := s.Machine.Open(ctx, s.Reserve())
		if err != nil {
			return nil, err
		}
		s.Join(r)
	}
	s.host(edgeHost, s.enterMain)
	s.host(controlHost, s.enterControl)
	if o.Twins {
		return twinStack{s}, nil
	}
	return s, nil
}

// at is the entrance at an address, whose port is that of HTTP.
func at(a addr) chain.Entrance {
	return chain.Entrance{URL: "http://" + strings.TrimSuffix(string(a), ":80"), Addr: string(a)}
}

// host makes an address of the stack answer.
func (s *Stack) host(at addr, enter entrance) {
	s.mu.Lock()
	s.hosts[at] = enter
	s.mu.Unlock()
	s.opener.mu.Lock()
	defer s.opener.mu.Unlock()
	if s.opener.hosts == nil {
		s.opener.hosts = map[string]entrance{}
	}
	s.opener.hosts[string(at)] = enter
}

// Addresses of a stack.
const (
	edgeHost     = "edge.memory:80"    // main lane of the edge link
	controlHost  = "control.memory:80" // its control lane
	balancerHost = "balancer.memory:80"
)

// A Stack is an app in memory, with what it can be asked to do.
type Stack struct {
	chain.Chain
	opener *Opener
	spec   stack.Spec
	edge   *link // nil where it is left out

	servers sync.WaitGroup // accept loops
	flows   sync.WaitGroup // connections through the chain

	mu     sync.Mutex // guards what follows
	hosts  map[addr]entrance
	open   map[*conn]struct{} // our ends of clients' connections
	all    []*replica         // that there ever were
	turn   int                // of the balancer
	pids   int
	closed bool
}

var (
	_ stack.Stack    = (*Stack)(nil)
	_ stack.Killer   = (*Stack)(nil)
	_ stack.Pauser   = (*Stack)(nil)
	_ stack.Stopper  = (*Stack)(nil)
	_ stack.Scaler   = (*Stack)(nil)
	_ stack.Reloader = (*Stack)(nil)
	_ stack.Twinner  = twinStack{}
	_ stack.Dialer   = (*Opener)(nil)
	_ stack.Striker  = (*link)(nil)
)

// A machine runs the replicas as handlers.
type machine struct{ *Stack }

// Open implements [chain.Machine].
func (s machine) Open(_ context.Context, i int) (*chain.Replica, error) {
	r := &replica{s: s.Stack, index: i, name: chain.ReplicaName(i), addr: addr(fmt.Sprintf("app-%d.memory:80", i))}
	open := &chain.Replica{Name: r.name, App: r}
	if s.balanced() && !s.spec.LeftOut(stack.UpstreamLink) {
		r.link = newLink(chain.UpstreamName(i), s.spec.Now, s.spec.Toxics[stack.UpstreamLink])
		main, control := addr(fmt.Sprintf("upstream-%d.memory:80", i)), addr(fmt.Sprintf("beside-%d.memory:80", i))
		r.link.main, r.link.control = at(main), at(control)
		r.link.main.Addr, r.link.control.Addr = string(r.addr), string(r.addr) // the edge knows it by its own
		open.Link = r.link
		s.host(main, func(ctx context.Context, from addr) (net.Conn, error) { return direct(s.behind(ctx, from, r, true)) })
		s.host(control, func(ctx context.Context, from addr) (net.Conn, error) {
			return direct(s.behind(ctx, from, r, false))
		})
	}
	s.mu.Lock()
	s.all = append(s.all, r)
	s.mu.Unlock()
	s.host(r.addr, func(ctx context.Context, from addr) (net.Conn, error) { return direct(r.connect(ctx, from)) })
	return open, r.Start(context.Background())
}

// Retire implements [chain.Machine].
func (machine) Retire(context.Context, *chain.Replica) error { return nil }

// A balancer is the edge of a stack in memory. It reads the list of replicas for
// each connection.
type balancer struct{ form stack.EdgeForm }

func (balancer) Version() (name, version string) { return balancerName, inMemory }

const balancerName, inMemory = "balancer", "in memory"

// What implements [chain.Edge].
func (b balancer) What() string {
	if b.form == "" {
		return balancerName + " " + inMemory
	}
	return balancerName + " " + inMemory + ", form " + string(b.form)
}

// Layer implements [chain.Edge].
func (balancer) Layer() stack.Layer {
	return stack.Layer{Name: balancerName, Settings: map[string]string{"buffering": "off"}}
}

func (balancer) Route(context.Context, []nginxconf.Upstream) error { return nil }

// direct keeps a nil connection from being a net.Conn.
func direct(c *conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	return c, nil
}

// balanced reports whether there is an edge.
func (s *Stack) balanced() bool { return s.spec.Edge.Form != stack.EdgeNone }

func (s *Stack) pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pids++
	return 1000 + s.pids
}

func (s *Stack) enterMain(ctx context.Context, from addr) (net.Conn, error) {
	return direct(s.enter(ctx, from, true))
}

func (s *Stack) enterControl(ctx context.Context, from addr) (net.Conn, error) {
	return direct(s.enter(ctx, from, false))
}

// enter connects a client to the chain, by the lane of the edge link that is faulted or
// by the other.
func (s *Stack) enter(ctx context.Context, from addr, faulted bool) (*conn, error) {
	client, outer := connect(from, edgeHost)
	f := &flow{outer: outer}
	if faulted && s.edge != nil {
		if !s.edge.enter(f) {
			return nil, syscall.ECONNREFUSED
		}
		f.links = append(f.links, s.edge)
	}
	if s.balanced() {
		s.carry(f, s.balance)
		return client, nil
	}
	if !s.forward(ctx, f, faulted) {
		f.leave()
		return nil, syscall.ECONNREFUSED
	}
	s.carry(f, (*flow).run)
	return client, nil
}

// behind connects a client to a replica by a lane of its link.
func (s *Stack) behind(ctx context.Context, from addr, r *replica, faulted bool) (*conn, error) {
	client, outer := connect(from, r.addr)
	f := &flow{outer: outer}
	if !s.reach(ctx, f, r, faulted) {
		return nil, syscall.ECONNREFUSED
	}
	s.carry(f, (*flow).run)
	return client, nil
}

// carry has do carry a client's connection in a goroutine, which ends with it or with
// the stack.
func (s *Stack) carry(f *flow, do func(*flow)) {
	s.mu.Lock()
	s.open[f.outer] = struct{}{}
	s.mu.Unlock()
	s.flows.Go(func() {
		do(f)
		f.leave()
		s.mu.Lock()
		delete(s.open, f.outer)
		s.mu.Unlock()
	})
}

// balance reads the head of a request, which names the lane behind the edge, and leads
// it to a replica. Where there is none it answers 502, as an edge does.
func (s *Stack) balance(f *flow) {
	head, err := f.outer.take(bufferSize)
	if err != nil {
		f.outer.Close()
		return
	}
	if !s.forward(context.Background(), f, field(head.data, stack.LaneHeader) != stack.ControlLane) {
		f.outer.Write([]byte("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		f.outer.Close()
		return
	}
	f.head = &head
	f.run()
}

// forward finds f a replica that accepts it, the next in turn first.
func (s *Stack) forward(ctx context.Context, f *flow, faulted bool) bool {
	for _, r := range s.turns() {
		if !s.reach(ctx, f, r, faulted) {
			continue
		}
		if s.balanced() {
			f.upstream = string(r.addr)
		}
		return true
	}
	return false
}

// reach leads f to a replica, through its link on the lane that is faulted.
func (s *Stack) reach(ctx context.Context, f *flow, r *replica, faulted bool) bool {
	inner, err := r.connect(ctx, edgeHost)
	if err != nil {
		return false
	}
	if faulted && r.link != nil {
		if !r.link.enter(f) {
			inner.Close()
			return false
		}
		f.links = append(f.links, r.link)
	}
	f.inner = inner
	return true
}

// turns lists the replicas behind the edge, the one whose turn it is first; without
// an edge there is one.
func (s *Stack) turns() (rs []*replica) {
	for _, r := range s.Living() {
		rs = append(rs, r.App.(*replica))
	}
	if len(rs) == 0 || !s.balanced() {
		return rs[:min(len(rs), 1)]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.turn % len(rs)
	s.turn++
	return slices.Concat(rs[i:], rs[:i])
}

// Reload implements [stack.Reloader]: a balancer reads the replicas anew for each
// connection, so that nothing is left to do. The edge is called as in all stacks.
func (s *Stack) Reload(ctx context.Context) error {
	if !s.balanced() {
		return &stack.Unable{What: "reload the edge", Why: "there is none in this stack"}
	}
	chain.Tell(&s.spec, "nginx", record.KindReload, 0, int(syscall.SIGHUP), "replicas read anew")
	return s.Edge.Route(ctx, s.Upstreams())
}

// Logs implements [stack.Stack]: nobody writes any.
func (*Stack) Logs() []stack.Log { return nil }

// Versions implements [stack.Stack].
func (s *Stack) Versions() map[string]string {
	if !s.balanced() {
		return nil
	}
	return map[string]string{balancerName: inMemory}
}

// Close implements [stack.Stack]. It waits until nothing of the stack is left; the
// error says what is.
func (s *Stack) Close(ctx context.Context) error {
	s.mu.Lock()
	again, all, hosts, open := s.closed, slices.Clone(s.all), maps.Clone(s.hosts), maps.Clone(s.open)
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.opener.mu.Lock()
	for host := range hosts {
		delete(s.opener.hosts, string(host))
	}
	s.opener.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the last handler
		defer close(ended)
		for _, r := range all {
			r.end(ctx, 0)
		}
		s.servers.Wait()
		for c := range open { // a client that has sent nothing yet
			c.Close()
		}
		s.flows.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("a handler or a connection has not ended"), ctx.Err())
	}
}
