package memory

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// defaultGrace lies between SIGTERM and SIGKILL where the app has none of its own.
const defaultGrace = 10 * time.Second

// A replica is one instance of the app: handlers behind listeners.
type replica struct {
	s     *Stack
	index int
	name  string // "app[0]"
	addr  addr
	link  *link // its upstream link; nil where there is none

	mu   sync.Mutex // guards life, and what it points to
	life *life      // nil while it does not run
}

// A life is a replica from its start to its end.
type life struct {
	pid     int        // of the only process, or of the master of several workers
	procs   []*process // that serve
	turn    int        // of the worker that accepts next
	freezer *gate
}

// A process serves connections, from its start to its end.
type process struct {
	pid      int
	handler  http.Handler
	server   http.Server
	listen   listener
	handlers sync.WaitGroup
	freezer  *gate

	mu    sync.Mutex // guards conns
	conns map[*conn]struct{}
}

// tell sends an event about the replica.
func (r *replica) tell(kind record.EventKind, pid, code int, text string) {
	chain.Tell(&r.s.spec, r.name, kind, pid, code, text)
}

// tellWorker sends an event about one of its workers. An exit code is its master's to
// see.
func (r *replica) tellWorker(kind record.EventKind, pid int) {
	r.s.spec.Notify(stack.Event{At: r.s.spec.Now(), Source: record.ProcessSource, Kind: kind, Subject: r.name,
		Role: record.WorkerRole, Pid: pid, Text: command})
}

// command is what a process is called.
const command = "handler"

// workers is how many workers the app has behind a master; 0 where it is one process.
func (r *replica) workers() int {
	if o := r.s.spec.App.Origin; o != nil && o.Workers > 1 {
		return o.Workers
	}
	return 0
}

// At implements [chain.App].
func (r *replica) At() chain.Entrance { return at(r.addr) }

// Layers implements [chain.Layered].
func (r *replica) Layers() []stack.Layer {
	grace := map[string]string{"grace after SIGTERM": r.s.spec.App.Grace.String()}
	return []stack.Layer{{Name: "app", Settings: grace}}
}

// Pid implements [chain.Part]; it is 0 while the replica does not run.
func (r *replica) Pid() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == nil {
		return 0
	}
	return r.life.pid
}

// Processes implements [chain.Part], while the replica runs.
func (r *replica) Processes(context.Context) (ps []chain.Process, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life == nil {
		return nil, nil
	}
	parent := 0
	if r.workers() > 0 {
		parent = r.life.pid
		ps = append(ps, chain.Process{Process: stack.Process{Pid: parent, Command: "master"}})
	}
	for _, p := range r.life.procs {
		p.mu.Lock()
		ps = append(ps, chain.Process{Process: stack.Process{Pid: p.pid, Parent: parent, Command: command,
			Sockets: len(p.conns)}})
		p.mu.Unlock()
	}
	return ps, nil
}

// Signal implements [chain.Part], for SIGKILL, SIGTERM, SIGSTOP and SIGCONT to the
// replica as a whole, and SIGKILL to a worker. Signal 0 asks for the process.
func (r *replica) Signal(ctx context.Context, pid int, sig syscall.Signal) error {
	switch sig {
	case 0, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP, syscall.SIGCONT:
	default:
		return &stack.Unable{What: fmt.Sprintf("send signal %d", sig),
			Why: "a replica in memory knows KILL, TERM, STOP and CONT"}
	}
	if pid != r.Pid() {
		return r.signalWorker(pid, sig)
	}
	switch sig {
	case syscall.SIGKILL:
		r.kill(syscall.SIGKILL)
	case syscall.SIGTERM:
		r.s.servers.Go(func() { r.end(ctx, r.s.spec.App.Grace) }) // ends with the replica
	case syscall.SIGSTOP:
		return r.freeze(true)
	case syscall.SIGCONT:
		return r.freeze(false)
	}
	return nil
}

// signalWorker kills a worker, whose master starts another one.
func (r *replica) signalWorker(pid int, sig syscall.Signal) error {
	p, err := r.worker(pid, sig == syscall.SIGKILL)
	switch {
	case err != nil || sig == 0:
		return err
	case sig != syscall.SIGKILL:
		return &stack.Unable{What: fmt.Sprintf("send signal %d to a worker", sig), Why: "one in memory knows KILL"}
	}
	p.die()
	r.tellWorker(record.KindExit, pid)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil {
		r.fork()
	}
	return nil
}

