package verdict

import (
	"cmp"
	"math"
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
	// InStep says that they stood at the same event, so that each may have paused by
	// its own logic.
	InStep bool
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

// lookAtSilences finds the streams whose longest silence is far longer than any that
// a solo stream had, and those that streams share.
func (c *Crowd) lookAtSilences(factor float64) {
	alone := bodyGap(c.Solo)
	for _, g := range c.Solos { // a pause of unequal length is the answer's own
		alone = max(alone, bodyGap(g.Stream))
	}
	bound := gapBound(alone, factor)
	for _, g := range c.Streams {
		if silentBeyond(g.Stream, bound) {
			c.Silenced = append(c.Silenced, g)
		}
	}
	longer := count(c.Streams, func(g *Graded) bool { return tookLonger(g.Stream, c.Solo) })
	if len(c.Silenced) < slowLeast && longer < slowLeast {
		return
	}
	c.Silences = sharedSilences(c.Streams, max(leastSilence, 3*usual(c.Solo)))
	for g, sum := range c.sharedBy() {
		if sum > bound && !slices.Contains(c.Silenced, g) {
			c.Silenced = append(c.Silenced, g)
		}
	}
	slices.SortFunc(c.Silenced, func(a, b *Graded) int { return cmp.Compare(a.Seq, b.Seq) })
}

// tookLonger reports whether a stream took so much longer than one alone that many
// short silences may have added up.
func tookLonger(st, solo *record.Stream) bool {
	took, ok := DurationOf(st)
	alone, known := DurationOf(solo)
	return ok && known && took > alone*3/2+slowOver
}

// sharedBy adds up the silences of each stream that it shared with streams which
// stood at other events.
func (c *Crowd) sharedBy() map[*Graded]time.Duration {
	sums := map[*Graded]time.Duration{}
	for _, x := range c.Silences {
		if x.InStep {
			continue
		}
		for _, g := range x.Streams {
			sums[g] += x.To - x.From
		}
	}
	return sums
}

func gapBound(alone time.Duration, factor float64) time.Duration {
	return max(time.Duration(factor*float64(alone)), alone+slowOver)
}

// silentBeyond reports whether the longest silence of a stream was in its body and
// beyond bound.
func silentBeyond(st *record.Stream, bound time.Duration) bool {
	return st.First != record.Never && st.MaxGapAt >= st.First && st.MaxGap > bound
}

// sharing reports whether most of the long silences were shared.
func (c *Crowd) sharing() bool {
	n := count(c.Silenced, func(g *Graded) bool {
		return slices.ContainsFunc(c.Silences, func(x SharedSilence) bool {
			return slices.Contains(x.Streams, g) && x.From < g.MaxGapAt+g.MaxGap && x.To > g.MaxGapAt
		})
	})
	return 10*n >= 6*len(c.Silenced)
}

// heldInBody finds the number of streams that went on for nearly all the time in
// which others, begun as well, had nothing: a pool whose threads are taken event by
// event lets some starve until another stream ends.
//
//	goes on  ▁▁▁▁▁▁▁▁▁▁▏
//	goes on  ▁▁▁▁▁▁▁▁▁▁▏
//	starves  ▁▁         ▁▁▁▁▁▁▏
func (c *Crowd) heldInBody() bool {
	pause := max(leastSilence, 3*usual(c.Solo))
	var going, starved []interval
	for _, g := range c.Streams {
		for i, part := range goingOn(g, pause) {
			if i > 0 {
				starved = append(starved, interval{going[len(going)-1].to, part.from})
			}
			going = append(going, part)
		}
	}
	byCount := overlap(going, starved)
	n, share := usualCount(byCount, 0)
	if n <= 2 || n >= len(c.Streams) || share < saturatedFor || !resume(going, starved, pause) {
		return false
	}
	c.Pattern, c.N, c.Share, c.InBody = AtMost, n, share, true
	return true
}

// goingOn are the times in which a stream had no pause longer than that, in their
// order.
func goingOn(g *Graded, pause time.Duration) (parts []interval) {
	for m := range g.Marks() {
		if n := len(parts); n > 0 && m.At-parts[n-1].to <= pause {
			parts[n-1].to = m.At
		} else {
			parts = append(parts, interval{m.At, m.At})
		}
	}
	return parts
}

// usualCount is the count that stood for most of the time, and the share of the time
// in which it was that or nearly that: 15 %, or least, more or less.
func usualCount(byCount map[int]time.Duration, least int) (n int, share float64) {
	total := time.Duration(0)
	for _, k := range keys(byCount) {
		total += byCount[k]
		if byCount[k] > byCount[n] && k > 0 {
			n = k
		}
	}
	near := max(least, int(0.15*float64(n)))
	var within time.Duration
	for k, d := range byCount {
		if k >= n-near && k <= n+near {
			within += d
		}
	}
	if n == 0 || total == 0 {
		return 0, 0
	}
	return n, within.Seconds() / total.Seconds()
}

// resume reports whether what starved went on when something else was done.
func resume(going, starved []interval, slack time.Duration) bool {
	n := 0
	for _, x := range starved {
		ended := func(g interval) bool { return (g.to-x.to).Abs() <= slack && g.to != x.from }
		if slices.ContainsFunc(going, ended) {
			n++
		}
	}
	return float64(n) >= saturatedFor*float64(len(starved))
}

// nearlyMute is the share of the events due by the solo stream's pace that may come
// while streams are held up one after the other.
const nearlyMute = 0.15

// starving reports whether hardly any open stream got anything while the long
// silences lasted: what holds them up holds up all, and lets one go on at a time.
func (c *Crowd) starving() bool {
	pace := usual(c.Solo)
	if pace == 0 {
		return false
	}
	var silences []interval
	for _, g := range c.Silenced {
		silences = append(silences, interval{g.MaxGapAt, g.MaxGapAt + g.MaxGap})
	}
	slices.SortFunc(silences, func(a, b interval) int { return cmp.Compare(a.from, b.from) })
	from, to := silences[0].from, silences[0].to
	for _, x := range silences[1:] {
		if x.from > to {
			break
		}
		to = max(to, x.to)
	}
	return c.muteFrom(from, to, pace)
}

// starved is the same for the time in which streams waited for their first event.
func (c *Crowd) starved() bool {
	pace, waits := usual(c.Solo), c.waits()
	if pace == 0 || len(waits) == 0 {
		return false
	}
	from, to := waits[0].from, waits[0].to
	for _, w := range waits[1:] {
		from, to = min(from, w.from), max(to, w.to)
	}
	return c.muteFrom(from, to, pace)
}

// muteFrom reports whether hardly any event came between two times to streams that
// were open, each of which has one every pace.
func (c *Crowd) muteFrom(from, to, pace time.Duration) bool {
	due := 0.0
	for _, b := range c.bodies(0) {
		if lo, hi := max(b.from, from), min(b.to, to); hi > lo {
			due += (hi - lo).Seconds() / pace.Seconds()
		}
	}
	return float64(len(arrivals(c.Streams, from, to))) < nearlyMute*due
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
		if x, ok := shared(all[i:j], gs); ok && chance(len(x.Streams), x.Open, all, gs) < sharedByChance {
			out = append(out, x)
		}
		i = j
	}
	return out
}

