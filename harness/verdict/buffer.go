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
}

const (
	apart     = 5 * time.Millisecond // less between two writes may share a packet honestly
	minApart  = 3
	collapsed = 0.5 // of the span
	clumped   = 0.6 // of the neighbours
)

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
	return b
}

// Index is B of DESIGN section 5: 0 for a live stream, 1 for one burst.
func (b Buffering) Index() float64 {
	if b.Emission <= 0 {
		return 0
	}
	return max(0, 1-float64(b.Arrival)/float64(b.Emission))
}

// Buffered reports whether arrivals collapsed although emissions did not: into
// one burst, or into several. One run alone in a span that held is a stall that
// ended, and not a buffer.
func (b Buffering) Buffered() bool {
	if b.Emission < minSpan {
		return false
	}
	if b.Index() >= collapsed && (b.Apart >= minApart || b.Apart == 0) {
		return true
	}
	return b.Runs >= 2 && b.Apart >= 2*minApart && float64(b.Collapsed) >= clumped*float64(b.Apart)
}
