package relay

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// An impairment is what a relay does to all that travels towards its clients: latency
// and bandwidth. It changes while streams are under way, and none is lost by that.
//
//	target ──▶ delayed ──▶ strikes ──▶ client
type impairment struct {
	now atomic.Pointer[condition]

	mu     sync.Mutex // guards toxics
	toxics []stack.Toxic
}

// A condition is an impairment at one time.
type condition struct {
	delay, jitter time.Duration
	rate          int64         // bytes a ms, which are KB/s; negative for no limit
	changed       chan struct{} // closed when another condition holds
}

func (m *condition) none() bool { return m.delay == 0 && m.jitter == 0 && m.rate < 0 }

// Impairs reports whether t is one that a relay can do, see [Relay.Impair].
func Impairs(t stack.Toxic) bool {
	return t.Direction == stack.Downstream && (t.Type == "latency" || t.Type == "bandwidth")
}

// Impair delays what travels towards clients, or limits it, also on connections that
// stand. The error is one about t.
func (r *Relay) Impair(t stack.Toxic) error {
	if err := t.Check(); err != nil {
		return err
	}
	if !Impairs(t) {
		return fmt.Errorf("impair relay %s: it cannot do a %s toxic %s", r.opt.Name, t.Type, t.Direction)
	}
	r.impaired.change(func(list []stack.Toxic) []stack.Toxic { return append(list, t) })
	r.reconsider()
	return nil
}

// Restore takes an impairment off by its name. Without one of that name it does nothing.
func (r *Relay) Restore(name string) {
	r.impaired.change(func(list []stack.Toxic) []stack.Toxic {
		return slices.DeleteFunc(list, func(t stack.Toxic) bool { return t.Name == name })
	})
	r.reconsider()
}

func (i *impairment) change(to func([]stack.Toxic) []stack.Toxic) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.toxics = to(i.toxics)
	m := condition{rate: -1, changed: make(chan struct{})}
	for _, t := range i.toxics {
		switch t.Type {
		case "latency":
			m.delay, m.jitter = m.delay+t.Millis("latency"), m.jitter+t.Millis("jitter")
		case "bandwidth":
			m.rate = t.Int("rate")
		}
	}
	if old := i.now.Swap(&m); old != nil {
		close(old.changed)
	}
}

// reconsider has every connection look at the condition that holds now.
func (r *Relay) reconsider() {
	if r.loop != nil {
		r.loop.reconsider()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.mu.Lock()
		if c.reading && c.server != nil {
			c.server.SetReadDeadline(time.Unix(1, 0))
		}
		c.mu.Unlock()
	}
}

const (
	// slice is how long a narrow link collects before it sends.
	slice = 100 * time.Millisecond
	// maxDelayed bounds what is held of a connection while it is delayed, in bytes.
	// Beyond, and where nothing is delayed, whoever sends has to wait: a link that
	// swallows what nobody reads would hide backpressure.
	maxDelayed = 1 << 20
)

// A delayed is what was read of one connection and is not yet to be passed on.
type delayed struct {
	chunks []chunk
	first  int       // in chunks, that is still held
	bytes  int       // in all chunks that are held
	sent   time.Time // when something was passed on last
	end    error     // how the connection ended, behind the chunks
}

// A chunk is what one read returned.
type chunk struct {
	data   []byte
	came   time.Time
	jitter float64 // its share of the jitter, -1 to 1
}

func (d *delayed) empty() bool { return d.first == len(d.chunks) }

// takes reports whether more is to be read.
func (d *delayed) takes(m *condition) bool {
	return d.end == nil && (d.empty() || m.delay+m.jitter > 0 && d.bytes < maxDelayed)
}

// hold keeps a copy of p. A stream that always has something on its way takes the room
// of what has gone, so that it does not grow for as long as it lives.
func (d *delayed) hold(p []byte) {
	if d.first > 0 && len(d.chunks) == cap(d.chunks) {
		kept := copy(d.chunks, d.chunks[d.first:])
		clear(d.chunks[kept:])
		d.chunks, d.first = d.chunks[:kept], 0
	}
	d.chunks = append(d.chunks, chunk{slices.Clone(p), time.Now(), 2*rand.Float64() - 1})
	d.bytes += len(p)
}

// next is what is to be passed on next, and when. ok is false while nothing is.
func (d *delayed) next(m *condition) (p []byte, at time.Time, ok bool) {
	if d.empty() || m.rate == 0 {
		return nil, at, false
	}
	c := &d.chunks[d.first]
	at = c.came.Add(m.delay + time.Duration(c.jitter*float64(m.jitter)))
	size := len(c.data)
	if m.rate > 0 {
		size = int(min(int64(size), m.rate*slice.Milliseconds()))
		if at.Before(d.sent) {
			at = d.sent
		}
		at = at.Add(time.Duration(int64(size)*1000/m.rate) * time.Microsecond)
	}
	return c.data[:size], at, true
}

// passed is told of n bytes that were passed on.
func (d *delayed) passed(n int) {
	d.sent = time.Now()
	d.bytes -= n
	c := &d.chunks[d.first]
	if c.data = c.data[n:]; len(c.data) > 0 {
		return
	}
	*c = chunk{}
	if d.first++; d.empty() {
		d.chunks, d.first = d.chunks[:0], 0
	}
}

// impaired reports whether the way down is delayed, or has something of that left.
func (d *downward) impaired() bool {
	return !d.relay.impaired.now.Load().none() || !d.delay.empty() || d.delay.end != nil
}

// ageLook is how often a way that waits for its impairment looks whether a strike by
// age is due.
const ageLook = 20 * time.Millisecond

// readDelayed is read for a way that has a goroutine, where there is an impairment, or
// something of one is left.
func (d *downward) readDelayed(m *condition, buf []byte) error {
	p, at, due := d.delay.next(m)
	wait := time.Until(at)
	switch {
	case due && wait <= 0:
		d.moved()
		err := d.carry(p)
		d.delay.passed(len(p))
		return err
	case d.delay.empty() && d.delay.end != nil:
		return d.delay.end
	case !d.delay.takes(m):
		if !due || wait > ageLook {
			wait = ageLook
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-m.changed:
		case <-d.gone:
			return net.ErrClosed
		}
		return nil
	}
	until := time.Time{}
	if due {
		until = at
	}
	n, err := d.listen(until, m, buf)
	d.keep(buf[:n], err)
	return nil
}

// keep holds what a read returned, until it is due.
func (d *downward) keep(p []byte, err error) {
	if len(p) > 0 {
		d.delay.hold(p)
	}
	if err != errLookAgain {
		d.delay.end = err
	}
}
