package verdict

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// What a load adds to the times of streams is measured against one stream alone
// on the same road, before the load, and read from the timelines:
//
//	alone    ▕─▁▁▁▁▏
//	parallel ▕─▁▁▁▁▏   one by one ▕─▁▁▁▁▏       in steps of 2 ▕─▁▁▁▁▏
//	         ▕─▁▁▁▁▏              ▕      ─▁▁▁▁▏               ▕─▁▁▁▁▏
//	         ▕─▁▁▁▁▏              ▕            ─▁▁▁▁▏         ▕      ─▁▁▁▁▏
//	         ▕─▁▁▁▁▏              ▕                  ─▁▁▁▁▏   ▕      ─▁▁▁▁▏
//
// ─ is the work before the first event, ▁ the body. Answers that take unequal
// times by themselves look like none of these.

// DefaultSlowdown is how many times as long as alone a stream may wait under load.
const DefaultSlowdown = 5

const (
	// slowOver is what a load may add in any case.
	slowOver = time.Second
	// slowShare and slowLeast are how many streams must be slowed for the load to be
	// blamed: one of twenty may have met something else.
	slowShare = 0.1
	slowLeast = 2
	// saturatedFor is the share of the waiting time in which exactly the same number
	// of streams must have been served.
	saturatedFor = 0.7
	// byChance is the probability below which answers of unequal length do not
	// explain that all solo streams were quick.
	byChance = 0.05
)

// A Pattern is how an app lets streams wait for one another.
type Pattern string

const (
	NoPattern Pattern = ""
	// OneByOne: the next answer begins when the last has ended.
	OneByOne Pattern = "one by one"
	// StartsOneByOne: the work before the first event is done for one stream at a
	// time; bodies then flow side by side.
	StartsOneByOne Pattern = "starts one by one"
	// NothingMeanwhile: the same, and no open stream gets a byte meanwhile.
	NothingMeanwhile Pattern = "nothing meanwhile"
	// AtMost: never more than N answers at a time while others wait.
	AtMost Pattern = "at most N"
	// StartsAtMost: the work before the first event is done for N at a time.
	StartsAtMost Pattern = "starts at most N"
	// SilentTogether: open streams fall silent at one moment, wherever they are.
	SilentTogether Pattern = "silent together"
)

// A Crowd is the streams that ran side by side at one hop.
type Crowd struct {
	Hop     string
	Solo    *record.Stream
	Solos   []*Graded // all that were alone at this hop, in this scenario
	Streams []*Graded // the others, out of our own faults' way
	// Waited had no first event for longer than alone by the factor and slowOver;
	// Silenced were silent for so long together with others. Slowed is both.
	Waited, Silenced, Slowed []*Graded
	// MostOpen is the largest number of bodies that were open at once, MostWaiting
	// of requests that were waiting beyond their time.
	MostOpen, MostWaiting int
	Pattern               Pattern
	N                     int     // of the pattern: streams at a time
	Share                 float64 // of the waiting time in which it was N
	InBody                bool    // those that wait had begun: a place is taken for each event anew
	Silences              []SharedSilence

	peeled bool // the load was sent in at every hop
}

// Enough reports whether so many streams were slowed that the load is to blame.
func (c *Crowd) Enough() bool { return enoughSlowed(len(c.Slowed), len(c.Streams)) }

func enoughSlowed(n, of int) bool {
	return n >= slowLeast && float64(n) >= slowShare*float64(of)
}

// ByLoad reports whether it was the load that slowed the streams, and not that
// answers take unequal times by themselves.
func (c *Crowd) ByLoad() bool {
	return c.chance() < byChance || c.Pattern != NoPattern && c.slowAlone() == 0
}

// Unequal reports whether a stream alone waited as long as those under load, about
// as often.
func (c *Crowd) Unequal() bool { return c.slowAlone() > 0 && c.chance() >= byChance }

func (c *Crowd) slowAlone() int {
	return count(c.Solos, func(g *Graded) bool { return firstAfter(g.Stream) > c.bound() })
}

