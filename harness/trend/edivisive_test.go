package trend

import (
	"fmt"
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
		at, _ := bestSplit(points(tc.series))
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

// ideal is a series with a step that no noise hides.
func ideal(before, after int) []float64 {
	r := rand.New(rand.NewPCG(uint64(before), uint64(after)))
	var series []float64
	for i := range before + after {
		series = append(series, 1+0.001*r.NormFloat64())
		if i >= before {
			series[i]++
		}
	}
	return series
}

// A series of so many nights can show a step, and one of fewer cannot, however clean.
func TestNights(t *testing.T) {
	t.Parallel()
	if Nights() != 14 || attainable(6, 7) <= Significance {
		t.Errorf("%d nights, p %g with one less", Nights(), attainable(6, 7))
	}
	for n := 4; n < 24; n++ {
		found := fmt.Sprint(ChangePoints(ideal(n/2, n-n/2)))
		if want := fmt.Sprintf("[%d]", n/2); n >= Nights() && found != want {
			t.Errorf("%d nights: %s, want %s", n, found, want)
		} else if n < Nights()-1 && found != "[]" {
			t.Errorf("%d nights: %s, with p = %g", n, found, attainable(n/2, n-n/2))
		}
	}
	for n, want := range map[int]int{5: 5, 13: 13, 14: 4, 17: 3, 30: 2, 100: 1} {
		if got := blind(n); got != want {
			t.Errorf("%d nights: the last %d are blind, want %d", n, got, want)
		}
	}
	if got := ChangePoints(ideal(40-blind(40), blind(40))); len(got) > 0 {
		t.Errorf("a step in the last nights: %v", got)
	}
}

// Equal values leave Mann and Kendall's statistic less variance, and none where all are.
func TestTies(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{0: {3, 3, 3, 3}, 0.0 + 4*3*13/18.0: {1, 2, 3, 4},
		(4*3*13 - 2*1*9) / 18.0: {1, 2, 2, 3}} {
		if got := kendall(values); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: %g, want %g", values, got, want)
		}
	}
}
