package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

const (
	// shareOf is the part of a delay that our own links may make up, and shareLeast what
	// they may add in any case.
	shareOf    = 0.1
	shareLeast = 20 * time.Millisecond
	// fewShare is how many streams of each group tell the share.
	fewShare = 20
	// mostGaps are looked at in a group.
	mostGaps = 1 << 16
)

// LinksKeptUp asks what the links that we put in the way have added before anything was
// done on them: the control group goes beside them, at the same time. A chain that
// queues would be taken for an app that is slow.
type LinksKeptUp struct{}

// Check implements [Checker].
func (LinksKeptUp) Check(s *Scope) Answer {
	const name = "our links kept up"
	until, asked := s.untilStruck()
	if !asked {
		return Answer{}
	}
	through, beside := s.calmDelays(record.Victim, until), s.calmDelays(record.Control, until)
	if len(through.first) < fewShare || len(beside.first) < fewShare {
		return Answer{}
	}
	first, bound := addedBy(through.first, beside.first, 0.5)
	gap, gapBound := 0*time.Second, shareLeast
	if len(through.gaps) >= fewShare && len(beside.gaps) >= fewShare {
		gap, gapBound = addedBy(through.gaps, beside.gaps, 0.99)
	}
	added := []time.Duration{first, bound, gap, gapBound}
	if first > bound || gap > gapBound {
		if !surely(through.first, beside.first, 0.5, bound) && !surely(through.gaps, beside.gaps, 0.5, gapBound) &&
			!surely(through.gaps, beside.gaps, 0.99, gapBound) {
			return Answer{} // by chance as well: answers take as long as they like
		}
		n := s.Scenario.Load.Streams / 2
		return unsure(name, fact{Kind: NextFewer, N: n}, fact{Kind: FactLinksSlow, Times: added}).obliges()
	}
	return pass(name, fact{Kind: FactLinks, Times: added}).obliges()
}

// untilStruck is how long the links did nothing but pass bytes on, and false where there
// was none, or no such time.
func (s *Scope) untilStruck() (until time.Duration, asked bool) {
	for _, w := range s.Windows {
		if !w.Fault.MidStream {
			return 0, false
		}
		asked = asked || len(w.Fault.Links) > 0
	}
	if until = s.Active; until == record.Never {
		until = 1<<63 - 1
	}
	return until, asked
}

// delays are those of a group, sorted.
type delays struct{ first, gaps []time.Duration }

// calmDelays are what the streams of a group saw before until.
func (s *Scope) calmDelays(group record.Group, until time.Duration) (d delays) {
	for g := range s.InGroup(group) {
		took, ok := TTFE(g.Stream)
		if !ok || g.First >= until {
			continue
		}
		d.first = append(d.first, took)
		last := g.First
		for m := range g.Marks() {
			if m.At >= until || len(d.gaps) == mostGaps {
				break
			}
			if m.At > last {
				d.gaps = append(d.gaps, m.At-last)
				last = m.At
			}
		}
	}
	slices.Sort(d.first)
	slices.Sort(d.gaps)
	return d
}

// addedBy is by how much a quantile of what went through the links is longer than the
// same of what went beside them, and how long it may be.
func addedBy(through, beside []time.Duration, q float64) (added, bound time.Duration) {
	base := Quantile(beside, q)
	bound = max(shareLeast, time.Duration(shareOf*float64(base)))
	return max(0, Quantile(through, q)-base), bound
}

// surely reports whether a quantile of what went through the links is longer by more than
// bound than that of what went beside them, and not by chance: the lower bound of the one
// against the upper bound of the other, each at 99 % (order statistics, by the normal
// approximation of the binomial distribution). Few values tell nothing.
func surely(through, beside []time.Duration, q float64, bound time.Duration) bool {
	const z = 2.326
	rank := func(n int, side float64) int { // from 0
		return int(math.Round(q*float64(n)+side*z*math.Sqrt(float64(n)*q*(1-q)))) - 1
	}
	low, high := rank(len(through), -1), rank(len(beside), +1)
	return low >= 0 && high >= 0 && high < len(beside) && through[low]-beside[high] > bound
}