// chance is the probability of the solo streams being as quick as they were, if
// the load made no difference.
func (c *Crowd) chance() float64 {
	return Fisher(len(c.Slowed), len(c.Streams), c.slowAlone(), max(1, len(c.Solos)))
}

func (c *Crowd) bound() time.Duration {
	return firstBound(c.Solo, DefaultSlowdown)
}

// firstBound is the longest wait for a first event that a load may cause.
func firstBound(solo *record.Stream, factor float64) time.Duration {
	alone := firstAfter(solo)
	return max(time.Duration(factor*float64(alone)), alone+slowOver)
}

// SlowedBy counts the streams that waited far longer than solo did, and reports
// whether they are enough to blame the load.
func SlowedBy(solo *record.Stream, streams iter.Seq[*record.Stream]) (n int, enough bool) {
	first, gap := firstBound(solo, DefaultSlowdown), gapBound(bodyGap(solo), DefaultSlowdown)
	of := 0
	for st := range streams {
		of++
		if _, ok := waitedBeyond(st, first); ok || silentBeyond(st, gap) {
			n++
		}
	}
	return n, enoughSlowed(n, of)
}

// waitedBeyond is how long a stream waited for its first event, if that is beyond
// bound: until it came, or until the stream ended without.
func waitedBeyond(st *record.Stream, bound time.Duration) (until time.Duration, ok bool) {
	until = st.First
	if until == record.Never {
		until = st.End
	}
	return until, st.Send != record.Never && until != record.Never && until-st.Send > bound
}

// Crowds are what the streams of a scenario did side by side, by the hop at which
// they entered, the innermost first. Hops without a solo stream have none.
func (s *Scope) Crowds() []*Crowd {
	if s.crowds == nil {
		s.crowds = s.readCrowds()
	}
	return s.crowds
}

func (s *Scope) readCrowds() []*Crowd {
	cs := []*Crowd{}
	for _, hop := range s.entered() {
		solo := s.SoloAt(hop)
		if solo == nil || solo.First == record.Never {
			continue
		}
		c := &Crowd{Hop: hop, Solo: solo, peeled: s.Scenario.Peel}
		for i := range s.Streams {
			switch g := &s.Streams[i]; {
			case g.Hop != hop || !g.Grade.Outcome.counted() || g.Turn > 1: // the stream alone was a first turn
			case g.Group == record.Solo:
				c.Solos = append(c.Solos, g)
			case (g.Group == record.Load || g.Group == record.Control) && !g.Struck:
				c.Streams = append(c.Streams, g)
			}
		}
		slices.SortStableFunc(c.Streams, func(a, b *Graded) int { return cmp.Compare(startOf(a.Stream), startOf(b.Stream)) })
		c.look(cmp.Or(s.Scenario.Policy.Slowdown, DefaultSlowdown))
		cs = append(cs, c)
	}
	return cs
}

// entered lists the hops at which streams entered, the innermost first.
func (s *Scope) entered() []string {
	var names []string
	for _, h := range s.hopNames() {
		if slices.ContainsFunc(s.Streams, func(g Graded) bool { return g.Hop == h }) {
			names = append(names, h)
		}
	}
	for i := range s.Streams {
		if !slices.Contains(names, s.Streams[i].Hop) {
			names = append(names, s.Streams[i].Hop)
		}
	}
	return names
}

