package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Buffering compares when the server wrote its content events, by its own
// stamps, with when they arrived. [Pacing] is for servers that stamp nothing.
//
//	emitted   |   |   |   |   |   |   |   |     span, 8 instants
//	arrived                  ||||        ||||    collapsed pairs, 2 runs
type Buffering struct {
	// Arrival and Emission are the spans from the first to the last content
	// event. Emission is 0 where nothing is known about it.
	Arrival, Emission time.Duration
	// Apart counts neighbours that were written apart, Collapsed those of them
	// that arrived together. Runs counts unbroken runs of collapsed neighbours.
	Apart, Collapsed, Runs int

	held comparison
}

// apart is how far from each other two writes must be: less may share a packet
// honestly.
const apart = 5 * time.Millisecond

// BufferingOf reads the stamps of one stream. The bounds of an arrival that is
// an interval are taken in the server's favour.
func BufferingOf(s *record.Stream) Buffering {
	var b Buffering
	if s.EmitLast-s.EmitFirst < int64(minSpan) {
		return b // no stamps, or nothing to collapse
	}
	var first, prev record.Mark
	n, inRun := 0, false
	for m := range s.Marks() {
		if m.Kind != stream.Content || m.Emit == 0 {
			continue
		}
		if n++; n == 1 {
			first, prev = m, m
			continue
		}
		if gap := time.Duration(m.Emit - prev.Emit); gap >= apart {
			b.Apart++
			together := m.At-prev.Early < gap/4
			if together {
				b.Collapsed++
				if !inRun {
					b.Runs++
				}
			}
			inRun = together
		}
		prev = m
	}
	b.Arrival, b.Emission = prev.At-first.Early, time.Duration(prev.Emit-first.Emit)
	b.held = stampedComparison(s)
	return b
}

// stampedComparison compares the arrivals of s with the server's own stamps: it
// says itself how long it took to write what came at once.
func stampedComparison(s *record.Stream) comparison {
	type burst struct {
		early, at     time.Duration
		emitted, last int64
		writes        int
	}
	bursts := make([]burst, 0, max(0, min(s.Contents, len(s.Events)))) // a mark takes a byte at least
	writes := 0
	for m := range s.Marks() {
		if m.Kind != stream.Content || m.Emit == 0 {
			continue
		}
		n := len(bursts)
		fresh := n == 0 || m.At-bursts[n-1].at > together
		byItself := fresh || time.Duration(m.Emit-bursts[n-1].last) >= apart
		if fresh {
			bursts = append(bursts, burst{early: m.Early, emitted: m.Emit})
			n++
		}
		x := &bursts[n-1]
		x.at, x.last = m.At, m.Emit
		if byItself {
			x.writes++
			writes++
		}
	}
	pieces := make([]piece, len(bursts))
	before := startOf(s)
	for i, x := range bursts {
		n := float64(x.writes)
		pieces[i] = piece{n: n, share: n / float64(writes), made: max(0, time.Duration(x.last-x.emitted)),
			seen: x.at - x.early, wait: x.at - before}
		before = x.at
	}
	c := weigh(pieces)
	c.pacing = PacingOf(s)
	return c
}

// Index is 0 for a live stream, 1 for one burst.
func (b Buffering) Index() float64 {
	if b.Emission <= 0 {
		return 0
	}
	return max(0, 1-float64(b.Arrival)/float64(b.Emission))
}

// Buffered reports whether arrivals collapsed although emissions did not: into
// one burst, or into several. One run alone in a span that held is a stall that
// ended, and not a buffer.
func (b Buffering) Buffered() bool { return b.Emission >= minSpan && b.held.state == heldBack }
