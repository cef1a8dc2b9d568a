package diagnose

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/verdict"
)

// liveInside says that events come one by one where the same streams enter the
// chain further in, and none is held back there: then what lies between holds
// them, whatever their heads look like. Where the scenario enters at one hop only,
// what they were compared with is meant. "" where that was not seen.
func (v *view) liveInside(gs []*verdict.Graded) string {
	held := map[string]bool{}
	asks := false
	for _, g := range gs {
		held[g.Hop] = true
		asks = asks || g.Encoding != "" && g.Asks()
	}
	if held[appHop] {
		return ""
	}
	for _, hop := range v.hopsInwards() {
		live := 0
		for i := range v.Streams {
			g := &v.Streams[i]
			if g.Hop == hop && g.Grade.Outcome == verdict.Complete && !g.Grade.Has(verdict.Buffered) && (!asks || g.Asks()) {
				live++
			}
		}
		if live > 0 && !held[hop] {
			text := fmt.Sprintf("entered at %s, %s", hop, sayLive(live))
			if p := v.PacingAt(hop); p != nil {
				text += ": " + p.String()
			}
			return text
		}
	}
	for _, g := range gs {
		if h := g.Grade.Held; h != nil && h.Reference != nil && !v.Scenario.Peel && (!asks || h.Reference.Asked) {
			return h.Reference.String()
		}
	}
	return ""
}

func sayLive(n int) string {
	if n == 1 {
		return "all events of 1 stream come one by one"
	}
	return fmt.Sprintf("all events of %d streams come one by one", n)
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