// look finds who was slowed and what pattern that has.
func (c *Crowd) look(factor float64) {
	bound := firstBound(c.Solo, factor)
	for _, g := range c.Streams {
		if _, ok := waitedBeyond(g.Stream, bound); ok {
			c.Waited = append(c.Waited, g)
		}
	}
	c.lookAtSilences(factor)
	c.Slowed = slices.Clone(c.Waited)
	for _, g := range c.Silenced {
		if !slices.Contains(c.Slowed, g) {
			c.Slowed = append(c.Slowed, g)
		}
	}
	c.MostOpen = most(c.bodies(0))
	if !c.Enough() {
		return
	}
	c.MostWaiting = most(c.waits())
	switch {
	case len(c.Waited) >= slowLeast && c.adds() && c.mute():
		c.Pattern, c.N, c.Share = NothingMeanwhile, 1, 1
	case len(c.Waited) >= slowLeast && !c.starved() && c.held(OneByOne, AtMost, c.bodies(firstAfter(c.Solo))):
	case len(c.Waited) >= slowLeast && c.held(StartsOneByOne, StartsAtMost, c.starts()):
	case len(c.Silenced) >= slowLeast && (c.sharing() || c.starving()):
		c.Pattern = SilentTogether
	case len(c.Silenced) >= slowLeast:
		c.heldInBody()
	}
	if c.Pattern == StartsOneByOne && c.mute() {
		c.Pattern = NothingMeanwhile
	}
}

// bodies are the times in which streams were being answered: from before, which
// stands for the work before the first event, until the last byte.
func (c *Crowd) bodies(before time.Duration) []interval {
	var all []interval
	for _, g := range c.Streams {
		if g.First != record.Never {
			all = append(all, interval{max(g.First-before, startOf(g.Stream)), lastByte(g)})
		}
	}
	return all
}

// lastByte is when the server had sent all: an edge may end the body later.
func lastByte(g *Graded) time.Duration { return max(g.Last, g.TerminalAt, g.First) }

// starts are the times in which the work before the first event was done, if it
// took as long as alone.
func (c *Crowd) starts() []interval {
	var all []interval
	for _, g := range c.Streams {
		if g.First != record.Never {
			all = append(all, interval{max(g.First-firstAfter(c.Solo), startOf(g.Stream)), g.First})
		}
	}
	return all
}

// waits are the times in which streams waited although their work, alone, would
// have been done.
func (c *Crowd) waits() []interval {
	var all []interval
	alone := firstAfter(c.Solo)
	for _, g := range c.Waited {
		until, _ := waitedBeyond(g.Stream, 0)
		if from := startOf(g.Stream) + alone; until-alone > from {
			all = append(all, interval{from, until - alone})
		}
	}
	return all
}

// held finds the number of streams that were served at once for nearly all the
// time in which others waited.
func (c *Crowd) held(one, several Pattern, served []interval) bool {
	byCount := overlap(served, c.waits())
	n, share := usualCount(byCount, 0)
	if n > 2 && several == AtMost {
		_, share = usualCount(byCount, 1) // a place may be free for a moment, or taken by something else
	}
	if n == 0 || n >= len(served) || share < saturatedFor || !c.follow(served) {
		return false
	}
	c.Pattern, c.N, c.Share = several, n, share
	if n == 1 {
		c.Pattern = one
	}
	return true
}

// follow reports whether those that waited were begun when another was done: what
// frees a place lets the next one in.
func (c *Crowd) follow(served []interval) bool {
	alone := firstAfter(c.Solo)
	slack := 50*time.Millisecond + alone/8
	n, of := 0, 0
	for _, g := range c.Waited {
		if g.First == record.Never {
			continue
		}
		of++
		begun := g.First - alone
		if slices.ContainsFunc(served, func(x interval) bool {
			return x.to >= begun-slack && x.to <= begun+slack && x.to != g.First
		}) {
			n++
		}
	}
	return of > 0 && float64(n) >= saturatedFor*float64(of)
}

