package trend

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
)

const (
	// Significance is the level at which a change point is believed: as Hunter and Apache
	// Otava have it, since a page shows hundreds of series.
	Significance = 0.001
	// permutations are so many that a series of [Nights] with a clean step passes. Where none
	// of the first early ones is as large, the rest cannot change that.
	permutations = 9999
	early        = 2999
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
		z := points(series[from:to])
		at, q := bestSplit(z)
		if at == 0 || !significant(z, q) {
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

// attainable is the smallest p-value that a step can have with so many values on either
// side of it: of all orders only those have as large a statistic that keep both sides
// apart, either of them first.
func attainable(before, after int) float64 {
	ways, _ := new(big.Int).Binomial(int64(before+after), int64(after)).Float64()
	return math.Min(1, 2/ways)
}

// Nights is how many values a series needs for a step to be told anywhere in it.
var Nights = sync.OnceValue(func() int {
	n := 2 * shortest
	for attainable(n/2, n-n/2) > Significance {
		n++
	}
	return n
})

// blind is how many of the last values of n cannot be told from those before, however far
// they are from them.
func blind(n int) int {
	if n < Nights() {
		return n
	}
	after := shortest
	for attainable(n-after, after) > Significance {
		after++
	}
	return after - 1
}

// A point is a value with the sum of its distances to all others.
type point struct{ v, far float64 }

func points(series []float64) []point {
	z := make([]point, len(series))
	for i, x := range series {
		z[i].v = x
		for _, y := range series {
			z[i].far += math.Abs(x - y)
		}
	}
	return z
}

// bestSplit is the first index of the second part, and the statistic of that split; 0
// where the series is too short for one.
func bestSplit(z []point) (at int, q float64) {
	n := len(z)
	if n < 2*shortest {
		return 0, 0
	}
	// Sums of distances within the first m values, within the rest, and between them, as
	// one value after the other goes over.
	within, rest, between := 0.0, 0.0, 0.0
	for _, p := range z {
		rest += p.far / 2
	}
	for m := 1; m <= n-shortest; m++ {
		x := z[m-1]
		toFirst := 0.0
		for _, p := range z[:m-1] {
			toFirst += math.Abs(x.v - p.v)
		}
		toRest := x.far - toFirst
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
// when so many are as large that the rest cannot help. Sums of the same distances in
// another order differ in their last digits: they are as large.
func significant(z []point, q float64) bool {
	q -= 1e-9 * math.Abs(q)
	r := rand.New(rand.NewPCG(uint64(len(z)), 20140401)) // any seed will do, as long as it stays
	z = slices.Clone(z)
	larger := 0
	for i := range permutations {
		if i == early && larger == 0 {
			return true
		}
		r.Shuffle(len(z), func(i, j int) { z[i], z[j] = z[j], z[i] })
		if _, other := bestSplit(z); other >= q {
			if larger++; float64(larger+1) > Significance*(permutations+1) {
				return false
			}
		}
	}
	return true
}
