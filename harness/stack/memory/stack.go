package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// An Opener opens stacks in memory. It must not be copied.
type Opener struct {
	// App makes the handler of a replica, counted from 0, each time that it starts.
	// One with a method Shutdown(context.Context) error, as origin.Server has, is
	// asked to end by it where a process would get SIGTERM.
	App func(replica int) http.Handler

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
	s := &Stack{opener: o, spec: spec}
	if !spec.LeftOut(stack.EdgeLink) {
		s.edge = newLink(stack.EdgeLink, spec.Now, spec.Toxics[stack.EdgeLink])
	}
	for range max(1, spec.Replicas) {
		s.add()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.hosts == nil {
		o.hosts = map[string]entrance{}
	}
	o.hosts[edgeHost], o.hosts[controlHost] = s.enterMain, s.enterControl
	return s, nil
}

// Addresses of a stack.
const (
	edgeHost    = "edge.memory:80"
	controlHost = "control.memory:80"
)

// A Stack is an app in memory, with what it can be asked to do.
type Stack struct {
	opener *Opener
	spec   stack.Spec
	edge   *link // nil where it is left out

	servers sync.WaitGroup // accept loops
	flows   sync.WaitGroup // connections through the chain

	mu       sync.Mutex // guards what follows
	replicas []*replica // behind the edge
	all      []*replica // that there ever were
	next     int        // index of the next replica
	turn     int        // of the balancer
	pids     int
	closed   bool
}

var (
	_ stack.Stack   = (*Stack)(nil)
	_ stack.Killer  = (*Stack)(nil)
	_ stack.Pauser  = (*Stack)(nil)
	_ stack.Stopper = (*Stack)(nil)
	_ stack.Scaler  = (*Stack)(nil)
	_ stack.Dialer  = (*Opener)(nil)
	_ stack.Striker = (*link)(nil)
)

// add starts a replica and puts it behind the edge.
func (s *Stack) add() *replica {
	s.mu.Lock()
	r := &replica{s: s, index: s.next, name: fmt.Sprintf("app[%d]", s.next),
		addr: addr(fmt.Sprintf("app-%d.memory:80", s.next))}
	if s.balanced() && !s.spec.LeftOut(stack.UpstreamLink) {
		name := fmt.Sprintf("%s[%d]", stack.UpstreamLink, s.next)
		r.link = newLink(name, s.spec.Now, s.spec.Toxics[stack.UpstreamLink])
	}
	s.next++
	s.mu.Unlock()
	r.start()
	s.mu.Lock()
	s.replicas, s.all = append(s.replicas, r), append(s.all, r)
	s.mu.Unlock()
	s.opener.mu.Lock()
	defer s.opener.mu.Unlock()
	if s.opener.hosts == nil {
		s.opener.hosts = map[string]entrance{}
	}
	s.opener.hosts[string(r.addr)] = func(ctx context.Context, from addr) (net.Conn, error) {
		return direct(r.connect(ctx, from))
	}
	return r
}

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

func (s *Stack) notify(e stack.Event) {
	if s.spec.Notify != nil {
		s.spec.Notify(e)
	}
}

func (s *Stack) enterMain(ctx context.Context, from addr) (net.Conn, error) {
	return direct(s.enter(ctx, from, true))
}

func (s *Stack) enterControl(ctx context.Context, from addr) (net.Conn, error) {
	return direct(s.enter(ctx, from, false))
}

// enter connects a client to the chain, on the lane that is faulted or on the other.
func (s *Stack) enter(ctx context.Context, from addr, faulted bool) (*conn, error) {
	client, outer := connect(from, edgeHost)
	f := &flow{outer: outer}
	if faulted && s.edge != nil {
		if !s.edge.enter(f) {
			return nil, syscall.ECONNREFUSED
		}
		f.links = append(f.links, s.edge)
	}
	if !s.forward(ctx, f, faulted) {
		f.leave()
		if !s.balanced() {
			return nil, syscall.ECONNREFUSED
		}
		s.flows.Go(func() { refuse(outer) }) // ends with its answer, or with its client
		return client, nil
	}
	s.flows.Go(f.run) // ends with the connection
	return client, nil
}

// forward finds f a replica that accepts it, the next in turn first.
func (s *Stack) forward(ctx context.Context, f *flow, faulted bool) bool {
	for _, r := range s.turns() {
		inner, err := r.connect(ctx, edgeHost)
		if err != nil {
			continue
		}
		if faulted && r.link != nil {
			if !r.link.enter(f) {
				inner.Close()
				continue
			}
			f.links = append(f.links, r.link)
		}
		f.inner = inner
		if s.balanced() {
			f.upstream = string(r.addr)
		}
		return true
	}
	return false
}

// turns lists the replicas behind the edge, the one whose turn it is first; without
// an edge there is one.
func (s *Stack) turns() []*replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.replicas) == 0 {
		return nil
	}
	if !s.balanced() {
		return s.replicas[:1]
	}
	i := s.turn % len(s.replicas)
	s.turn++
	return slices.Concat(s.replicas[i:], s.replicas[:i])
}

