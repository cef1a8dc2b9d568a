package diagnose

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/verdict"
)

// rank ties causes to the checks that their streams broke, and puts those first
// that a check broke on: the worst check leads, and what the scenario allows, as
// the end of a stream that its own fault cut, explains no failure.
func rank(causes []verdict.Cause, checks []verdict.Check) []verdict.Cause {
	var open []verdict.Check
	for _, worst := range []verdict.Verdict{verdict.Fail, verdict.Inconclusive} {
		for _, c := range checks {
			if c.Verdict == worst && len(c.Breakers()) > 0 {
				open = append(open, c)
			}
		}
	}
	for i := range causes {
		c := &causes[i]
		for _, o := range open {
			if meet(c.All, o.Breakers()) {
				c.Checks = append(c.Checks, o.Name)
			}
		}
	}
	if len(open) > 0 {
		slices.SortStableFunc(causes, func(a, b verdict.Cause) int {
			return cmp.Compare(min(1, len(b.Checks)), min(1, len(a.Checks)))
		})
	}
	return causes
}

// meet reports whether two lists of streams have one in common.
func meet(a, b []uint64) bool {
	in := make(map[uint64]bool, len(a))
	for _, x := range a {
		in[x] = true
	}
	return slices.ContainsFunc(b, func(x uint64) bool { return in[x] })
}
