package reports

import (
	"math"
	"time"
)

// steps returns round moments in [from, to], about n of them.
func steps(from, to time.Duration, n int) []time.Duration {
	if to <= from || n < 1 {
		return nil
	}
	step := roundStep(float64(to-from) / float64(n))
	var out []time.Duration
	for at := (from + step - 1) / step * step; at <= to; at += step {
		out = append(out, at)
	}
	return out
}

// roundStep returns the next of 1, 2, 5, 10, ... that is at least x.
func roundStep(x float64) time.Duration {
	p := math.Pow(10, math.Floor(math.Log10(max(x, 1))))
	for _, m := range []float64{1, 2, 5} {
		if m*p >= x {
			return time.Duration(m * p)
		}
	}
	return time.Duration(10 * p)
}

// A scale maps times to bins.
type scale struct {
	lo, hi time.Duration
	bins   int
	log    bool
}

// wide is the ratio from which a range is shown on a logarithmic scale.
const wide = 20

// scaleFor returns a scale over all of xs, with some room.
func scaleFor(bins int, xs ...[]time.Duration) scale {
	lo, hi := time.Duration(math.MaxInt64), time.Duration(0)
	for _, x := range xs {
		for _, d := range x {
			lo, hi = min(lo, d), max(hi, d)
		}
	}
	if hi == 0 {
		return scale{0, time.Millisecond, bins, false}
	}
	lo = max(lo, 10*time.Microsecond) // below that a logarithm shows our own noise
	if hi/lo < wide {
		return scale{0, hi + hi/16, bins, false}
	}
	return scale{lo - lo/8, hi + hi/8, bins, true}
}

// at maps d to [0, 1].
func (s scale) at(d time.Duration) float64 {
	if s.log {
		d = max(d, s.lo)
		return min(math.Log(float64(d)/float64(s.lo))/math.Log(float64(s.hi)/float64(s.lo)), 1)
	}
	return min(max(float64(d-s.lo)/float64(s.hi-s.lo), 0), 1)
}

func (s scale) bin(d time.Duration) int { return min(int(s.at(d)*float64(s.bins)), s.bins-1) }

// ticks are the moments to print under the scale.
func (s scale) ticks() []time.Duration {
	if !s.log {
		return steps(s.lo, s.hi, 4)
	}
	var out []time.Duration
	for p := roundStep(float64(s.lo)); p <= s.hi; p *= 10 {
		out = append(out, p)
	}
	if len(out) < 2 { // within two decades
		return decade(s)
	}
	return out
}

// decade returns the 1, 2, 5 steps within s.
func decade(s scale) []time.Duration {
	var out []time.Duration
	for d := roundStep(float64(s.lo)); d <= s.hi; d = roundStep(float64(d) * 1.01) {
		out = append(out, d)
	}
	return out
}
