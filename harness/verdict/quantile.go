package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// TTFE is the time to the first content event, from the moment at which the
// request was written.
func TTFE(s *record.Stream) (time.Duration, bool) {
	if s.First == record.Never || s.Send == record.Never {
		return 0, false
	}
	return max(0, s.First-s.Send), true // a server may answer before our write has returned
}

// DurationOf is how long a stream took, from request to end.
func DurationOf(s *record.Stream) (time.Duration, bool) {
	if s.End == record.Never || s.Send == record.Never {
		return 0, false
	}
	return s.End - s.Send, true
}

// Quantile returns the q-quantile of sorted samples by nearest rank, the one
// formula of this project: the least sample that at least q of all samples do
// not exceed.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(q * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// carries reports whether n samples can say anything about quantile q: at least
// one of them must be expected beyond it.
func carries(n int, q float64) bool { return float64(n)*(1-q) >= 1-1e-9 }

// QuantilesOf sums up samples, which it sorts; nil where there are none.
func QuantilesOf(samples []time.Duration) *Quantiles {
	if len(samples) == 0 {
		return nil
	}
	slices.Sort(samples)
	at := func(q float64) *float64 {
		if !carries(len(samples), q) {
			return nil
		}
		v := Quantile(samples, q).Seconds()
		return &v
	}
	return &Quantiles{N: len(samples), P50: at(0.5), P90: at(0.9), P95: at(0.95), P99: at(0.99),
		Max: samples[len(samples)-1].Seconds()}
}
