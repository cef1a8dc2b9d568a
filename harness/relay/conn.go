package relay

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/http1"
)

const (
	upBuffer   = 4 << 10
	downBuffer = 16 << 10
	// lingerLimit is how long after an orderly end we go on swallowing what the
	// other side still sends. Closing with unread bytes would turn the FIN into an
	// RST.
	lingerLimit = 2 * time.Second
)

// A conn is one client with its connection to the target. It is carried in one
// of two forms, and can change from one to the other between two reads:
//
//	                    a strike is armed
//	accept ──▶ loop ────────────────────▶ two goroutines ──▶ end
//	            ▲ │                          │
//	            │ └──▶ end                   │
//	            └────────────────────────────┘
//	              no strike is left to be done
//
// The loop carries all streams that nobody strikes. A strike may wait, hold bytes
// back or linger, so it has goroutines of its own. What both know of the bytes is
// in up and down, which go along.
type conn struct {
	relay *Relay
	up    upward
	down  downward
	gone  chan struct{} // closed when both sockets are, or are to be
	once  sync.Once     // closes gone
	// swallow says that bytes from the client go nowhere any more.
	swallow atomic.Bool
	// parking asks the way up to stop between two reads, for the loop to go on.
	parking atomic.Bool
	clock

	mu             sync.Mutex   // guards what follows
	client, server *net.TCPConn // nil while polled
	polled         bool         // the loop has the sockets
	reading        bool         // the way down's goroutine is in a read that may be ended
	queue          []exchange   // requests whose responses have not begun

	poll poll // the loop's own
}

func newConn(r *Relay, client, server *net.TCPConn) *conn {
	c := &conn{relay: r, client: client, server: server, gone: make(chan struct{})}
	c.up.conn, c.down.conn, c.down.due = c, c, -1
	return c
}

// start hands the connection to the loop, or carries it in goroutines.
func (c *conn) start() {
	if !c.toLoop() {
		c.run()
	}
}

// run carries the connection in two goroutines. It returns when both ways have
// ended, or when the loop has taken over.
func (c *conn) run() {
	for {
		var up sync.WaitGroup
		up.Go(c.up.run)
		c.down.run()
		up.Wait()
		if !c.parking.Swap(false) {
			break
		}
		c.client.SetReadDeadline(time.Time{})
		c.server.SetWriteDeadline(time.Time{})
		if c.toLoop() {
			return
		}
	}
	c.conclude()
}

// toLoop reports whether the loop takes the connection. It takes none that is to
// be struck, or that has ended.
func (c *conn) toLoop() bool {
	l := c.relay.loop
	return l != nil && !c.watched() && l.admit(c)
}

// conclude is the end of a connection that has goroutines.
func (c *conn) conclude() {
	c.down.forget()
	c.stopClock()
	c.end()
	c.relay.untrack(c)
}

// end closes both sockets, or has the loop do it, and wakes everyone.
func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.once.Do(func() { close(c.gone) })
	if c.polled {
		c.relay.loop.wake(c)
		return
	}
	if c.client != nil {
		c.client.Close()
		c.server.Close()
	}
}

// ended reports whether end was called.
func (c *conn) ended() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

// watched reports whether a strike is still to be done on the connection: on the
// response in it, or on one that was asked for. The caller carries c.
func (c *conn) watched() bool {
	if c.down.want != nil || c.hasAge() {
		return true
	}
	schedule := &c.relay.schedule
	if c.down.decoder != nil && schedule.has(c.down.ex) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.queue, schedule.has)
}

// park stops the way up, be it in a read or in a write.
func (c *conn) park() {
	c.parking.Store(true)
	c.client.SetReadDeadline(time.Unix(1, 0))
	c.server.SetWriteDeadline(time.Unix(1, 0))
}

// parked reports whether err is that of a read or write that park ended.
func (c *conn) parked(err error) bool {
	return c.parking.Load() && errors.Is(err, os.ErrDeadlineExceeded)
}

