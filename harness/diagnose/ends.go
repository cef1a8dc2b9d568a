package diagnose

import (
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A measure is the median of what the ends of some streams share, and how far the
// tenth of them on either side lie apart.
type measure struct{ center, spread time.Duration }

func measureOf(gs []*verdict.Graded, of func(*verdict.Graded) time.Duration) measure {
	xs := make([]time.Duration, 0, len(gs))
	for _, g := range gs {
		xs = append(xs, of(g))
	}
	slices.Sort(xs)
	if len(xs) == 0 {
		return measure{}
	}
	at := func(q float64) time.Duration { return xs[max(int(math.Ceil(q*float64(len(xs))))-1, 0)] }
	return measure{center: at(0.5), spread: at(0.9) - at(0.1)}
}

// within reports whether the spread is at most the larger of d and the given part
// of the center.
func (m measure) within(d time.Duration, part float64) bool {
	return m.spread <= max(d, time.Duration(part*float64(m.center)))
}

func ageOf(g *verdict.Graded) time.Duration { return g.End - startOf(g) }

func silenceOf(g *verdict.Graded) time.Duration { return g.End - lastBytes(g) }

// reachedOf is how old a stream was at its last event.
func reachedOf(g *verdict.Graded) time.Duration { return lastBytes(g) - startOf(g) }

// endedEarly reports whether an answer ended before it was whole, cut or not.
func cameShort(g *verdict.Graded) bool {
	return isCut(g) && g.Status < 400 && g.Headers != record.Never && g.End != record.Never && g.Limit == record.NoLimit
}

// unexplainedEnds are the open streams that came short, and for which nothing that
// was recorded died. A fault of ours that only delays cuts nobody: whoever lost
// patience with it did. An exception explains no stream of which the edge says that it
// timed out: the app raised since its connection was gone.
func (v *view) unexplainedEnds() []*verdict.Graded {
	_, cuts := v.fault()
	gs := v.take(func(g *verdict.Graded) bool { return cameShort(g) && !(g.Struck && cuts) })
	if len(gs) == 0 {
		return nil
	}
	dead := map[*verdict.Graded]bool{}
	var raised []*verdict.Graded
	for _, m := range v.matchDeaths(gs, diedByStrike, diedByKill, diedByExit, diedByTimeout, diedByMemory, diedByTerm,
		diedByException) {
		dead[m.Graded] = true
		if m.death.kind == diedByException && !v.deaths.names(m.Graded) {
			raised = append(raised, m.Graded)
		}
	}
	if len(raised) > 0 {
		rest := keep(gs, func(g *verdict.Graded) bool { return !dead[g] })
		for _, g := range v.timedOutByEdge(rest, raised) {
			dead[g] = false
		}
	}
	return slices.DeleteFunc(gs, func(g *verdict.Graded) bool { return dead[g] })
}

// timedOutByEdge are the streams of raised for which a word of the edge about a timeout
// is left, where each is about one stream, and those of rest come first.
func (v *view) timedOutByEdge(rest, raised []*verdict.Graded) []*verdict.Graded {
	hits := slices.Clone(v.tags[upstreamTimeout])
	for i := range hits {
		hits[i].once = true
	}
	silent := func(g *verdict.Graded) bool { return v.edge.mayPass(g) && silenceOf(g) >= minSilence }
	all := v.near(slices.Concat(keep(rest, silent), keep(raised, silent)), hits)
	return keep(all, func(g *verdict.Graded) bool { return slices.Contains(raised, g) })
}

// beyond are other streams that took the same way as gs and did what gs are said
// to have been ended for, so that no limit of that kind stands there.
func (v *view) beyond(gs []*verdict.Graded, did func(*verdict.Graded) bool) []*verdict.Graded {
	in := map[*verdict.Graded]bool{}
	hops := map[string]bool{}
	for _, g := range gs {
		in[g], hops[g.Hop] = true, true
	}
	var out []*verdict.Graded
	for i := range v.Streams {
		if g := &v.Streams[i]; hops[g.Hop] && !in[g] && did(g) {
			out = append(out, g)
		}
	}
	return out
}

// usualGapOf is the median of the streams' usual gaps.
func usualGapOf(gs []*verdict.Graded) time.Duration {
	return measureOf(gs, usualGap).center
}

// An owner is who set a limit, as far as the direct arm and the edge tell.
type owner int

const (
	ownerUnknown owner = iota
	ownerApp           // the app, or what runs it, shows the same without an edge
	ownerEdge          // the app asked directly does not, under the same load and for as long
)

// ownerOf asks the direct arm. Where nothing stands in front of the app there is
// nobody else.
func (v *view) ownerOf(gs []*verdict.Graded, like func(*verdict.Graded) bool) (owner, comparison) {
	c := v.beside(gs, like)
	switch {
	case c.convicts(), v.edge.known && !v.edge.there,
		!slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Hop != appHop }):
		return ownerApp, c
	case c.acquits():
		return ownerEdge, c
	}
	return ownerUnknown, c
}

// around reports whether d is one of what m measures: within its spread, a tenth,
// or a third of a second of its center.
func (m measure) around(d time.Duration) bool {
	return (d - m.center).Abs() <= max(m.center/10, m.spread)+300*time.Millisecond
}
