package tap

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conns carries streams on a goroutine each, over net.Conn: TLS, HTTP/2,
// compressed bodies, and everything on systems without event loops.
type conns struct {
	t  *Tap
	wg sync.WaitGroup
	n  atomic.Int32 // streams
}

// start dials and carries f.
func (c *conns) start(f *flight) {
	l := c.newLine(f)
	f.started.Store(true)              // before the line looks at f.cut, so that no cut is missed
	c.wg.Go(func() { l.run(l.carry) }) // ends with the stream
}

// adopt carries f on from inside its body. rest has been read, not decoded.
func (c *conns) adopt(f *flight, conn net.Conn, rest []byte) {
	l := c.newLine(f)
	l.setConn(conn)
	c.wg.Go(func() { l.run(func() ending { return l.readBody(rest) }) }) // ends with the stream
}

// wake interrupts the dial or the read of f.
func (c *conns) wake(f *flight) {
	if l := f.line.Load(); l != nil {
		l.interrupt()
	}
}

func (c *conns) close() error {
	c.wg.Wait()
	return nil
}

// A line is the connection of a stream with a goroutine of its own.
type line struct {
	f      *flight
	tap    *Tap
	clock  clock
	ctx    context.Context // for the dial
	cancel context.CancelFunc
	tcp    *stamper
	crew   *conns
	until  time.Duration // the deadline of reads; 0 to be set anew
	looked time.Duration // the limit that a last look was taken for
	woken  chan struct{} // tells a slow client about an interrupt; nil for others

	mu   sync.Mutex // guards conn, for interrupt
	conn net.Conn   // tcp or TLS over it; nil until dialled
}

// errInterrupted ends a read for a limit of our own.
var errInterrupted = errors.New("interrupted")

// lineBuf is the read buffer of a stream on a goroutine.
const lineBuf = 8 << 10

func (c *conns) newLine(f *flight) *line {
	l := &line{f: f, tap: c.t, crew: c, clock: *c.t.clock}
	c.n.Add(1)
	l.ctx, l.cancel = f.connectContext()
	if f.pace.slow() {
		l.woken = make(chan struct{}, 1)
	}
	f.line.Store(l)
	return l
}

func (l *line) run(carry func() ending) {
	defer l.crew.n.Add(-1)
	var e ending
	if l.f.cut.Load() == nil {
		e = carry()
	}
	l.cancel()
	if l.conn != nil {
		if l.conn != net.Conn(l.tcp) {
			l.f.rec.WireBytes = l.tcp.bytes // as encrypted
		}
		// A TLS close would first say goodbye, which may block: hang up below it.
		l.tcp.Close()
	}
	e.at = l.clock.now()
	l.f.finish(e)
}

// interrupt makes the dial, a read or a write return now.
func (l *line) interrupt() {
	l.cancel()
	select {
	case l.woken <- struct{}{}:
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.SetDeadline(time.Unix(1, 0))
	}
}

// setConn makes c the line's connection.
func (l *line) setConn(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok && l.f.pace != nil && l.f.pace.buffer > 0 {
		tcp.SetReadBuffer(l.f.pace.buffer) // a system that will not leaves its own
	}
	l.tcp = newStamper(c)
	l.mu.Lock()
	l.conn = l.tcp
	l.mu.Unlock()
}

// carry takes a stream from its dial to its end.
func (l *line) carry() ending {
	h2, err := l.dial()
	if err != nil {
		return l.dialEnding(err)
	}
	l.f.connected(l.clock.now())
	if h2 {
		return newH2(l).carry()
	}
	began := l.clock.now()
	if err := l.write(l.f.req.wire()); err != nil {
		return l.ending(err)
	}
	l.f.sent(began)
	return l.readBody(nil)
}

// readBody reads until the stream has ended.
func (l *line) readBody(rest []byte) ending {
	buf := make([]byte, lineBuf)
	what := encoded
	if rest == nil {
		what = goesOn
	}
	for {
		for what == encoded {
			rest, what = l.f.refeed(rest)
		}
		if what == ended {
			return ending{}
		}
		n, err := l.Read(buf)
		if n == 0 && err != nil {
			return l.ending(err)
		}
		rest, what = l.f.feed(buf[:n], l.reading())
	}
}

// ending says what a failed read or write means.
func (l *line) ending(err error) ending {
	if errors.Is(err, errInterrupted) {
		e := ending{}
		if l.f.cut.Load() == nil {
			e.limit = l.f.due().limit
		}
		return e
	}
	return ending{close: closeOf(err), err: err}
}