// reset ends both connections with an RST, once the client's kernel has what
// was written for it: an RST overtakes and discards what is still queued.
func (c *conn) reset() {
	awaitSent(c.client)
	c.client.SetLinger(0)
	c.server.SetLinger(0)
	c.end()
}

// finish ends both connections in order, and swallows what still comes.
func (c *conn) finish() {
	c.swallow.Store(true)
	c.client.CloseWrite()
	c.server.CloseWrite()
	c.server.SetReadDeadline(time.Now().Add(lingerLimit))
	io.Copy(io.Discard, c.server)
	c.client.SetReadDeadline(time.Now().Add(lingerLimit)) // ends the way up
}

// drop swallows the rest of the response until the target ends it.
func (c *conn) drop() { io.Copy(io.Discard, c.server) }

func (c *conn) push(ex exchange) {
	c.mu.Lock()
	c.queue = append(c.queue, ex)
	c.mu.Unlock()
}

// front is the oldest request that has no response yet.
func (c *conn) front() (ex exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		ex = c.queue[0]
	}
	return ex
}

func (c *conn) pop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 {
		c.queue = c.queue[1:]
	}
}

// pass hands an end on as what it was: the error of a read from one side goes
// to the other side as FIN or as RST.
func (c *conn) pass(readErr error, to *net.TCPConn) {
	if errors.Is(readErr, io.EOF) {
		to.CloseWrite()
		return
	}
	awaitSent(to)
	c.client.SetLinger(0)
	c.server.SetLinger(0)
	c.end()
}

// An upward carries what the client sends, and reads the requests in it.
type upward struct {
	*conn
	head   request
	msg    http1.Decoder // of the request at hand; without a Head between two
	opaque bool          // not HTTP/1: nothing to read
	heads  int           // requests read
	backlog
}

// run carries the way up in a goroutine, until it ends or is parked.
func (u *upward) run() {
	if u.shut || u.send(u.take()) != nil {
		return
	}
	buf := make([]byte, upBuffer)
	for {
		n, err := u.client.Read(buf)
		u.moved()
		if n > 0 && !u.swallow.Load() {
			if u.observe(buf[:n]) {
				u.reset()
				return
			}
			if u.send(buf[:n]) != nil {
				return // the way down meets the same end, and passes it on
			}
		}
		if err != nil {
			if u.parked(err) {
				return
			}
			u.shut = true
			if !u.swallow.Load() {
				u.pass(err, u.server)
			}
			return
		}
	}
}

// send writes p to the target. What a park leaves of it goes to the backlog.
func (u *upward) send(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	n, err := u.server.Write(p)
	if err == nil {
		return nil
	}
	if u.parked(err) {
		u.rest = slices.Clone(p[n:])
	} else {
		u.shut = true
	}
	return err
}

// observe reads the requests in p before the target can answer them. refused
// says that one of them is to be reset.
func (u *upward) observe(p []byte) (refused bool) {
	for len(p) > 0 && !u.opaque {
		if u.msg.Head == nil {
			u.msg = u.head.begin()
		}
		inHead := !u.msg.InBody()
		_, n, err := u.msg.Next(p)
		p = p[n:]
		u.opaque = err != nil || u.msg.Broken()
		if inHead && u.msg.InBody() {
			ex, ok := u.head.exchange()
			if u.opaque = !ok; !ok {
				return false
			}
			if u.refuse(ex) {
				return true
			}
			u.heads++
			u.push(ex)
			u.begun(ex)
		}
		if u.msg.Whole() {
			u.msg = http1.Decoder{}
		}
	}
	return false
}

// refuse reports whether a request is to be refused, and books it.
func (u *upward) refuse(ex exchange) bool {
	if !ex.known {
		return false
	}
	strike := u.relay.schedule.take(ex.stream, refusal)
	if strike == nil {
		return false
	}
	u.relay.book(struck(*strike, 0, 0, ""))
	return true
}
