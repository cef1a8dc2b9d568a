package trend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The first example of the R package ecp, by the authors of E-divisive (James and
// Matteson 2014, section 3.1): four stretches of 100 normal values that differ in mean,
// in variance, or in both.
func TestPapersExample(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(250, 1))
	var series []float64
	for _, of := range []struct{ mean, sd float64 }{{0, 1}, {0, 3}, {2, 1}, {2, 4}} {
		for range 100 {
			series = append(series, of.mean+of.sd*r.NormFloat64())
		}
	}
	found := ChangePoints(series)
	for _, want := range []int{100, 200, 300} {
		if !slices.ContainsFunc(found, func(at int) bool { return math.Abs(float64(at-want)) <= 12 }) {
			t.Errorf("no change near %d in %v", want, found)
		}
	}
	if len(found) > 4 {
		t.Errorf("too many changes: %v", found)
	}
}

// The example of Hunter (Fleming et al. 2023), which Apache Otava tests itself with.
func TestHuntersExample(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		series []float64
		want   []int
	}{
		{[]float64{1.02, 0.95, 0.99, 1.00, 1.12, 0.90, 0.50, 0.51, 0.48, 0.48, 0.55}, []int{6}},
		{[]float64{2.02, 2.03, 2.01, 2.04, 1.82, 1.85, 1.79, 1.81, 1.80, 1.76, 1.78}, []int{4}},
	} {
		at, _ := bestSplit(tc.series)
		if at != tc.want[0] {
			t.Errorf("the best split of %v is at %d, want %d", tc.series, at, tc.want[0])
		}
	}
	// Twice as long, they are significant at our level too: eleven values have too few
	// permutations for that.
	long := []float64{1.02, 0.95, 0.99, 1.00, 1.12, 1.01, 0.97, 1.03, 1.05, 0.96, 0.50, 0.51, 0.48, 0.48, 0.55, 0.52, 0.47,
		0.51, 0.49, 0.53}
	if got := ChangePoints(long); !slices.Equal(got, []int{10}) {
		t.Errorf("got %v, want [10]", got)
	}
}

func TestNoChange(t *testing.T) {
	t.Parallel()
	alarms := 0
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		series := make([]float64, 30)
		for i := range series {
			series[i] = r.NormFloat64()
		}
		alarms += len(ChangePoints(series))
	}
	if alarms > 1 { // 0.1 are expected
		t.Errorf("%d alarms in 100 series without a change", alarms)
	}
	for _, series := range [][]float64{nil, {1}, {1, 1, 1}, {3, 3, 3, 3, 3, 3, 3, 3, 3}} {
		if got := ChangePoints(series); len(got) > 0 {
			t.Errorf("%v: %v", series, got)
		}
	}
}
