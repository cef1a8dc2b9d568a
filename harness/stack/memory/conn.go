package memory

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// bufferSize is how many bytes a direction holds before its writer must wait: what
// the socket buffers of a loopback connection hold, about.
const bufferSize = 128 << 10

// A pipe is one direction of a connection.
type pipe struct {
	mu      sync.Mutex // guards what follows
	chunks  []chunk
	size    int
	end     error         // what the reader gets behind the last chunk; nil while the writer may go on
	broken  bool          // the reader has left
	changed chan struct{} // closed, and replaced, whenever something above changes
}

// A chunk is what one Write brought.
type chunk struct {
	data []byte
	at   time.Time // when it was written
}

func newPipe() *pipe { return &pipe{changed: make(chan struct{})} }

// tell wakes whoever waits. p.mu is held.
func (p *pipe) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// finish ends the writer's side, in order or by a reset, behind what is there: Linux
// too gives a reader what came before a reset. The first end counts.
func (p *pipe) finish(end error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.end == nil {
		p.end = end
		p.tell()
	}
}

// leave ends the reader's side.
func (p *pipe) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.broken {
		p.broken = true
		p.tell()
	}
}

// A conn is one end of a connection in memory. It is a net.Conn with what a
// TCPConn can do beyond that: CloseWrite, and a reset by SetLinger(0).
type conn struct {
	in, out       *pipe
	local, remote addr
	read, write   deadline
	gone          chan struct{} // closed by Close
	peer          chan struct{} // the other end's gone

	mu    sync.Mutex // guards what follows
	over  bool
	abort bool // Close resets
}

// connect makes a connection.
func connect(client, server addr) (c, s *conn) {
	up, down := newPipe(), newPipe()
	c = &conn{in: down, out: up, local: client, remote: server, gone: make(chan struct{})}
	s = &conn{in: up, out: down, local: server, remote: client, gone: make(chan struct{})}
	c.peer, s.peer = s.gone, c.gone
	c.read.init()
	c.write.init()
	s.read.init()
	s.write.init()
	return c, s
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	got, err := c.take(len(p))
	return copy(p, got.data), err
}

// take waits for bytes and takes at most n of one chunk.
func (c *conn) take(n int) (chunk, error) {
	for {
		if err := c.usable(&c.read); err != nil {
			return chunk{}, err
		}
		c.in.mu.Lock()
		if len(c.in.chunks) > 0 {
			got := c.in.pop(n)
			c.in.mu.Unlock()
			return got, nil
		}
		end, changed := c.in.end, c.in.changed
		c.in.mu.Unlock()
		if end != nil {
			return chunk{}, end
		}
		select {
		case <-changed:
		case <-c.read.passed():
		case <-c.gone:
		}
	}
}

// pop takes at most n bytes off the first chunk. p.mu is held.
func (p *pipe) pop(n int) chunk {
	first := &p.chunks[0]
	got := chunk{first.data, first.at}
	if n < len(got.data) {
		got.data, first.data = first.data[:n], first.data[n:]
	} else {
		p.chunks = p.chunks[1:]
	}
	p.size -= len(got.data)
	p.tell()
	return got
}

// Write implements net.Conn. It waits while the buffer is full.
func (c *conn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if err := c.usable(&c.write); err != nil {
			return n, err
		}
		c.out.mu.Lock()
		switch room := bufferSize - c.out.size; {
		case c.out.broken, c.out.end != nil:
			c.out.mu.Unlock()
			return n, syscall.EPIPE
		case room > 0:
			part := b[n:min(len(b), n+room)]
			c.out.chunks = append(c.out.chunks, chunk{append([]byte(nil), part...), time.Now()})
			c.out.size += len(part)
			n += len(part)
			c.out.tell()
			c.out.mu.Unlock()
			continue
		}
		changed := c.out.changed
		c.out.mu.Unlock()
		select {
		case <-changed:
		case <-c.write.passed():
		case <-c.gone:
		}
	}
	return n, nil
}

// usable says why nothing can be done on c now.
func (c *conn) usable(d *deadline) error {
	select {
	case <-c.gone:
		return net.ErrClosed
	default:
	}
	select {
	case <-d.passed():
		return os.ErrDeadlineExceeded
	default:
		return nil
	}
}

// Close ends both directions: in order, or by a reset after SetLinger(0).
func (c *conn) Close() error {
	c.mu.Lock()
	abort := c.abort
	c.mu.Unlock()
	if abort {
		c.end(syscall.ECONNRESET)
	} else {
		c.end(io.EOF)
	}
	return nil
}

// reset ends the connection by a reset.
func (c *conn) reset() { c.end(syscall.ECONNRESET) }

func (c *conn) end(how error) {
	c.mu.Lock()
	again := c.over
	c.over = true
	c.mu.Unlock()
	if again {
		return
	}
	close(c.gone)
	c.read.set(time.Time{}) // no timer is left
	c.write.set(time.Time{})
	c.out.finish(how)
	c.in.leave()
}

// CloseWrite ends what we send, and no more.
func (c *conn) CloseWrite() error {
	c.out.finish(io.EOF)
	return nil
}

// SetLinger makes Close reset the connection for 0 seconds.
func (c *conn) SetLinger(sec int) error {
	c.mu.Lock()
	c.abort = sec == 0
	c.mu.Unlock()
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.read.set(t)
	c.write.set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { c.read.set(t); return nil }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { c.write.set(t); return nil }

// A deadline is a channel that closes at a time.
type deadline struct {
	mu    sync.Mutex // guards what follows
	over  chan struct{}
	timer *time.Timer
}

func (d *deadline) init() { d.over = make(chan struct{}) }

func (d *deadline) passed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

// set moves the deadline; the zero time is none. Who waits for the old one is woken
// by no other than the new: as in net.Pipe, a deadline that has passed is replaced.
func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil && !d.timer.Stop() {
		<-d.over // it has fired, and closes over
	}
	d.timer = nil
	closed := false
	select {
	case <-d.over:
		closed = true
	default:
	}
	switch left := time.Until(t); {
	case t.IsZero():
		if closed {
			d.over = make(chan struct{})
		}
	case left <= 0:
		if !closed {
			close(d.over)
		}
	default:
		if closed {
			d.over = make(chan struct{})
		}
		over := d.over
		d.timer = time.AfterFunc(left, func() { close(over) })
	}
}

// An addr is "name.memory:80".
type addr string

// Network implements net.Addr.
func (addr) Network() string  { return "memory" }
func (a addr) String() string { return string(a) }
