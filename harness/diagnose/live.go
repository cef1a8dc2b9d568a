package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// liveInside says that events come one by one where the same streams enter the
// chain further in, and none is held back there: then what lies between holds
// them, whatever their heads look like. Where the scenario enters at one hop only,
// what they were compared with is meant. The zero fact where that was not seen.
func (v *view) liveInside(gs []*verdict.Graded) record.Fact {
	held := map[string]bool{}
	asks := false
	for _, g := range gs {
		held[g.Hop] = true
		asks = asks || g.Encoding != "" && g.Asks()
	}
	if held[appHop] {
		return record.Fact{}
	}
	for _, hop := range v.hopsInwards() {
		live := 0
		for i := range v.Streams {
			g := &v.Streams[i]
			if g.Hop == hop && g.Grade.Outcome == verdict.Complete && !g.Grade.Has(verdict.Buffered) && (!asks ||
				g.Asks()) {
				live++
			}
		}
		if live > 0 && !held[hop] {
			f := record.Fact{Kind: FactLiveAt, Place: hop, N: live}
			if p := v.PacingAt(hop); p != nil {
				f.About = []record.Fact{p.Fact()}
			}
			return f
		}
	}
	for _, g := range gs {
		if h := g.Grade.Held; h != nil && h.Reference != nil && !v.Scenario.Peel && (!asks || h.Reference.Asked) {
			return h.Reference.Fact()
		}
	}
	return record.Fact{}
}

// hopsInwards lists the hops that a peeled scenario entered, from the edge to the
// app.
func (v *view) hopsInwards() []string {
	var names []string
	if !v.Scenario.Peel {
		return nil
	}
	for i := range v.Streams {
		if hop := v.Streams[i].Hop; !slices.Contains(names, hop) {
			names = append([]string{hop}, names...)
		}
	}
	return names
}
