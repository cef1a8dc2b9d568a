package relay

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A clock holds the times at which a connection ends without anything being
// sent on it: the limit on idleness, and strikes by age.
type clock struct {
	timers sync.Mutex  // guards idle, age and over
	idle   *time.Timer // nil while there is no limit, or no request yet
	age    *time.Timer
	over   bool

	stream atomic.Uint64                // the last one asked for
	aged   atomic.Pointer[stack.Strike] // a strike whose time has come
}

// begun starts the times of a request.
func (c *conn) begun(ex exchange) {
	c.stream.Store(ex.stream)
	c.timers.Lock()
	defer c.timers.Unlock()
	if c.over {
		return
	}
	if limit := c.relay.opt.Idle; limit > 0 && c.idle == nil {
		c.idle = time.AfterFunc(limit, c.tooIdle)
	}
	if s := c.relay.schedule.take(ex.stream, byAge); ex.known && s != nil {
		c.age = time.AfterFunc(s.Age, func() { c.tooOld(s) })
	}
}

// moved is called after every read, of either side.
func (c *conn) moved() {
	if c.relay.opt.Idle == 0 {
		return
	}
	c.timers.Lock()
	defer c.timers.Unlock()
	if c.idle != nil && !c.over {
		c.idle.Reset(c.relay.opt.Idle)
	}
}

// tooIdle ends the connection. Nothing is under way, so that closing sends a FIN.
func (c *conn) tooIdle() {
	limit := c.relay.opt.Idle
	c.relay.opt.Notify(stack.Event{At: c.relay.opt.Now(), Source: record.RelaySource, Kind: record.KindIdle,
		Subject: c.relay.opt.Name,
		Stream:  c.stream.Load(), Text: fmt.Sprintf("connection ended after %v without a byte", limit)})
	c.swallow.Store(true)
	c.end()
}

// tooOld wakes the way down, which does the strike between two reads.
func (c *conn) tooOld(s *stack.Strike) {
	c.aged.Store(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil { // else the loop is about to give the connection to goroutines
		c.server.SetReadDeadline(time.Unix(1, 0))
	}
}

// hasAge reports whether the connection has a strike by age.
func (c *conn) hasAge() bool {
	c.timers.Lock()
	defer c.timers.Unlock()
	return c.age != nil
}

// stopClock ends the timers with their connection.
func (c *conn) stopClock() {
	c.timers.Lock()
	defer c.timers.Unlock()
	c.over = true
	for _, t := range []*time.Timer{c.idle, c.age} {
		if t != nil {
			t.Stop()
		}
	}
}
