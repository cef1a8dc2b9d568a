package verdict

import "math"

// Fisher is the chance that a difference between two groups at least as large as
// the one seen comes about where there is none: bad of n in the first, otherBad
// of otherN in the second, one-sided (Fisher's exact test).
func Fisher(bad, n, otherBad, otherN int) float64 {
	all, total := bad+otherBad, n+otherN
	p := 0.0
	for k := bad; k <= min(n, all); k++ {
		if all-k > otherN {
			continue
		}
		p += math.Exp(lnChoose(n, k) + lnChoose(otherN, all-k) - lnChoose(total, all))
	}
	return min(p, 1)
}

// lnChoose is the logarithm of the binomial coefficient.
func lnChoose(n, k int) float64 {
	f := func(x int) float64 { l, _ := math.Lgamma(float64(x + 1)); return l }
	return f(n) - f(k) - f(n-k)
}
