package verdict

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// FirstEventBound asks whether p95 of the time to the first event keeps the
// user's bound.
type FirstEventBound struct{}

func (FirstEventBound) Check(s *Scope) Answer {
	return s.p95(firstInTime, s.Scenario.Policy.Thresholds.FirstEvent, s.sample(TTFE))
}

// TotalBound asks whether p95 of the duration keeps the user's bound.
type TotalBound struct{}

func (TotalBound) Check(s *Scope) Answer {
	return s.p95(answerInTime, s.Scenario.Policy.Thresholds.Total, s.sample(DurationOf))
}

// GapBound asks whether the largest gap of every stream keeps the user's bound.
type GapBound struct{}

func (GapBound) Check(s *Scope) Answer {
	return s.longest(s.sample(func(st *record.Stream) (time.Duration, bool) { return st.MaxGap, true }))
}

// Names of the checks on the user's bounds.
const (
	firstInTime  = "first event in time"
	answerInTime = "answer in time"
	noLongGap    = "no long gap"
)

// longest compares the largest of sorted gaps with the user's bound.
func (s *Scope) longest(gaps []time.Duration) Answer {
	bound := s.Scenario.Policy.Thresholds.MaxGap
	if bound == 0 || len(gaps) == 0 {
		return Answer{}
	}
	return s.within(noLongGap, FactLargest, gaps[len(gaps)-1], bound)
}

// p95 compares the 95th percentile of sorted times with a bound. Fewer samples than
// carry it are judged by their largest, which cannot be smaller; if that is over the
// bound, more streams must decide.
func (s *Scope) p95(name string, bound time.Duration, xs []time.Duration) Answer {
	switch {
	case bound == 0 || len(xs) == 0:
		return Answer{}
	case carries(len(xs), 0.95):
		return s.within(name, FactP95, Quantile(xs, 0.95), bound)
	case xs[len(xs)-1] <= bound:
		return pass(name, fact{Kind: FactMost, N: len(xs), Took: xs[len(xs)-1], Bound: bound})
	case xs[0] > bound && s.Over:
		return s.late(name, fact{Kind: FactLeast, N: len(xs), Took: xs[0], Bound: bound})
	default:
		return unsure(name, next(NextMoreForP95),
			fact{Kind: FactFewForP95, N: len(xs), Need: 20, Took: xs[len(xs)-1], Bound: bound})
	}
}

func (s *Scope) within(name string, what record.FactKind, got, bound time.Duration) Answer {
	f := fact{Kind: what, Took: got, Bound: bound}
	if got <= bound {
		return pass(name, f)
	}
	return s.late(name, f)
}

// late fails, unless something else than the app may have been slow.
func (s *Scope) late(name string, f fact) Answer {
	if x, ok := s.excuseAll(); ok {
		return unsure(name, next(NextQuiet), fact{Kind: FactBut, About: []fact{f, x.fact()}})
	}
	return fail(name, f)
}

// sample collects a time over the complete streams out of our faults' way,
// sorted.
func (s *Scope) sample(of func(*record.Stream) (time.Duration, bool)) []time.Duration {
	var xs []time.Duration
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Grade.Outcome != Complete || g.Struck || g.Group.Alone() {
			continue
		}
		if x, ok := of(g.Stream); ok {
			xs = append(xs, x)
		}
	}
	slices.Sort(xs)
	return xs
}
