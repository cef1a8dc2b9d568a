// Package relay is a TCP relay that strikes chosen streams at an exact event.
//
//		client ──▶ relay ──▶ target
//		         request: find stack.StreamHeader
//		         response: follow the framing, count events, strike after the k-th
//
//	 1. [Start] listens, and opens one connection to the target for each that it
//	    accepts. Bytes go on unchanged and at once; an end is passed on as what it
//	    was, FIN as FIN and RST as RST.
//	 2. The way up parses request heads as they pass. A keep-alive connection
//	    carries many; what each asked for is queued for the way down.
//	 3. The way down parses the response's framing as it passes (chunked, length,
//	    until close) and feeds the body to a decoder of harness/stream, chosen by
//	    Content-Type. So each event's last byte has a known place on the wire.
//	 4. [Relay.Arm] names streams and places. Where a strike is due, the bytes
//	    before it are written, the action is done, and the ledger gets a line.
//	 5. A stream that is to be struck has two goroutines. All others share one
//	    loop over an epoll, see [conn]; off Linux, all have goroutines.
//
// HTTP/1.1 is read by package http1, as the tap reads it. What does not parse is passed
// on unseen: a relay that misreads a stream must not break it.
package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// dialLimit bounds the connect to the target, which is on loopback or on the
// next container.
const dialLimit = 10 * time.Second

// Options describe a relay.
type Options struct {
	Name   string // of the link, for events: "edge", "upstream[0]"
	Listen string // "127.0.0.1:0"
	Target string // "host:port"
	// Idle makes the relay as impatient as a load balancer: it ends a connection
	// that has carried a request and on which nothing has moved for so long, either
	// way. 0 is patient.
	Idle time.Duration
	// Now is the run's clock; nil counts from Start.
	Now func() time.Duration
	// Notify receives an event for each strike done. It must not block. Nil drops.
	Notify func(stack.Event)
}

// A Relay is a running relay. It is a [stack.Striker].
type Relay struct {
	opt      Options
	addr     string
	schedule schedule
	impaired impairment
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc

	mu       sync.Mutex // guards listener and conns
	listener net.Listener
	conns    map[*conn]bool

	loop *loop          // carries what is not to be struck; nil where there is no epoll
	all  sync.WaitGroup // accept loop, epoll loop, and goroutines of connections
}

var _ stack.Striker = (*Relay)(nil)

// Start begins to relay.
func Start(opt Options) (*Relay, error) {
	if opt.Now == nil {
		began := time.Now()
		opt.Now = func() time.Duration { return time.Since(began) }
	}
	if opt.Notify == nil {
		opt.Notify = func(stack.Event) {}
	}
	r := &Relay{opt: opt, addr: opt.Listen, conns: make(map[*conn]bool)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.impaired.change(func(none []stack.Toxic) []stack.Toxic { return none })
	var err error
	if r.loop, err = newLoop(&r.impaired); err != nil {
		return nil, fmt.Errorf("start relay %s: %w", opt.Name, err)
	}
	if r.loop != nil {
		r.all.Go(r.loop.run)
	}
	if err := r.Resume(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Addr is where the relay listens, "host:port". It keeps the port over a cut.
func (r *Relay) Addr() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.addr
}

// Cut closes the listener, so that the kernel refuses new connections, and ends those
// that stand. [Relay.Resume] undoes it.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deafen()
	for c := range r.conns {
		c.end()
	}
}

// deafen closes the listener. r.mu is held.
func (r *Relay) deafen() {
	if r.listener != nil {
		r.listener.Close()
		r.listener = nil
	}
}

// Resume listens again at the same address. It does nothing to a relay that
// listens.
func (r *Relay) Resume() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return fmt.Errorf("listen for relay %s: it is closed", r.opt.Name)
	}
	if r.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		return fmt.Errorf("listen for relay %s: %w", r.opt.Name, err)
	}
	r.listener, r.addr = l, l.Addr().String()
	r.all.Go(func() { r.accept(l) })
	return nil
}

// Close ends all connections and returns when their goroutines have ended. It
// may be called twice.
func (r *Relay) Close() error {
	r.cancel()
	r.Cut()
	if r.loop != nil {
		r.loop.close()
	}
	r.all.Wait()
	return nil
}

// accept ends when its listener is closed.
func (r *Relay) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: others may close theirs
			select {
			case <-r.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
				continue
			}
		}
		r.all.Go(func() { r.serve(client.(*net.TCPConn)) }) // ends when the loop or Close has the connection
	}
}

// serve connects a client to the target. A target that cannot be reached resets
// the client, which is the nearest that one who has accepted can come to a
// refusal.
func (r *Relay) serve(client *net.TCPConn) {
	ctx, cancel := context.WithTimeout(r.ctx, dialLimit)
	defer cancel()
	server, err := new(net.Dialer).DialContext(ctx, "tcp", r.opt.Target)
	if err != nil {
		client.SetLinger(0)
		client.Close()
		return
	}
	c := newConn(r, client, server.(*net.TCPConn))
	if !r.track(c) {
		c.end()
		return
	}
	c.start()
}

func (r *Relay) untrack(c *conn) {
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

// track makes c known to Cut and Close; false means that one of them was faster.
func (r *Relay) track(c *conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil || r.listener == nil {
		return false
	}
	r.conns[c] = true
	return true
}

// Arm adds strikes. A strike whose place its stream has already passed is done
// at the next byte, and its line in the ledger tells the true place.
func (r *Relay) Arm(_ context.Context, strikes ...stack.Strike) error {
	if err := r.schedule.arm(strikes); err != nil {
		return err
	}
	if r.loop != nil {
		r.loop.armed() // it may carry their streams
	}
	return nil
}

// Ledger lists what was done.
func (r *Relay) Ledger(context.Context) ([]stack.Struck, error) {
	return r.schedule.lines(), nil
}

// book writes the ledger's line for a strike, and tells it as an event.
func (r *Relay) book(s stack.Struck) {
	s.At = r.opt.Now()
	r.schedule.book(s)
	text := fmt.Sprintf("%s after event %d, %d body bytes", s.Action, s.Passed, s.Bytes)
	if s.Err != "" {
		text = fmt.Sprintf("%s not done: %s", s.Action, s.Err)
	}
	r.opt.Notify(stack.Event{At: s.At, Source: record.RelaySource, Kind: record.KindStrike, Subject: r.opt.Name,
		Stream: s.Stream, Text: text})
}
