package diagnose

import (
	"slices"

	"github.com/streamproof/streamproof/harness/verdict"
)

// or adds a cause that could be meant instead of f's own.
func (f *finding) or(name string, why fact) *finding {
	if !slices.Contains(f.Names(), name) {
		f.Candidates = append(f.Candidates, verdict.Candidate{Cause: name, Fact: &why})
	}
	return f
}

// orAs adds another finding about the same streams, and its candidates.
func (f *finding) orAs(o *finding) *finding {
	f.or(o.Cause.Cause, *o.Fact)
	for _, c := range o.Candidates {
		f.or(c.Cause, *c.Fact)
	}
	return f
}

// fold puts what is no more than possible about streams that an earlier finding
// speaks of among that one's candidates: one doubt, one card, one thing to do.
func fold(fs []*finding) []*finding {
	var out []*finding
	for _, f := range fs {
		host := slices.IndexFunc(out, func(h *finding) bool { return covers(h.streams, f.streams) })
		if f.Confidence != possible || host < 0 {
			out = append(out, f)
			continue
		}
		if out[host].Confidence == certain {
			continue // a later rule has found what an earlier one could only guess
		}
		out[host].orAs(f)
	}
	return out
}

// covers reports whether all of some are among all.
func covers(all, some []*verdict.Graded) bool {
	in := make(map[*verdict.Graded]bool, len(all))
	for _, g := range all {
		in[g] = true
	}
	return !slices.ContainsFunc(some, func(g *verdict.Graded) bool { return !in[g] })
}
