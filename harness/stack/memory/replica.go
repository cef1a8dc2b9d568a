package memory

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// defaultGrace lies between SIGTERM and SIGKILL where the app has none of its own.
const defaultGrace = 10 * time.Second

// A replica is one instance of the app: a handler behind a listener.
type replica struct {
	s     *Stack
	index int
	name  string // "app[0]"
	addr  addr
	link  *link // its upstream link; nil where there is none

	mu   sync.Mutex // guards proc
	proc *process   // nil while it does not run
}

// A process is a replica from its start to its end.
type process struct {
	pid      int
	handler  http.Handler
	server   http.Server
	listen   listener
	handlers sync.WaitGroup
	freezer  gate

	mu    sync.Mutex // guards conns
	conns map[*conn]struct{}
}

// tell sends an event about the replica.
func (r *replica) tell(kind record.EventKind, pid, code int, text string) {
	chain.Tell(&r.s.spec, r.name, kind, pid, code, text)
}

// At implements [chain.App].
func (r *replica) At() chain.Entrance { return at(r.addr) }

// Pid implements [chain.Part]; it is 0 while the replica does not run.
func (r *replica) Pid() int {
	if p := r.running(); p != nil {
		return p.pid
	}
	return 0
}

// Processes implements [chain.Part]: one, while the replica runs.
func (r *replica) Processes(context.Context) ([]chain.Process, error) {
	p := r.running()
	if p == nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return []chain.Process{{Process: stack.Process{Pid: p.pid, Command: "handler", Sockets: len(p.conns)}}}, nil
}

// Signal implements [chain.Part], for SIGKILL, SIGTERM, SIGSTOP and SIGCONT.
func (r *replica) Signal(ctx context.Context, _ int, sig syscall.Signal) error {
	switch sig {
	case syscall.SIGKILL:
		r.kill(syscall.SIGKILL)
	case syscall.SIGTERM:
		r.s.servers.Go(func() { r.end(ctx, r.s.spec.App.Grace) }) // ends with the replica
	case syscall.SIGSTOP:
		return r.freeze(true)
	case syscall.SIGCONT:
		return r.freeze(false)
	default:
		return &stack.Unable{What: fmt.Sprintf("send signal %d", sig),
			Why: "a replica in memory knows KILL, TERM, STOP and CONT"}
	}
	return nil
}

// Ended implements [chain.Part].
func (r *replica) Ended(context.Context) error {
	if r.running() == nil {
		return fmt.Errorf("%s does not run", r.name)
	}
	return nil
}

// Tail implements [chain.Part]: a handler writes no log.
func (*replica) Tail(context.Context) []string { return nil }

// Pause implements [chain.Pauser].
func (r *replica) Pause(context.Context) error { return r.freeze(true) }

// Unpause implements [chain.Pauser].
func (r *replica) Unpause(context.Context) error { return r.freeze(false) }

func (r *replica) freeze(frozen bool) error {
	p := r.running()
	if p == nil {
		return r.Ended(context.Background())
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

// Start implements [chain.App].
func (r *replica) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proc != nil {
		return nil
	}
	p := &process{pid: r.s.pid(), handler: r.s.opener.App(r.index), conns: map[*conn]struct{}{},
		listen: listener{addr: r.addr, in: make(chan net.Conn), over: make(chan struct{})}}
	p.freezer.init()
	p.server = http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	r.s.servers.Go(func() { p.server.Serve(&p.listen) }) // ends when the process does
	r.proc = p
	r.tell(record.KindStart, p.pid, 0, "")
	r.tell(record.KindReady, p.pid, 0, "")
	return nil
}

// ServeHTTP counts the handlers, so that an end can wait for them.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.handlers.Add(1)
	defer p.handlers.Done()
	p.handler.ServeHTTP(w, r)
}

// running is the process, nil where there is none.
func (r *replica) running() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// take makes the process of a replica that is ending the caller's alone.
func (r *replica) take() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.proc
	r.proc = nil
	return p
}

// connect opens a connection to the replica.
func (r *replica) connect(ctx context.Context, from addr) (*conn, error) {
	p := r.running()
	if p == nil {
		return nil, syscall.ECONNREFUSED
	}
	client, server := connect(from, r.addr)
	p.mu.Lock()
	p.conns[server] = struct{}{}
	p.mu.Unlock()
	select {
	case p.listen.in <- &served{server, p}:
		return client, nil
	case <-p.listen.over:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// kill ends the process at once: the kernel closes its connections.
func (r *replica) kill(sig syscall.Signal) {
	if p := r.take(); p != nil {
		p.die()
		r.tell(record.KindExit, p.pid, 128+int(sig), "signal: "+sig.String())
	}
}

// die closes all connections and waits for the handlers.
func (p *process) die() {
	p.listen.Close()
	p.server.Close()
	p.mu.Lock()
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.handlers.Wait()
}

// A drainer is a handler that can be asked to end, as origin.Server can.
type drainer interface{ Shutdown(context.Context) error }

// Stop implements [chain.App].
func (r *replica) Stop(ctx context.Context, grace time.Duration) error {
	r.end(ctx, grace)
	return nil
}

// end asks the process to end, and kills it after grace.
func (r *replica) end(ctx context.Context, grace time.Duration) {
	p := r.take()
	if p == nil {
		return
	}
	p.listen.Close()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	code, how := 0, "exit status 0"
	if !p.drain(ctx) {
		code, how = 128+int(syscall.SIGKILL), "signal: killed"
	}
	p.die()
	r.tell(record.KindExit, p.pid, code, how)
}

// drain waits for the streams until ctx ends.
func (p *process) drain(ctx context.Context) bool {
	if d, ok := p.handler.(drainer); ok {
		return d.Shutdown(ctx) == nil
	}
	return p.server.Shutdown(ctx) == nil
}

// A listener hands a process its connections.
type listener struct {
	addr addr
	in   chan net.Conn
	once sync.Once
	over chan struct{}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.over) })
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }

// A served connection is the process's end, on which nothing moves while it is
// frozen.
type served struct {
	*conn
	p *process
}

// Read implements net.Conn.
func (s *served) Read(b []byte) (int, error) {
	s.p.freezer.wait(s.gone)
	n, err := s.conn.Read(b)
	s.p.freezer.wait(s.gone)
	return n, err
}

// Write implements net.Conn.
func (s *served) Write(b []byte) (int, error) {
	s.p.freezer.wait(s.gone)
	return s.conn.Write(b)
}

// Close implements net.Conn.
func (s *served) Close() error {
	s.p.mu.Lock()
	delete(s.p.conns, s.conn)
	s.p.mu.Unlock()
	return s.conn.Close()
}

// A gate is open, or shut.
type gate struct {
	mu   sync.Mutex    // guards open
	open chan struct{} // closed while the gate is open
}

func (g *gate) init() {
	g.open = make(chan struct{})
	close(g.open)
}

// set opens or shuts the gate. It reports false where there was nothing to do.
func (g *gate) set(shut bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	is := true
	select {
	case <-g.open:
		is = false
	default:
	}
	switch {
	case is == shut:
		return false
	case shut:
		g.open = make(chan struct{})
	default:
		close(g.open)
	}
	return true
}

// wait waits until the gate is open, or gone is closed.
func (g *gate) wait(gone <-chan struct{}) {
	g.mu.Lock()
	open := g.open
	g.mu.Unlock()
	select {
	case <-open:
	case <-gone:
	}
}