// refuse answers 502, as an edge does that finds no replica.
func refuse(c *conn) {
	defer c.Close()
	if _, err := c.take(bufferSize); err == nil {
		c.Write([]byte("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
	}
}

// Hops implements [stack.Stack].
func (s *Stack) Hops() []stack.Hop {
	what := "link in memory"
	if s.balanced() {
		what = "balancer in memory"
	}
	hops := []stack.Hop{{Name: "edge", What: what, URL: "http://edge.memory", Control: "http://control.memory"}}
	if rs := s.Replicas(); len(rs) > 0 {
		hops = append(hops, stack.Hop{Name: "app", What: "app", URL: rs[0].URL, Control: rs[0].URL})
	}
	return hops
}

// Links implements [stack.Stack].
func (s *Stack) Links() (all []stack.Link) {
	if s.edge != nil {
		all = append(all, s.edge)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		if r.link != nil {
			all = append(all, r.link)
		}
	}
	return all
}

// Replicas implements [stack.Stack].
func (s *Stack) Replicas() (all []stack.Replica) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		all = append(all, r.public())
	}
	return all
}

func (r *replica) public() stack.Replica {
	host := strings.TrimSuffix(string(r.addr), ":80")
	return stack.Replica{Name: r.name, Addr: string(r.addr), URL: "http://" + host}
}

// Logs implements [stack.Stack]: nobody writes any.
func (*Stack) Logs() []stack.Log { return nil }

// Versions implements [stack.Stack].
func (*Stack) Versions() map[string]string { return map[string]string{"edge": "in memory"} }

// Layers implements [stack.Stack].
func (s *Stack) Layers() []stack.Layer { return s.spec.Balancer() }

// find is the named replica behind the edge.
func (s *Stack) find(name string) (*replica, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.replicas {
		if r.name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("find replica %s: there is none", name)
}

// Processes implements [stack.Killer]: one for each replica that runs.
func (s *Stack) Processes(context.Context) (all []stack.Process, err error) {
	s.mu.Lock()
	rs := slices.Clone(s.replicas)
	s.mu.Unlock()
	for _, r := range rs {
		if p := r.running(); p != nil {
			p.mu.Lock()
			all = append(all, stack.Process{Replica: r.name, Pid: p.pid, Role: stack.RoleMaster, Command: "handler",
				Sockets: len(p.conns)})
			p.mu.Unlock()
		}
	}
	return all, nil
}

// Signal implements [stack.Killer], for SIGKILL, SIGTERM, SIGSTOP and SIGCONT.
func (s *Stack) Signal(ctx context.Context, p stack.Process, sig int) error {
	r, err := s.find(p.Replica)
	if err != nil {
		return err
	}
	switch syscall.Signal(sig) {
	case syscall.SIGKILL:
		r.kill(syscall.SIGKILL)
	case syscall.SIGTERM:
		s.servers.Go(func() { r.stop(ctx, s.grace()) }) // ends with the replica
	case syscall.SIGSTOP:
		return s.Pause(ctx, r.name)
	case syscall.SIGCONT:
		return s.Unpause(ctx, r.name)
	default:
		return &stack.Unable{What: fmt.Sprintf("send signal %d", sig),
			Why: "a replica in memory knows KILL, TERM, STOP and CONT"}
	}
	return nil
}

func (s *Stack) grace() time.Duration { return cmp.Or(s.spec.App.Grace, defaultGrace) }

// Pause implements [stack.Pauser].
func (s *Stack) Pause(_ context.Context, name string) error { return s.freeze(name, true) }

// Unpause implements [stack.Pauser].
func (s *Stack) Unpause(_ context.Context, name string) error { return s.freeze(name, false) }

func (s *Stack) freeze(name string, frozen bool) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	p := r.running()
	if p == nil {
		return fmt.Errorf("freeze %s: it does not run", name)
	}
	if !p.freezer.set(frozen) {
		return nil
	}
	kind := record.KindUnpause
	if frozen {
		kind = record.KindPause
	}
	r.tell(kind, p.pid, 0, "")
	return nil
}

// Stop implements [stack.Stopper].
func (s *Stack) Stop(ctx context.Context, name string, grace time.Duration) error {
	r, err := s.find(name)
	if err == nil {
		r.stop(ctx, grace)
	}
	return err
}

// Start implements [stack.Stopper].
func (s *Stack) Start(_ context.Context, name string) error {
	r, err := s.find(name)
	if err == nil {
		r.start()
	}
	return err
}

// AddReplica implements [stack.Scaler].
func (s *Stack) AddReplica(context.Context) (stack.Replica, error) {
	if !s.balanced() {
		return stack.Replica{}, &stack.Unable{What: "add a replica", Why: "there is no edge before it"}
	}
	return s.add().public(), nil
}

// RemoveReplica implements [stack.Scaler]: it leaves the edge's list and is stopped
// with the app's own grace.
func (s *Stack) RemoveReplica(ctx context.Context, name string) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.replicas = slices.DeleteFunc(s.replicas, func(x *replica) bool { return x == r })
	s.mu.Unlock()
	r.stop(ctx, s.grace())
	return nil
}

// Close implements [stack.Stack]. It waits until nothing of the stack is left; the
// error says what is.
func (s *Stack) Close(ctx context.Context) error {
	s.mu.Lock()
	again, all := s.closed, slices.Clone(s.all)
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	s.opener.mu.Lock()
	delete(s.opener.hosts, edgeHost)
	delete(s.opener.hosts, controlHost)
	for _, r := range all {
		delete(s.opener.hosts, string(r.addr))
	}
	s.opener.mu.Unlock()
	ended := make(chan struct{})
	go func() { // ends with the last handler
		defer close(ended)
		for _, r := range all {
			r.stop(ctx, 0)
		}
		s.servers.Wait()
		s.flows.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.Join(errors.New("a handler or a connection has not ended"), ctx.Err())
	}
}
