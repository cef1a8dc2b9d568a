package tap

import (
	"slices"
	"sync"
)

// An Interest says which changes of the streams in flight a [Watch] tells, besides
// their begins, their response heads and their ends, which it always does.
type Interest struct {
	// Events tells a stream once, when it has so many events of any kind; 0 does not.
	Events int
	// Heartbeats tells a stream whenever a read brought it heartbeats.
	Heartbeats bool
}

// A Watch tells which streams in flight have changed, so that nobody needs to look
// at all of them again and again. What it costs is one mutex a change, and nothing
// for the events that change nothing.
//
//	carrier ── begin, head, event n, heartbeat, end ──▶ changed ──▶ Changed
//	                                                 └─▶ C
type Watch struct {
	// C has a value when Changed has something to yield.
	C <-chan struct{}

	tap  *Tap
	asks Interest
	bell chan struct{} // C, to send

	mu      sync.Mutex // guards changed
	changed []*flight
	spare   []*flight // what the last Changed yielded, to be filled again
}

// Watch begins to tell changes; the streams in flight come first, as they are.
// [Watch.Stop] must be called.
func (t *Tap) Watch(asks Interest) *Watch {
	w := &Watch{tap: t, asks: asks, bell: make(chan struct{}, 1)}
	w.C = w.bell
	t.mu.Lock()
	t.setWatches(append(t.watching(), w))
	t.mu.Unlock()
	// A stream that changes from here on is told, and one that changed before is
	// among these.
	w.tell(t.inFlight()...)
	return w
}

// Stop ends the telling. It may be called twice.
func (w *Watch) Stop() {
	w.tap.mu.Lock()
	w.tap.setWatches(slices.DeleteFunc(w.tap.watching(), func(x *Watch) bool { return x == w }))
	w.tap.mu.Unlock()
	w.mu.Lock()
	w.changed = nil
	w.mu.Unlock()
}

// Changed yields the streams that have changed since it was called last, as they
// are now; one that has ended is Over. A stream may come twice. Changed is for one
// goroutine at a time.
func (w *Watch) Changed(yield func(Live) bool) {
	w.mu.Lock()
	batch := w.changed
	w.changed = w.spare[:0]
	w.mu.Unlock()
	for _, f := range batch {
		if !yield(f.glance()) {
			break
		}
	}
	clear(batch) // no stream is kept in memory by it
	w.spare = batch
}

// tell adds streams to those that have changed.
func (w *Watch) tell(fs ...*flight) {
	w.mu.Lock()
	w.changed = append(w.changed, fs...)
	w.mu.Unlock()
	select {
	case w.bell <- struct{}{}:
	default: // it has rung already
	}
}

// watching is a copy of the watches under way. t.mu is held.
func (t *Tap) watching() []*Watch {
	if ws := t.watches.Load(); ws != nil {
		return slices.Clone(*ws)
	}
	return nil
}

// setWatches replaces the watches under way. t.mu is held.
func (t *Tap) setWatches(ws []*Watch) {
	if len(ws) == 0 {
		t.watches.Store(nil)
		return
	}
	t.watches.Store(&ws)
}

// tell tells every watch that f has begun, has its head or is over. What they are
// to see is stored before.
func (f *flight) tell() {
	if ws := f.tap.watches.Load(); ws != nil {
		for _, w := range *ws {
			w.tell(f)
		}
	}
}

// tellCounts tells the watches that asked for it how the counts of f have changed
// from what they were.
func (f *flight) tellCounts(events, heartbeats int32) {
	ws := f.tap.watches.Load()
	if ws == nil {
		return
	}
	for _, w := range *ws {
		n := int32(w.asks.Events)
		reached := n > 0 && events < n && f.counts.events.Load() >= n
		if reached || w.asks.Heartbeats && f.counts.heartbeats.Load() > heartbeats {
			w.tell(f)
		}
	}
}
