package play

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// A crowd is the streams that a vigil is told of, without a network.
type crowd struct {
	bell  chan struct{}
	over  chan struct{}
	scans int // looks at all streams

	mu      sync.Mutex // guards what follows
	streams map[uint64]*tap.Live
	changed []uint64
	begun   int
	looked  int // streams that the vigil was told of
}

func newCrowd() *crowd {
	return &crowd{bell: make(chan struct{}, 1), over: make(chan struct{}), streams: map[uint64]*tap.Live{}}
}

// vigil looks at the crowd for a turn of victims.
func (c *crowd) vigil(victims int) vigil {
	begin := time.Now()
	return vigil{turn: turn{from: 1, to: uint64(victims) + 1, victims: victims, over: c.over},
		now:  func() time.Duration { return time.Since(begin) },
		bell: c.bell, changed: c.told, all: c.all,
		begun:   func() int { c.mu.Lock(); defer c.mu.Unlock(); return c.begun },
		replica: func(upstream string) string { return "app[" + upstream + "]" }}
}

// change changes a stream and rings the bell.
func (c *crowd) change(seq uint64, to func(*tap.Live)) {
	c.mu.Lock()
	l := c.streams[seq]
	if l == nil {
		l = &tap.Live{Seq: seq, Group: record.Victim}
		c.streams[seq] = l
		c.begun++
	}
	to(l)
	c.changed = append(c.changed, seq)
	c.mu.Unlock()
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

func (c *crowd) told(yield func(tap.Live) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, seq := range c.changed {
		c.looked++
		yield(*c.streams[seq])
	}
	c.changed = nil
}

func (c *crowd) all(yield func(tap.Live) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scans++
	for _, l := range c.streams {
		if !l.Over {
			yield(*l)
		}
	}
}

func events(n int) func(*tap.Live) {
	return func(l *tap.Live) { l.InBody, l.Events = true, n }
}

func ended(l *tap.Live) { l.Over = true }

// A step of a test comes at a time.
type step struct {
	at time.Duration
	do func(*crowd)
}

// TestVigilActsWhenItsConditionComesTrue, at that time and no other.
func TestVigilActsWhenItsConditionComesTrue(t *testing.T) {
	const s = time.Second
	for _, tc := range []struct {
		name    string
		when    harness.When
		victims int
		steps   []step
		want    time.Duration
		missed  string
	}{
		{name: "nothing is asked"},
		{name: "every victim has its events", when: harness.When{Events: 3}, victims: 2, want: 4 * s, steps: []step{
			{1 * s, func(c *crowd) { c.change(1, events(0)) }},
			{2 * s, func(c *crowd) { c.change(1, events(3)) }}, // the other has not begun
			{3 * s, func(c *crowd) { c.change(2, events(0)) }},
			{4 * s, func(c *crowd) { c.change(2, events(3)) }},
		}},
		{name: "the one behind ends", when: harness.When{Events: 3}, victims: 2, want: 2 * s, steps: []step{
			{1 * s, func(c *crowd) { c.change(1, events(3)); c.change(2, events(1)) }},
			{2 * s, func(c *crowd) { c.change(2, ended) }},
		}},
		{name: "streams on a replica at once", when: harness.When{Streams: 2, Replica: "app[1]"}, victims: 3, want: 3 * s,
			steps: []step{
				{1 * s, func(c *crowd) { c.change(1, onReplica("1")); c.change(2, onReplica("0")) }},
				{2 * s, func(c *crowd) { c.change(1, ended) }},
				{3 * s, func(c *crowd) { c.change(3, onReplica("1")); c.change(4, onReplica("1")) }},
			}},
		{name: "time, once the streams are there", when: harness.When{Streams: 1, After: 5 * s}, victims: 1, want: 5 * s,
			steps: []step{
				{1 * s, func(c *crowd) { c.change(1, events(0)) }},
			}},
		{name: "streams, once the time has passed", when: harness.When{Streams: 1, After: 2 * s}, victims: 1, want: 3 * s,
			steps: []step{
				{3 * s, func(c *crowd) { c.change(1, events(0)) }},
			}},
		{name: "too late", when: harness.When{Events: 3, Within: 10 * s}, victims: 1, want: 10 * s,
			missed: "1 of 1 victims in flight had not, the last had 2", steps: []step{
				{1 * s, func(c *crowd) { c.change(1, events(0)) }},
				{2 * s, func(c *crowd) { c.mu.Lock(); c.streams[1].Events = 2; c.mu.Unlock() }}, // nobody tells event 2
			}},
		{name: "the wave is over", when: harness.When{Events: 3}, victims: 1, want: 2 * s,
			missed: "no victim was left in flight, and the longest had 2", steps: []step{
				{1 * s, func(c *crowd) { c.change(1, events(2)); c.change(1, ended) }},
				{2 * s, func(c *crowd) { close(c.over) }},
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, start := newCrowd(), time.Now()
				v := c.vigil(tc.victims)
				go func() { // ends with its steps, before the bubble does
					for _, step := range tc.steps {
						time.Sleep(time.Until(start.Add(step.at)))
						step.do(c)
					}
				}()
				err := v.keep(t.Context(), tc.when)
				if took := time.Since(start); took != tc.want {
					t.Errorf("acted after %v, want %v", took, tc.want)
				}
				var missed *fault.MissedError
				switch {
				case tc.missed == "" && err != nil:
					t.Error(err)
				case tc.missed != "" && (!errors.As(err, &missed) || !strings.HasSuffix(missed.Why, ": "+tc.missed)):
					t.Errorf("got %v, want %q", err, tc.missed)
				}
			})
		})
	}
}

func onReplica(addr string) func(*tap.Live) {
	return func(l *tap.Live) { l.InBody, l.Upstream = true, addr }
}

// TestVigilLooksAtChangesAlone: 5,000 streams that have not changed cost nothing,
// however long the wait.
func TestVigilLooksAtChangesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const victims = 5000
		c := newCrowd()
		v := c.vigil(victims)
		acted := make(chan error, 1)
		go func() { acted <- v.keep(t.Context(), harness.When{Events: 3, Within: time.Hour}) }() // ends with the condition
		for seq := range uint64(victims) {
			c.change(seq+1, events(0))
		}
		time.Sleep(time.Minute)
		for seq := range uint64(victims) {
			c.change(seq+1, events(3))
		}
		if err := <-acted; err != nil {
			t.Fatal(err)
		}
		if c.looked != 2*victims || c.scans != 0 {
			t.Errorf("looked at %d streams and %d times at all, want %d and none", c.looked, c.scans, 2*victims)
		}
	})
}

func TestVigilEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := newCrowd()
	v := c.vigil(1)
	if err := v.keep(ctx, harness.When{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
