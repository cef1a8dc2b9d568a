package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A link is a stretch of the chain. Only its main lane is ever faulted.
type link struct {
	name string
	now  func() time.Duration // the run's clock

	main, control chain.Entrance // its lanes

	mu      sync.Mutex // guards what follows
	down    bool
	toxics  []stack.Toxic
	flows   map[*flow]struct{} // that pass the main lane
	changed chan struct{}      // closed, and replaced, whenever toxics change
	strikes map[uint64][]stack.Strike
	ledger  []stack.Struck
}

func newLink(name string, now func() time.Duration, toxics []stack.Toxic) *link {
	return &link{name: name, now: now, toxics: slices.Clone(toxics), flows: map[*flow]struct{}{},
		changed: make(chan struct{}), strikes: map[uint64][]stack.Strike{}}
}

// Main implements [chain.Link].
func (l *link) Main() chain.Entrance { return l.main }

// Control implements [chain.Link].
func (l *link) Control() chain.Entrance { return l.control }

// Striker implements [chain.Link].
func (l *link) Striker() stack.Striker { return l }

// Name implements [stack.Link].
func (l *link) Name() string { return l.name }

// able lists the toxics that there are in memory.
var able = []string{"latency", "bandwidth", "timeout"}

// Add implements [stack.Link].
func (l *link) Add(_ context.Context, t stack.Toxic) error {
	if err := t.Check(); err != nil {
		return err
	}
	if !slices.Contains(able, t.Type) {
		return &stack.Unable{What: t.Type + " on the " + l.name + " link", Why: "a link in memory has no such toxic"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.toxics = append(l.without(t.Name), t)
	l.tell()
	return nil
}

// Remove implements [stack.Link]. Taking a timeout off ends the connections that
// stand, as toxiproxy does.
func (l *link) Remove(_ context.Context, name string) error {
	l.mu.Lock()
	var cut []*flow
	for _, t := range l.toxics {
		if t.Name == name && t.Type == "timeout" {
			cut = l.standing()
		}
	}
	l.toxics = l.without(name)
	l.tell()
	l.mu.Unlock()
	for _, f := range cut {
		f.close()
	}
	return nil
}

// SetUp implements [stack.Link].
func (l *link) SetUp(_ context.Context, up bool) error {
	l.mu.Lock()
	l.down = !up
	var cut []*flow
	if !up {
		cut = l.standing()
	}
	l.mu.Unlock()
	for _, f := range cut {
		f.close()
	}
	return nil
}

// without is l.toxics without the named one. l.mu is held.
func (l *link) without(name string) []stack.Toxic {
	return slices.DeleteFunc(slices.Clone(l.toxics), func(t stack.Toxic) bool { return t.Name == name })
}

// standing lists the flows on the main lane. l.mu is held.
func (l *link) standing() (all []*flow) {
	for f := range l.flows {
		all = append(all, f)
	}
	return all
}

// tell wakes the flows that wait for a change. l.mu is held.
func (l *link) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// enter puts f on the link. It reports false while the link is down.
func (l *link) enter(f *flow) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		l.flows[f] = struct{}{}
	}
	return !l.down
}

func (l *link) leave(f *flow) {
	l.mu.Lock()
	delete(l.flows, f)
	l.mu.Unlock()
}

// A weather is what the toxics of a link make of bytes that travel in one direction.
type weather struct {
	latency time.Duration
	rate    int64 // bytes a second; 0 for no limit
	stalled bool
	lost    bool
	changed <-chan struct{}
}

// look says what the weather is for a direction.
func (l *link) look(d stack.Direction) weather {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := weather{changed: l.changed}
	for _, t := range l.toxics {
		if t.Direction != d {
			continue
		}
		switch t.Type {
		case "latency":
			w.latency += t.Millis("latency")
			if jitter := t.Millis("jitter"); jitter > 0 {
				w.latency += time.Duration(rand.Int64N(int64(2*jitter))) - jitter
			}
		case "bandwidth":
			w.rate = t.Int("rate") * 1000
			w.stalled = w.stalled || w.rate == 0
		case "timeout":
			w.lost = true
		}
	}
	return w
}

// strikable lists the actions that there are in memory.
var strikable = []stack.Action{stack.RST, stack.FIN, stack.Hold, stack.Blackhole}

// Arm implements [stack.Striker].
func (l *link) Arm(_ context.Context, strikes ...stack.Strike) error {
	for _, s := range strikes {
		if !slices.Contains(strikable, s.Action) || s.Age > 0 {
			return &stack.Unable{What: fmt.Sprintf("strike a stream by %s", s.Action),
				Why: "a link in memory strikes at events, by rst, fin, stall and blackhole"}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range strikes {
		l.strikes[s.Stream] = append(l.strikes[s.Stream], s)
	}
	return nil
}

// Ledger implements [stack.Striker].
func (l *link) Ledger(context.Context) ([]stack.Struck, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ledger), nil
}

// due takes the strikes that hit a stream after so many events.
func (l *link) due(stream uint64, events int, bytes int64) (now []stack.Strike) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var later []stack.Strike
	for _, s := range l.strikes[stream] {
		if s.After > events {
			later = append(later, s)
			continue
		}
		now = append(now, s)
		l.ledger = append(l.ledger, stack.Struck{Strike: s, At: l.now(), Passed: events, Bytes: bytes})
	}
	l.strikes[stream] = later
	return now
}
