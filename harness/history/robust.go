package history

import (
	"math"
	"slices"
)

// Spread is 1.4826 times the median absolute deviation: the standard deviation where
// values are normal, and little moved by a few that are not.
func Spread(values []float64) float64 {
	mid := Median(values)
	var off []float64
	for _, v := range values {
		off = append(off, math.Abs(v-mid))
	}
	return 1.4826 * Median(off)
}

// Median is the middle of values, in any order; 0 where there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
