package compare

import (
	"cmp"
	"math"
	"slices"

	"github.com/streamproof/streamproof/harness/history"
)

// A blocky is what the blocks of time of one side say.
type blocky struct {
	values []float64 // their medians
	// spread is twice the standard deviation of the blocks of the run that wavers most,
	// relative to its median: what happened to some blocks may have happened to most blocks
	// of another run.
	spread float64
	delay  float64 // by how much, in seconds, the machine delayed three quarters of them at most
}

// blocksOf are the blocks of a side that count. Half of a run's blocks at most are left
// out, and never so many that fewer than [FewestBlocks] stay: those in which the machine
// itself kept programs waiting longest. What they measured plays no part in that choice.
func blocksOf(side []*history.Scenario, name string) (b blocky) {
	var late []float64
	for _, s := range side {
		kept := undisturbed(s.Metrics[name].Blocks)
		var values []float64
		for _, k := range kept {
			values, late = append(values, k.P50), append(late, k.Delay)
		}
		if mid := history.Median(values); mid > 0 {
			b.spread = math.Max(b.spread, 2*history.Spread(values)/mid)
		}
		b.values = append(b.values, apart(values)...)
	}
	if len(late) > 0 {
		b.delay = quantile(late, 0.75)
	}
	return b
}

func undisturbed(all []history.Block) []history.Block {
	keep := max(FewestBlocks, (len(all)+1)/2)
	if len(all) <= keep {
		return all
	}
	late := make([]float64, len(all))
	for i, b := range all {
		late[i] = b.Delay
	}
	slices.Sort(late)
	most := math.Max(late[keep-1], LeastTime)
	return slices.DeleteFunc(slices.Clone(all), func(b history.Block) bool { return b.Delay > most })
}

// apart joins neighbours for as long as they are more alike than chance makes them: what
// lasts for several blocks is one event. Their rank autocorrelation at lag 1 (Wald and
// Wolfowitz 1943) has a standard deviation of about 1/√n where they are independent.
func apart(v []float64) []float64 {
	for len(v) >= FewestBlocks && neighbourly(v) > 2/math.Sqrt(float64(len(v))) {
		half := v[:0:0]
		for i := 0; i+1 < len(v); i += 2 {
			half = append(half, (v[i]+v[i+1])/2)
		}
		v = half
	}
	return v
}

// neighbourly is the autocorrelation of the ranks of v at lag 1; 0 where all are equal.
func neighbourly(v []float64) float64 {
	off := make([]float64, len(v)) // each value's rank less the mean rank, twice; ties share theirs
	sum := 0.0
	for i, x := range v {
		for _, y := range v {
			off[i] += float64(cmp.Compare(x, y))
		}
		sum += off[i] * off[i]
	}
	if sum == 0 {
		return 0
	}
	r := 0.0
	for i := range len(v) - 1 {
		r += off[i] * off[i+1]
	}
	return r / sum
}

// change is by how much the q-quantile of ys is above that of xs, relative to it.
func change(xs, ys []float64, q float64) float64 {
	x := quantile(xs, q)
	return (quantile(ys, q) - x) / base(x)
}

// base is what a difference from x is relative to: x, and the smallest time that counts
// where x is nothing, as the recovery of an app that was never unwell.
func base(x float64) float64 {
	if x > 0 {
		return x
	}
	return LeastTime
}

// quantile interpolates between order statistics (type 7 of Hyndman and Fan 1996), so that
// at 0.5 it is the median.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	i := min(int(at), len(v)-1)
	j := min(i+1, len(v)-1)
	return v[i] + (at-float64(i))*(v[j]-v[i])
}

// delay is how long the machine kept programs from running in the middle run of a side.
func delay(side []*history.Scenario) float64 {
	var late []float64
	for _, s := range side {
		late = append(late, s.Delay)
	}
	return history.Median(late)
}
