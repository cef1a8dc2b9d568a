package tap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/record"
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
	if err := l.write(l.f.req.wire()); err != nil {
		return l.ending(err)
	}
	l.f.sent(l.clock.now())
	return l.readBody(nil)
}

// dial connects, and agrees on TLS and the protocol.
func (l *line) dial() (h2 bool, err error) {
	dial := l.tap.dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: -1}).DialContext
	}
	c, err := dial(l.ctx, "tcp", l.f.req.dial)
	if err != nil {
		return false, err
	}
	l.setConn(c)
	if !l.f.req.secure {
		return l.f.job.HTTP2, nil
	}
	secure := tls.Client(l.tcp, l.tlsConfig())
	l.mu.Lock()
	l.conn = secure
	l.mu.Unlock()
	if err := secure.HandshakeContext(l.ctx); err != nil {
		return false, fmt.Errorf("TLS handshake: %w", err)
	}
	return secure.ConnectionState().NegotiatedProtocol == "h2", nil
}

func (l *line) tlsConfig() *tls.Config {
	c := &tls.Config{}
	if l.tap.opts.TLS != nil {
		c = l.tap.opts.TLS.Clone()
	}
	if c.ServerName == "" {
		c.ServerName = l.f.req.url.Hostname()
	}
	switch {
	case l.f.job.HTTP2:
		c.NextProtos = []string{"h2"}
	case len(c.NextProtos) == 0:
		c.NextProtos = []string{"h2", "http/1.1"}
	}
	return c
}

func (l *line) dialEnding(err error) ending {
	switch {
	case l.f.cut.Load() != nil:
		return ending{}
	case errors.Is(err, context.DeadlineExceeded), timedOut(err):
		return ending{limit: record.ConnectLimit, err: err}
	case errors.Is(err, context.Canceled):
		return ending{}
	}
	return ending{close: record.CloseError, err: err}
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

// reading says when the last read came.
func (l *line) reading() reading {
	now := l.clock.now()
	if l.f.pace.slow() {
		return reading{at: now, now: now}
	}
	l.clock.sample()
	if !l.tcp.empty.IsZero() {
		l.f.floor = max(l.f.floor, l.tcp.empty.Sub(l.clock.start))
	}
	return reading{at: l.clock.arrival(l.tcp.stamp, l.f.floor, now), now: now}
}

// Read waits for bytes until one of the flight's limits strikes.
func (l *line) Read(p []byte) (int, error) {
	if l.f.pace.slow() {
		l.rest()
		p = l.f.pace.ration(p)
	}
	for last := false; ; {
		if !last {
			l.armRead()
		}
		if l.f.cut.Load() != nil {
			return 0, errInterrupted
		}
		n, err := l.conn.Read(p)
		if l.f.pace.slow() {
			l.f.pace.took(n, l.clock.now())
		}
		if n > 0 || !timedOut(err) {
			return n, err
		}
		l.until = 0
		switch d := l.f.due(); {
		case d.at > l.clock.now():
			last = false
		case last || d.at == l.looked:
			return 0, errInterrupted
		default:
			// If we were late ourselves, the bytes may lie in the socket already, and a
			// read after its deadline does not look. Bytes that do not move the limit do
			// not buy another look.
			last, l.looked = true, d.at
			l.conn.SetReadDeadline(time.Now().Add(lastLook))
		}
	}
}

// rest waits for the next ration of a slow client, for a limit or an interrupt.
func (l *line) rest() {
	t := time.NewTimer(min(l.f.pace.next, l.f.due().at) - l.clock.now())
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.woken:
	}
}

// lastLook is how long a limit that has struck waits for bytes that came before.
const lastLook = time.Millisecond

// fewLines is how many streams on goroutines may look at their sockets again and
// again, each lineLook, while they are silent: see lookEvery.
const (
	fewLines = 64
	lineLook = 20 * time.Millisecond
)

// armRead sets the deadline of reads to the next limit, or the next look, if that
// is not what it is. The deadline is set before f.cut is looked at, so that an
// interrupt in between is not lost.
func (l *line) armRead() {
	if l.until != 0 && !l.f.rearm {
		return
	}
	l.f.rearm = false
	l.until = l.f.due().at
	if l.tcp.looks() && l.crew.n.Load() <= fewLines {
		l.until = min(l.until, l.clock.now()+lineLook)
	}
	l.conn.SetReadDeadline(l.deadline(l.until))
}

func (l *line) deadline(at time.Duration) time.Time {
	if at == never {
		return time.Time{}
	}
	return l.clock.start.Add(at)
}

func (l *line) write(p []byte) error {
	l.conn.SetWriteDeadline(l.deadline(l.f.due().at))
	if l.f.cut.Load() != nil {
		return errInterrupted
	}
	_, err := l.conn.Write(p)
	if timedOut(err) {
		return errInterrupted
	}
	return err
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
