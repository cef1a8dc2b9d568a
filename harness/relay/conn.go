package relay

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	upBuffer   = 4 << 10
	downBuffer = 16 << 10
	// lingerLimit is how long after an orderly end we go on swallowing what the
	// other side still sends. Closing with unread bytes would turn the FIN into an
	// RST.
	lingerLimit = 2 * time.Second
)

// A conn is one client with its connection to the target. Two goroutines carry
// the two ways; the last to end closes both sockets.
type conn struct {
	relay          *Relay
	client, server *net.TCPConn
	gone           chan struct{} // closed when both sockets are
	goneOnce       sync.Once
	// swallow says that bytes from the client go nowhere any more.
	swallow atomic.Bool
	clock

	mu    sync.Mutex // guards queue
	queue []exchange // requests whose responses have not begun
}

func newConn(r *Relay, client, server *net.TCPConn) *conn {
	return &conn{relay: r, client: client, server: server, gone: make(chan struct{})}
}

// run returns when both ways have ended.
func (c *conn) run() {
	var up sync.WaitGroup
	up.Go(func() { newUpward(c).run() })
	newDownward(c).run()
	up.Wait()
	c.stopClock()
	c.end()
}

// end closes both sockets and wakes everyone.
func (c *conn) end() {
	c.goneOnce.Do(func() {
		close(c.gone)
		c.client.Close()
		c.server.Close()
	})
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
	head   head
	body   framing
	opaque bool // not HTTP/1: nothing to read
}

func newUpward(c *conn) *upward { return &upward{conn: c} }

func (u *upward) run() {
	buf := make([]byte, upBuffer)
	for {
		n, err := u.client.Read(buf)
		u.moved()
		if n > 0 && !u.swallow.Load() {
			if u.observe(buf[:n]) {
				u.reset()
				return
			}
			if _, werr := u.server.Write(buf[:n]); werr != nil {
				return // the way down meets the same end, and passes it on
			}
		}
		if err != nil {
			if !u.swallow.Load() {
				u.pass(err, u.server)
			}
			return
		}
	}
}

// observe reads the requests in p before the target can answer them. refused
// says that one of them is to be reset.
func (u *upward) observe(p []byte) (refused bool) {
	for len(p) > 0 && !u.opaque {
		if u.body.state != ended {
			n, _ := u.body.next(p)
			p = p[n:]
			u.opaque = u.body.state == broken
			continue
		}
		n, whole, tooLong := u.head.feed(p)
		p = p[n:]
		u.opaque = tooLong
		if whole == nil {
			continue
		}
		ex, body, ok := parseRequest(whole)
		if !ok {
			u.opaque = true
			return false
		}
		if u.refuse(ex) {
			return true
		}
		u.body = body
		u.push(ex)
		u.begun(ex)
	}
	return false
}

// refuse reports whether a request is to be refused, and books it.
func (u *upward) refuse(ex exchange) bool {
	if !ex.known {
		return false
	}
	strike := u.relay.armory.take(ex.stream, refusal)
	if strike == nil {
		return false
	}
	u.relay.book(struck(*strike, 0, 0, ""))
	return true
}
