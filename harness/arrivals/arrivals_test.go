package arrivals_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
)

func flat(rate float64, d time.Duration) (float64, []arrivals.Stage) {
	return rate, []arrivals.Stage{{Duration: d, Target: arrivals.Target{Value: rate}}}
}

// distances are those between arrivals, the first from the begin, in seconds.
func distances(at []time.Duration) []float64 {
	out, last := make([]float64, len(at)), time.Duration(0)
	for i, t := range at {
		out[i], last = (t - last).Seconds(), t
	}
	return out
}

// ks is the Kolmogorov–Smirnov distance between samples and a distribution.
func ks(xs []float64, cdf func(float64) float64) (d float64) {
	xs = slices.Sorted(slices.Values(xs))
	n := float64(len(xs))
	for i, x := range xs {
		f := cdf(x)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d
}

// TestPoissonPassesKS: 5,000 arrivals have exponential distances, at the 1 % level of the
// test for a distribution that is known in full. Gamma with another CV must not pass.
func TestPoissonPassesKS(t *testing.T) {
	const n, rate = 5000, 200.0
	critical := 1.628 / math.Sqrt(n)
	exponential := func(x float64) float64 { return 1 - math.Exp(-rate*x) }
	start, stages := flat(rate, time.Hour)
	failed := 0
	for seed := range uint64(20) {
		at := arrivals.Schedule(arrivals.Process{Kind: arrivals.Poisson}, start, stages, n, seed)
		if len(at) != n || !slices.IsSorted(at) {
			t.Fatalf("%d arrivals, sorted %v", len(at), slices.IsSorted(at))
		}
		if ks(distances(at), exponential) > critical {
			failed++
		}
		bursty := arrivals.Schedule(arrivals.Process{Kind: arrivals.Gamma, CV: 1.3}, start, stages, n, seed)
		if ks(distances(bursty), exponential) <= critical {
			t.Errorf("seed %d: gamma(1.3) passes for Poisson", seed)
		}
	}
	if failed > 1 { // 1 in 100 by chance
		t.Errorf("%d of 20 seeds fail the test", failed)
	}
}

// TestGamma: mean and coefficient of variation of the distances are those asked for.
func TestGamma(t *testing.T) {
	for _, cv := range []float64{0.3, 1, 2.5} {
		start, stages := flat(100, time.Hour)
		xs := distances(arrivals.Schedule(arrivals.Process{Kind: arrivals.Gamma, CV: cv}, start, stages, 100_000, 7))
		var sum, squares float64
		for _, x := range xs {
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / float64(len(xs))
		got := math.Sqrt(squares/float64(len(xs))-mean*mean) / mean
		if math.Abs(mean-0.01) > 0.0005 || math.Abs(got-cv) > 0.05*cv {
			t.Errorf("gamma(%g): mean distance %.5f s, CV %.3f", cv, mean, got)
		}
	}
}

// TestScheduleUnderStages: the load grows, stays and falls as the stages say.
func TestScheduleUnderStages(t *testing.T) {
	const s = time.Second
	stages := []arrivals.Stage{{10 * s, arrivals.Target{Value: 20}}, {10 * s, arrivals.Target{Value: 20}},
		{0, arrivals.Target{Value: 5}}, {10 * s, arrivals.Target{Value: 5}}, {10 * s, arrivals.Target{Value: 0}}}
	at := arrivals.Schedule(arrivals.Process{}, 0, stages, 0, 1)
	count := func(from, to time.Duration) (n int) {
		for _, x := range at {
			if x >= from && x < to {
				n++
			}
		}
		return n
	}
	for i, want := range []int{100, 200, 50, 25} {
		if got := count(time.Duration(i)*10*s, time.Duration(i+1)*10*s); got < want-1 || got > want+1 {
			t.Errorf("%d arrivals in part %d, want %d", got, i, want)
		}
	}
	if n := arrivals.Expected(0, stages); n != 375 || len(at) != 375 {
		t.Errorf("%g expected, %d drawn", n, len(at))
	}
	poisson := arrivals.Schedule(arrivals.Process{Kind: arrivals.Poisson}, 0, stages, 0, 3)
	if n := len(poisson); math.Abs(float64(n)-375) > 4*math.Sqrt(375) {
		t.Errorf("%d Poisson arrivals, want about 375", n)
	}
	if got := arrivals.At(0, stages, 5*s); got != 10 {
		t.Errorf("target %g after 5 s, want 10", got)
	}
	if d, p := arrivals.Length(stages), arrivals.Peak(0, stages); d != 40*s || p != 20 {
		t.Errorf("length %v, peak %g", d, p)
	}
}

func TestBurst(t *testing.T) {
	start, stages := flat(20, time.Second)
	at := arrivals.Schedule(arrivals.Process{Kind: arrivals.Burst, Size: 10}, start, stages, 0, 1)
	if len(at) != 20 || at[9] != 0 || at[10] != 500*time.Millisecond {
		t.Errorf("bursts at %v", at)
	}
}

func TestParse(t *testing.T) {
	for _, s := range []string{"constant", "poisson", "gamma(2.5)", "burst(10)", "trace"} {
		if p, err := arrivals.Parse(s); err != nil || p.String() != s {
			t.Errorf("%s is read as %q, %v", s, p, err)
		}
	}
	for s, want := range map[string]string{"poison": "known are", "gamma": "write gamma(2)", "gamma(0)": "write gamma(2)",
		"burst(x)": "write burst(10)", "poisson(3)": "takes no number", "burst(3": "open bracket"} {
		if _, err := arrivals.Parse(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", s, err, want)
		}
	}
}
