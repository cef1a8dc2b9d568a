package process

import (
	"math/rand/v2"
	"time"

	toxistream "github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

const (
	// slice is how long a narrow lane collects before it sends.
	slice = 100 * time.Millisecond
	// maxHeld bounds what a delayer holds while it delays, in bytes. Beyond, and while there is
	// no impairment, whoever sends has to wait: a link that swallows what nobody reads
	// would hide backpressure.
	maxHeld = 1 << 20
	// interruptLimit is toxiproxy's own: how long an interrupted toxic tries to get
	// rid of what it holds.
	interruptLimit = 5 * time.Second
)

// A delayer is the impairment of one connection.
type delayer struct {
	*impairment
	*toxics.ToxicStub
	held  []heldChunk
	bytes int       // in held
	sent  time.Time // when something was sent last
	ended bool      // nothing more will come
}

// A heldChunk is a chunk on its way. jitterShare, between -1 and 1, is its share of the
// jitter.
type heldChunk struct {
	*toxistream.StreamChunk
	jitterShare float64
}

// step does the next thing that can be done. false ends the pipe.
func (f *delayer) step() bool {
	if f.ended && len(f.held) == 0 {
		f.Close()
		return false
	}
	m := f.now()
	in := f.Input
	if f.ended || len(f.held) > 0 && (m.delay == 0 || f.bytes >= maxHeld) {
		in = nil
	}
	piece, wait := f.next(m)
	var out chan<- *toxistream.StreamChunk
	var ready <-chan time.Time
	switch {
	case piece == nil:
	case wait <= 0:
		out = f.Output
	default:
		timer := time.NewTimer(wait)
		defer timer.Stop()
		ready = timer.C
	}
	select {
	case c := <-in:
		f.take(c)
	case out <- piece:
		f.gone(len(piece.Data))
	case <-ready:
	case <-m.changed:
	case <-f.closed:
		return f.drain()
	case <-f.Interrupt:
		for _, d := range f.held {
			f.WriteOutput(d.StreamChunk, interruptLimit)
		}
		return false
	}
	return true
}

func (f *delayer) take(c *toxistream.StreamChunk) {
	if c == nil {
		f.ended = true
		return
	}
	f.held = append(f.held, heldChunk{c, 2*rand.Float64() - 1})
	f.bytes += len(c.Data)
}

// next is what to send, and how long to wait for it; nil while nothing goes.
func (f *delayer) next(m moment) (piece *toxistream.StreamChunk, wait time.Duration) {
	if len(f.held) == 0 || m.rate == 0 {
		return nil, 0
	}
	d := f.held[0]
	at := d.Timestamp.Add(m.delay + time.Duration(d.jitterShare*float64(m.jitter)))
	size := len(d.Data)
	if m.rate > 0 { // KB/s are bytes a ms
		size = int(min(int64(size), m.rate*slice.Milliseconds()))
		if at.Before(f.sent) {
			at = f.sent
		}
		at = at.Add(time.Duration(int64(size)*1000/m.rate) * time.Microsecond)
	}
	return &toxistream.StreamChunk{Data: d.Data[:size], Timestamp: d.Timestamp}, time.Until(at)
}

// gone is told of n bytes that were sent.
func (f *delayer) gone(n int) {
	f.sent = time.Now()
	f.bytes -= n
	d := f.held[0]
	if d.Data = d.Data[n:]; len(d.Data) == 0 {
		f.held[0] = heldChunk{}
		f.held = f.held[1:]
	}
}

// drain swallows the rest, so that whoever is behind us can end.
func (f *delayer) drain() bool {
	for {
		select {
		case c := <-f.Input:
			if c == nil {
				f.Close()
				return false
			}
		case <-f.Interrupt:
			return false
		}
	}
}
