package verdict

import "math"

// BoundLevel is the confidence at which a pass says what it proves.
const BoundLevel = 0.95

// A Bound says what the streams of a scenario prove about all others like them: that
// fewer than Below of them fail.
type Bound struct {
	Streams    int     `json:"streams"` // counted
	Failed     int     `json:"failed"`  // of them: not complete
	Below      float64 `json:"below"`   // a share of all streams
	Confidence float64 `json:"confidence"`
	// Percent is how many streams without a failure would prove that fewer than 1 %
	// fail.
	Percent int `json:"streams_for_one_percent"`
}

// UpperBound is the least share p of failing streams at which at most failed of n
// are as rare as 1 - confidence: the one-sided limit of Clopper and Pearson ("The use
// of confidence or fiducial limits illustrated in the case of the binomial",
// Biometrika 26, 1934), which is the quantile of the beta distribution with
// parameters failed + 1 and n - failed. With no failure it is 1 - (1-confidence)^(1/n).
// Without a stream it is 1.
func UpperBound(failed, n int, confidence float64) float64 {
	switch {
	case n <= 0 || failed >= n:
		return 1
	case failed <= 0:
		return 1 - math.Pow(1-confidence, 1/float64(n))
	}
	low, high := 0.0, 1.0
	for range 60 { // halved to the last bit of a float64
		if mid := (low + high) / 2; atMost(failed, n, mid) > 1-confidence {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// atMost is the chance of at most k among n, each with chance p.
func atMost(k, n int, p float64) float64 {
	sum := 0.0
	for i := 0; i <= k; i++ {
		sum += math.Exp(lnChoose(n, i) + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}

// streamsFor is how many streams without a failure prove that fewer than share fail.
func streamsFor(share, confidence float64) int {
	return int(math.Ceil(math.Log(1-confidence) / math.Log(1-share)))
}

// bound is what a scenario without a fault proves by its main wave; nil for others:
// under a fault, failing may be right.
func (r *ScenarioReport) bound(faulty bool) *Bound {
	g := r.MainGroup()
	if faulty || g == nil {
		return nil
	}
	n := 0
	for o, m := range g.Outcomes {
		if o.counted() {
			n += m
		}
	}
	if n == 0 {
		return nil
	}
	failed := n - g.Outcomes[Complete]
	return &Bound{Streams: n, Failed: failed, Below: UpperBound(failed, n, BoundLevel), Confidence: BoundLevel,
		Percent: streamsFor(0.01, BoundLevel)}
}