// worker finds a process that serves, and takes it out where it is to end.
func (r *replica) worker(pid int, take bool) (*process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil {
		for i, p := range r.life.procs {
			if p.pid != pid {
				continue
			}
			if take {
				r.life.procs = slices.Delete(r.life.procs, i, i+1)
			}
			return p, nil
		}
	}
	return nil, syscall.ESRCH
}

// Ended implements [chain.Part].
func (r *replica) Ended(context.Context) error {
	if r.Pid() == 0 {
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
	r.mu.Lock()
	l := r.life
	r.mu.Unlock()
	if l == nil {
		return r.Ended(context.Background())
	}
	if !l.freezer.set(frozen) {
		return nil
	}
	kind := record.KindUnpause
	if frozen {
		kind = record.KindPause
	}
	r.tell(kind, l.pid, 0, "")
	return nil
}

// Start implements [chain.App].
func (r *replica) Start(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life != nil {
		return nil
	}
	r.life = &life{pid: r.s.pid(), freezer: newGate()}
	r.tell(record.KindStart, r.life.pid, 0, "")
	if r.workers() == 0 {
		r.life.procs = []*process{r.s.process(r.life.pid, r.addr, r.s.opener.App(r.index), r.life.freezer)}
	}
	for range r.workers() {
		r.fork()
	}
	r.tell(record.KindReady, r.life.pid, 0, "")
	return nil
}

// fork starts a worker. r.mu is held, and r.life is not nil.
func (r *replica) fork() {
	p := r.s.process(r.s.pid(), r.addr, r.s.opener.App(r.index), r.life.freezer)
	r.life.procs = append(r.life.procs, p)
	r.tellWorker(record.KindStart, p.pid)
}

// process starts a process that serves what connects to it.
func (s *Stack) process(pid int, at addr, h http.Handler, freezer *gate) *process {
	p := &process{pid: pid, handler: h, conns: map[*conn]struct{}{}, freezer: freezer,
		listen: listener{addr: at, in: make(chan net.Conn), over: make(chan struct{})}}
	p.server = http.Server{Handler: p, ErrorLog: log.New(io.Discard, "", 0)}
	s.servers.Go(func() { p.server.Serve(&p.listen) }) // ends when the process does
	return p
}

// ServeHTTP counts the handlers, so that an end can wait for them.
func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.handlers.Add(1)
	defer p.handlers.Done()
	p.handler.ServeHTTP(w, r)
}

// take makes the life of a replica that is ending the caller's alone.
func (r *replica) take() *life {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.life
	r.life = nil
	return l
}

// connect opens a connection to the replica, whose workers accept in turn.
func (r *replica) connect(ctx context.Context, from addr) (*conn, error) {
	r.mu.Lock()
	var p *process
	if r.life != nil && len(r.life.procs) > 0 {
		p = r.life.procs[r.life.turn%len(r.life.procs)]
		r.life.turn++
	}
	r.mu.Unlock()
	if p == nil {
		return nil, syscall.ECONNREFUSED
	}
	return p.connect(ctx, from)
}

// connect opens a connection to the process.
func (p *process) connect(ctx context.Context, from addr) (*conn, error) {
	client, server := connect(from, p.listen.addr)
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

// kill ends the replica at once: the kernel closes its connections.
func (r *replica) kill(sig syscall.Signal) {
	if l := r.take(); l != nil {
		r.die(l, 128+int(sig), "signal: "+sig.String())
	}
}

// die ends what is left of a life, and tells it.
func (r *replica) die(l *life, code int, how string) {
	for _, p := range l.procs {
		p.die()
		if p.pid != l.pid {
			r.tellWorker(record.KindExit, p.pid)
		}
	}
	r.tell(record.KindExit, l.pid, code, how)
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

// end asks all processes to end, and kills them after grace.
func (r *replica) end(ctx context.Context, grace time.Duration) {
	l := r.take()
	if l == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for _, p := range l.procs {
		p.listen.Close()
	}
	var all sync.WaitGroup
	var late atomic.Bool
	for _, p := range l.procs {
		all.Go(func() { // ends with the grace at the latest
			if !p.drain(ctx) {
				late.Store(true)
			}
		})
	}
	all.Wait()
	if late.Load() {
		r.die(l, 128+int(syscall.SIGKILL), "signal: killed")
		return
	}
	r.die(l, 0, "exit status 0")
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

func newGate() *gate {
	g := &gate{open: make(chan struct{})}
	close(g.open)
	return g
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