// sharedByChance is how likely it may be that so many silences end together by chance.
const sharedByChance = 0.003

// chance bounds how likely it is that silences of k of n open streams, of all those
// that there were, ended at one moment without a common cause: each stream has one
// that ends there with a probability of its own, and any of them may be the first
// of such a moment (Bonferroni).
func chance(k, n int, all []quiet, gs []*Graded) float64 {
	from, to := time.Duration(math.MaxInt64), time.Duration(0)
	for _, g := range gs {
		if g.First != record.Never {
			from, to = min(from, g.First), max(to, lastByte(g))
		}
	}
	each := float64(len(all)) / float64(max(1, len(gs))) * float64(2*atOnce) / float64(max(to-from, 2*atOnce))
	p := 0.0
	for i := k - 1; i < n; i++ {
		p += binomial(n-1, i) * math.Pow(min(each, 1), float64(i)) * math.Pow(1-min(each, 1), float64(n-1-i))
	}
	return p * float64(len(all))
}

// binomial is n over k, by logarithms: large n overflow anything else.
func binomial(n, k int) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c)
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
	x.InStep = high-low < 2
	if x.InStep && len(x.Streams) < x.Open {
		return x, false
	}
	return x, len(x.Streams) >= minShared && float64(len(x.Streams)) >= shareSilent*float64(x.Open)
}
