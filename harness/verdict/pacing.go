package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// A Pacing is how the content of one stream arrived: when, and how much of it at
// once. It needs nothing that the server says about itself.
//
//	one by one   |  |  |  |  |  |  |  |  |  |      10 events at 10 instants
//	held back               ||||||     ||||        10 events at 2
type Pacing struct {
	Events   int
	Bytes    int
	Instants []Instant
}

// An Instant is content that arrived together.
type Instant struct {
	// Early and At bound the arrival: what one read returned came between the time
	// at which the socket was last seen empty and the stamp of its last segment.
	Early, At time.Duration
	Events    int
	Bytes     int
}

// together is how close two arrivals are that count as one: a buffer of 64 KiB
// takes several reads.
const together = 2 * time.Millisecond

// PacingOf reads the arrivals of the content of s.
func PacingOf(s *record.Stream) Pacing { return pacingWithin(s, together) }

// pacingWithin takes arrivals for one that are at most bound apart, each from the
// one before.
func pacingWithin(s *record.Stream, bound time.Duration) Pacing {
	p := Pacing{Instants: make([]Instant, 0, max(0, min(s.Contents, len(s.Events))))} // a mark takes a byte at least
	for m := range s.Marks() {
		if m.Kind != stream.Content {
			continue
		}
		p.Events++
		p.Bytes += m.Size
		n := len(p.Instants)
		if n == 0 || m.At-p.Instants[n-1].At > bound {
			p.Instants = append(p.Instants, Instant{Early: m.Early, At: m.At})
			n++
		}
		last := &p.Instants[n-1]
		last.At = m.At
		last.Events++
		last.Bytes += m.Size
	}
	return p
}

// Span is the time from the first instant to the last.
func (p *Pacing) Span() time.Duration {
	if len(p.Instants) == 0 {
		return 0
	}
	return p.Instants[len(p.Instants)-1].At - p.Instants[0].At
}

// Largest is the instant with the most bytes.
func (p *Pacing) Largest() Instant {
	var most Instant
	for _, x := range p.Instants {
		if x.Bytes > most.Bytes {
			most = x
		}
	}
	return most
}

// Gaps are the times between the instants.
func (p *Pacing) Gaps() []time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(p.Instants); i++ {
		gaps = append(gaps, p.Instants[i].At-p.Instants[i-1].At)
	}
	return gaps
}

// BytesAtOnce is the median of the bytes at an instant, the last one left out,
// which only holds the rest.
func (p *Pacing) BytesAtOnce() int {
	if len(p.Instants) == 0 {
		return 0
	}
	full := p.Instants[:max(1, len(p.Instants)-1)]
	sizes := make([]int, len(full))
	for i, x := range full {
		sizes[i] = x.Bytes
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2]
}

// quanta are the sizes of the buffers that proxies fill before they write, and
// near how far from them the bytes of whole events may be.
const (
	firstQuantum = 4 << 10
	lastQuantum  = 64 << 10
	near         = 0.06
)

// Quantum is the size of the buffer that the bytes of the instants are those of:
// 4, 8, 16, 32 or 64 KiB; 0 if they look like none.
func (p *Pacing) Quantum() int {
	if len(p.Instants) < 3 {
		return 0
	}
	at := float64(p.BytesAtOnce())
	for q := firstQuantum; q <= lastQuantum; q *= 2 {
		if at > float64(q)*(1-near) && at < float64(q)*(1+near) {
			return q
		}
	}
	return 0
}

// A unit says what the amount of content is counted in. Plain text has no events:
// what a proxy held back is one read of it.
type unit bool

const (
	inEvents unit = false
	inBytes  unit = true
)

func (u unit) of(x Instant) float64 {
	if u == inBytes {
		return float64(x.Bytes)
	}
	return float64(x.Events)
}

// amount is all of the content.
func (p *Pacing) amount(u unit) float64 { return u.of(Instant{Events: p.Events, Bytes: p.Bytes}) }

// atOnce is how much came together with a piece of content, on an average over
// all of it: 1 event where each comes by itself, all of it where all comes at
// once. A few events that came apart do not hide that the others did not.
func (p *Pacing) atOnce(u unit) float64 {
	squares, sum := 0.0, 0.0
	for _, x := range p.Instants {
		n := u.of(x)
		squares += n * n
		sum += n
	}
	if sum == 0 {
		return 0
	}
	return squares / sum
}

// A pacedStream is a stream with the number of instants of its pacing, which is read
// again where it is needed, and the delay of its first content.
type pacedStream struct {
	stream   *record.Stream
	instants int
	first    time.Duration
}

// Fact says how many events came at how many instants.
func (p *PacingReport) Fact() record.Fact {
	return fact{Kind: FactPacing, N: p.Events, Of: p.Instants, Took: time.Duration(p.First * float64(time.Second))}
}

// PacingAt is how content arrives at a hop of the scenario; nil where none does.
func (s *Scope) PacingAt(hop string) *PacingReport {
	r, _ := s.hop(hop)
	return r.Pacing
}

// pacingReport sums up the streams of a hop by the one whose instants are in the
// middle.
func pacingReport(ps []pacedStream) *PacingReport {
	if len(ps) == 0 {
		return nil
	}
	slices.SortStableFunc(ps, func(a, b pacedStream) int { return a.instants - b.instants })
	middle := ps[len(ps)/2]
	p := PacingOf(middle.stream)
	return &PacingReport{Events: p.Events, Instants: len(p.Instants), Bytes: p.BytesAtOnce(), Quantum: p.Quantum(),
		First: middle.first.Seconds()}
}
