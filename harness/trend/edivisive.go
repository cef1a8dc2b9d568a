package trend

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// Significance is the level at which a change point is believed: as Hunter and Apache
	// Otava have it, since a page shows hundreds of series.
	Significance = 0.001
	permutations = 2999
	// shortest is the least number of values on either side of a change point: a single
	// night is an outlier and no new level.
	shortest = 2
)

// ChangePoints finds the places at which the distribution of a series changes: the
// index of the first value of each new segment, in order. It is E-divisive (Matteson and
// James 2014, doi:10.1080/01621459.2013.849605) with exponent 1: the split with the
// largest energy distance between both sides is kept if fewer than a share of
// [Significance] of random permutations of the segment have a larger one; both sides are
// then split likewise. The same series always gives the same answer.
func ChangePoints(series []float64) []int {
	var found []int
	var split func(from, to int)
	split = func(from, to int) {
		at, q := bestSplit(series[from:to])
		if at == 0 || !significant(series[from:to], q) {
			return
		}
		found = append(found, from+at)
		split(from, from+at)
		split(from+at, to)
	}
	split(0, len(series))
	slices.Sort(found)
	return found
}

// bestSplit is the first index of the second part, and the statistic of that split; 0
// where the series is too short for one.
func bestSplit(z []float64) (at int, q float64) {
	n := len(z)
	if n < 2*shortest {
		return 0, 0
	}
	// Sums of distances within the first m values, within the rest, and between them, as
	// one value after the other goes over.
	within, rest, between := 0.0, 0.0, 0.0
	for i := range n {
		for j := range i {
			rest += math.Abs(z[i] - z[j])
		}
	}
	for m := 1; m <= n-shortest; m++ {
		x := z[m-1]
		toFirst, toRest := 0.0, 0.0
		for _, v := range z[:m-1] {
			toFirst += math.Abs(x - v)
		}
		for _, v := range z[m:] {
			toRest += math.Abs(x - v)
		}
		within, rest, between = within+toFirst, rest-toRest, between-toFirst+toRest
		if m < shortest {
			continue
		}
		a, b := float64(m), float64(n-m)
		e := 2*between/(a*b) - 2*within/(a*(a-1)) - 2*rest/(b*(b-1))
		if s := a * b / (a + b) * e; at == 0 || s > q {
			at, q = m, s
		}
	}
	return at, q
}

// significant holds the statistic of a split against those of permutations. It stops
// when so many are larger that the rest cannot help.
func significant(z []float64, q float64) bool {
	r := rand.New(rand.NewPCG(uint64(len(z)), 20140401)) // any seed will do, as long as it stays
	z = slices.Clone(z)
	larger := 0
	for range permutations {
		r.Shuffle(len(z), func(i, j int) { z[i], z[j] = z[j], z[i] })
		if _, other := bestSplit(z); other >= q {
			if larger++; float64(larger+1) > Significance*(permutations+1) {
				return false
			}
		}
	}
	return true
}
