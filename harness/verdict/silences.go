package verdict

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A SharedSilence is a time in which streams that stood at different events had no
// byte, and which ended for all of them at one moment: what blocks a loop or
// pauses a process does that, a slow model does not.
type SharedSilence struct {
	From, To time.Duration
	Streams  []*Graded
	Open     int // streams in their body at that time, those among them
}

const (
	// leastSilence is the least silence that is looked at.
	leastSilence = 250 * time.Millisecond
	// atOnce is how close together silences end that end at one moment.
	atOnce = 40 * time.Millisecond
	// minShared is the least number of streams that share a silence.
	minShared = 3
	// shareSilent is the share of the streams in their body that must be silent; one
	// process of two has half of them.
	shareSilent = 0.4
)

// A quiet is one silence in one stream's body.
type quiet struct {
	from, to time.Duration
	index    int // events before it
	g        *Graded
}

// lookAtSilences finds silences that streams share, and the streams whose longest
// one is far longer than any that the solo stream had.
func (c *Crowd) lookAtSilences(factor float64) {
	alone := bodyGap(c.Solo)
	bound := max(time.Duration(factor*float64(alone)), alone+slowOver)
	long := func(g *Graded) bool { return g.First != record.Never && g.MaxGapAt >= g.First && g.MaxGap > bound }
	if n := count(c.Streams, long); n < slowLeast {
		return
	}
	c.Silences = sharedSilences(c.Streams, max(leastSilence, 3*usual(c.Solo), alone*3/2))
	for _, g := range c.Streams {
		if long(g) && slices.ContainsFunc(c.Silences, func(x SharedSilence) bool {
			return slices.Contains(x.Streams, g) && x.From < g.MaxGapAt+g.MaxGap && x.To > g.MaxGapAt
		}) {
			c.Silenced = append(c.Silenced, g)
		}
	}
}

func count(gs []*Graded, is func(*Graded) bool) int {
	n := 0
	for _, g := range gs {
		if is(g) {
			n++
		}
	}
	return n
}

// bodyGap is the longest silence behind the first event.
func bodyGap(st *record.Stream) time.Duration {
	if st.First == record.Never {
		return 0
	}
	var longest time.Duration
	last := st.First
	for m := range st.Marks() {
		if m.At > st.First {
			longest = max(longest, m.At-last)
			last = m.At
		}
	}
	return longest
}

// sharedSilences groups silences that end together.
func sharedSilences(gs []*Graded, least time.Duration) []SharedSilence {
	var all []quiet
	for _, g := range gs {
		all = append(all, quiets(g, least)...)
	}
	slices.SortFunc(all, func(a, b quiet) int { return cmp.Compare(a.to, b.to) })
	var out []SharedSilence
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].to-all[i].to <= atOnce {
			j++
		}
		if x, ok := shared(all[i:j], gs); ok {
			out = append(out, x)
		}
		i = j
	}
	return out
}

// quiets are the silences of a stream after its first event, its last included.
func quiets(g *Graded, least time.Duration) []quiet {
	if g.First == record.Never {
		return nil
	}
	var out []quiet
	last, n := g.First, 0
	for m := range g.Marks() {
		if m.At-last >= least && m.At > g.First {
			out = append(out, quiet{last, m.At, n, g})
		}
		last = max(last, m.At)
		n++
	}
	return out
}

// shared decides whether silences that end together are one.
func shared(qs []quiet, gs []*Graded) (SharedSilence, bool) {
	// The longest common part decides: who fell silent much earlier had a reason of
	// its own.
	slices.SortFunc(qs, func(a, b quiet) int { return cmp.Compare(b.from, a.from) })
	longest := qs[0].to - qs[0].from
	x := SharedSilence{From: qs[0].from, To: qs[0].to}
	low, high := qs[0].index, qs[0].index
	for _, q := range qs {
		if 10*longest < 7*(q.to-q.from) || slices.Contains(x.Streams, q.g) {
			continue
		}
		x.Streams = append(x.Streams, q.g)
		x.To = min(x.To, q.to)
		low, high = min(low, q.index), max(high, q.index)
	}
	for _, g := range gs {
		if g.First != record.Never && g.First <= x.From && lastByte(g) >= x.To {
			x.Open++
		}
	}
	return x, len(x.Streams) >= minShared && high-low >= 2 && float64(len(x.Streams)) >= shareSilent*float64(x.Open)
}
