package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// appHop is the hop at which only the app itself is asked.
const appHop = "app"

// A direct is what became of streams, in this run, that were asked of the app
// itself: what happens there is no edge's doing, and what does not happen there
// is not the app's, see [view.beside].
type direct struct {
	streams    []*verdict.Graded // of all scenarios, out of our own faults' way
	alone      []*verdict.Graded // those that no load stood beside
	clean, cut int               // of streams without a terminal: ended properly, or not
}

// directOf looks at the streams of all scenarios. Where the app was named by the
// URL of an edge, only a hop behind it is the app.
func directOf(s *verdict.Scope) direct {
	var d direct
	for i := range s.Run.Streams {
		st := &s.Run.Streams[i]
		if st.Hop != appHop || !s.Run.AppAlone(st.Scenario) {
			continue
		}
		sc := scenarioOf(s.Run, st.Scenario)
		if st.Group.Alone() {
			d.alone = append(d.alone, &verdict.Graded{Stream: st, Grade: verdict.GradeStream(st, sc.Policy)})
			continue
		}
		if sc.Policy.Faulty && st.Group != record.Baseline && st.Group != record.Control {
			continue
		}
		g := &verdict.Graded{Stream: st, Grade: verdict.GradeStream(st, sc.Policy)}
		d.streams = append(d.streams, g)
		switch {
		case st.Content.Terminals > 0:
		case g.Grade.Outcome == verdict.Truncated:
			d.clean++
		case g.Grade.Outcome == verdict.Aborted:
			d.cut++
		}
	}
	return d
}

func scenarioOf(run *record.Run, id string) *record.Scenario {
	for i := range run.Plan.Scenarios {
		if run.Plan.Scenarios[i].ID == id {
			return &run.Plan.Scenarios[i]
		}
	}
	return &record.Scenario{ID: id}
}

// answered reports whether the app itself answered with one of these status codes.
func (d direct) answered(codes ...int) bool {
	return slices.ContainsFunc(slices.Concat(d.streams, d.alone), func(g *verdict.Graded) bool {
		return slices.Contains(codes, g.Status)
	})
}

// alike is that the app ends its streams in the same way without an edge.
func (d direct) alike() fact {
	if d.clean == 0 {
		return fact{}
	}
	return fact{Kind: FactDirectClean, N: d.clean}
}

// differs is that the same streams are cut where no edge stands.
func (d direct) differs() fact {
	if d.clean > 0 || d.cut == 0 {
		return fact{}
	}
	return fact{Kind: FactDirectCut, N: d.cut}
}

// A comparison sets streams that went wrong on their way through the chain beside
// those that the app was asked for directly.
type comparison struct {
	bad, of             int // behind the edge: that went wrong, and all
	directBad, directOf int // asked directly: that showed the same; with those that were whole and would have shown it
	directElse          int // asked directly: that went wrong in another way, and so speak for nobody
	chance              float64
	crowd               bool // as many at once as behind the edge
}

// rare is the chance below which a difference between two arms is none.
const rare = 0.02

// acquits reports whether the app would have shown the fault when asked directly,
// under the same load and for as long, and did not.
func (c comparison) acquits() bool {
	return c.crowd && c.directBad == 0 && c.directElse == 0 && c.chance < rare
}

// convicts reports whether the app shows the fault without any edge, about as
// often as behind it.
func (c comparison) convicts() bool {
	return c.directBad > 0 && 2*c.directBad*c.of >= c.bad*c.directOf
}

// fact sets one beside the other. It is empty where the app was not asked.
func (c comparison) fact() fact {
	if c.directOf == 0 {
		return fact{}
	}
	return fact{Kind: FactBesideDirect, N: c.directBad, Of: c.directOf,
		About: []fact{{Kind: FactOnTheWay, N: c.bad, Of: c.of}}}
}

// beside compares gs, which went wrong in the way that like tells, with the
// direct arm. Every rule that wants to blame the app, or the edge, may ask.
func (v *view) beside(gs []*verdict.Graded, like func(*verdict.Graded) bool) comparison {
	var c comparison
	gs = slices.DeleteFunc(slices.Clone(gs), func(g *verdict.Graded) bool { return g.Hop == appHop })
	if len(gs) == 0 || len(v.direct.streams) == 0 {
		return c
	}
	hops := map[string]bool{}
	for _, g := range gs {
		hops[g.Hop] = true
	}
	var through []*verdict.Graded
	for i := range v.Streams {
		if g := &v.Streams[i]; hops[g.Hop] {
			through = append(through, g)
		}
	}
	age := medianAge(gs)
	for _, g := range v.askedDirectly(gs) {
		switch {
		case like(g):
			c.directBad++
		case g.Grade.Outcome != verdict.Complete:
			c.directElse++
			continue
		case g.End-startOf(g) < age*8/10:
			continue // it did not get so far
		}
		c.directOf++
	}
	c.bad, c.of = len(gs), len(through)
	c.crowd = 10*peak(v.direct.streams) >= 8*peakByHop(through)
	c.chance = verdict.Fisher(c.bad, c.of, c.directBad, c.directOf)
	return c
}

// askedDirectly are the streams of the direct arm that may be held against gs: those
// that were alone as well, where gs came short without any load.
func (v *view) askedDirectly(gs []*verdict.Graded) []*verdict.Graded {
	if !slices.ContainsFunc(gs, func(g *verdict.Graded) bool { return g.Group.Alone() }) {
		return v.direct.streams
	}
	return slices.Concat(v.direct.streams, v.direct.alone)
}

// leansToEdge reports whether all streams on the way show what no stream of the
// app asked directly does, though they are too few to rule out chance.
func (c comparison) leansToEdge() bool {
	return c.crowd && c.directOf > 0 && c.directBad == 0 && c.directElse == 0 && c.bad > 0 && c.bad == c.of &&
		c.chance >= rare
}

// peakByHop is the most streams that were open at once at one of the hops.
func peakByHop(gs []*verdict.Graded) int {
	by := map[string][]*verdict.Graded{}
	for _, g := range gs {
		by[g.Hop] = append(by[g.Hop], g)
	}
	most := 0
	for _, of := range by {
		most = max(most, peak(of))
	}
	return most
}

func medianAge(gs []*verdict.Graded) time.Duration {
	var ages []time.Duration
	for _, g := range gs {
		if g.End != record.Never {
			ages = append(ages, g.End-startOf(g))
		}
	}
	if len(ages) == 0 {
		return 0
	}
	slices.Sort(ages)
	return ages[len(ages)/2]
}