func keys(m map[int]time.Duration) []int {
	var ks []int
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

// overlap is for how long how many of xs stood while any of ys did.
func overlap(xs, ys []interval) map[int]time.Duration {
	type edge struct {
		at   time.Duration
		x, y int
	}
	var es []edge
	for _, i := range xs {
		es = append(es, edge{i.from, 1, 0}, edge{i.to, -1, 0})
	}
	for _, i := range ys {
		es = append(es, edge{i.from, 0, 1}, edge{i.to, 0, -1})
	}
	slices.SortFunc(es, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	by := map[int]time.Duration{}
	x, y := 0, 0
	for i, e := range es {
		if i > 0 && y > 0 {
			by[x] += e.at - es[i-1].at
		}
		x, y = x+e.x, y+e.y
	}
	return by
}

// most is the largest number of intervals at once. One that begins when another
// ends does not meet it.
func most(xs []interval) int {
	type edge struct {
		at time.Duration
		by int
	}
	var es []edge
	for _, x := range xs {
		es = append(es, edge{x.from, 1}, edge{x.to, -1})
	}
	slices.SortFunc(es, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	n, top := 0, 0
	for _, e := range es {
		n += e.by
		top = max(top, n)
	}
	return top
}

// addsUp and addsDown are how far the sum of what each stream would have taken
// alone may be from the time that all took.
const (
	addsDown = 0.75
	addsUp   = 1.35
	// leastWork is the least work before a first event whose sum can be told.
	leastWork = 30 * time.Millisecond
	// leastAdded are the streams that it takes.
	leastAdded = 4
)

// adds reports whether the last first event came after the sum of the times that
// all streams need alone: whatever they did, they did it one after the other. A
// loop that is blocked for many at once lets them all go at its end.
func (c *Crowd) adds() bool {
	alone := firstAfter(c.Solo)
	begin := time.Duration(math.MaxInt64)
	var firsts []time.Duration
	lost := 0 // given up, by an edge or by us, before their turn came
	for _, g := range c.Streams {
		begin = min(begin, startOf(g.Stream))
		if g.First != record.Never {
			firsts = append(firsts, g.First)
		} else if slices.Contains(c.Waited, g) {
			lost++
		}
	}
	if len(firsts) == 0 || len(firsts)+lost < leastAdded || alone < leastWork {
		return false
	}
	slices.Sort(firsts)
	for i, at := range firsts {
		if (at - begin).Seconds() < addsDown*float64(i+1)*alone.Seconds() {
			return false // more were done by then than one after the other could be
		}
	}
	return (firsts[len(firsts)-1] - begin).Seconds() <= addsUp*float64(len(firsts)+lost)*alone.Seconds()
}

// mute reports whether open streams had no byte while the work of others was done:
// for most of the time between the first and the last first event.
func (c *Crowd) mute() bool {
	alone := firstAfter(c.Solo)
	from, to := time.Duration(math.MaxInt64), time.Duration(0)
	for _, g := range c.Streams {
		if g.First != record.Never {
			from, to = min(from, g.First), max(to, g.First)
		}
	}
	if to-from < 2*alone {
		return true // all at once, after the time that all of them take
	}
	quiet := max(alone/2, 3*usual(c.Solo), 50*time.Millisecond)
	var silent, open time.Duration
	at, bytes := from, arrivals(c.Streams, from, to)
	var bodies []interval // one that we gave up was open until then
	for _, g := range c.Streams {
		if g.First != record.Never {
			bodies = append(bodies, interval{g.First, endOf(g)})
		}
	}
	for _, b := range append(bytes, to) {
		held := longestOpen(bodies, at, b)
		if open += held; held >= quiet {
			silent += held
		}
		at = b
	}
	return open > 0 && 2*silent > open
}

// longestOpen is for how much of a time one of the bodies was open at most.
func longestOpen(bodies []interval, from, to time.Duration) (longest time.Duration) {
	for _, b := range bodies {
		longest = max(longest, min(b.to, to)-max(b.from, from))
	}
	return longest
}

// arrivals are the moments between two times at which any stream had a byte.
func arrivals(gs []*Graded, from, to time.Duration) []time.Duration {
	var all []time.Duration
	for _, g := range gs {
		for m := range g.Marks() {
			if m.At > from && m.At < to {
				all = append(all, m.At)
			}
		}
	}
	slices.Sort(all)
	return all
}

// usual is the median gap between a stream's events.
func usual(st *record.Stream) time.Duration {
	var gaps []time.Duration
	last := record.Never
	for m := range st.Marks() {
		if last != record.Never {
			gaps = append(gaps, m.At-last)
		}
		last = m.At
	}
	slices.Sort(gaps)
	return Quantile(gaps, 0.5)
}
