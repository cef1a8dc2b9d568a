package compare

import (
	"math"

	"golang.org/x/perf/benchmath"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A kind is a share of streams that is compared.
type kind struct {
	title string
	count func(*history.Scenario) (bad, of int)
}

var kinds = []kind{
	{"incomplete streams", func(s *history.Scenario) (int, int) {
		return s.Untouched.Judged - s.Untouched.Complete, s.Untouched.Judged
	}},
	{"incomplete, exposed to the fault", func(s *history.Scenario) (int, int) {
		return s.Hit.Judged - s.Hit.Complete, s.Hit.Judged
	}},
	{"truncated or corrupt streams", func(s *history.Scenario) (int, int) {
		return s.Untouched.Silent + s.Hit.Silent, s.Untouched.Judged + s.Hit.Judged
	}},
}

// outcomes compares the shares of streams that went wrong. A share that is nil on both
// sides is one row at most.
func outcomes(id string, x, y []*history.Scenario) (rows []Row) {
	for i, k := range kinds {
		row := k.compare(id, x, y)
		none := row.A.Touched+row.B.Touched == 0
		if row.A.Streams > 0 && row.B.Streams > 0 && (i == 0 || !none) {
			rows = append(rows, row)
		}
	}
	return rows
}

func (k kind) compare(id string, x, y []*history.Scenario) Row {
	row := Row{Scenario: id, Metric: k.title, Unit: "%", P: 1, raw: 1, tested: true, Basis: "streams"}
	row.A, row.B = k.share(x), k.share(y)
	row.Delta = row.B.Center - row.A.Center
	a, b, n, m := row.A.Touched, row.B.Touched, row.A.Streams, row.B.Streams
	// Two-sided by twice the smaller tail.
	row.raw = math.Min(1, 2*math.Min(verdict.Fisher(a, n, b, m), verdict.Fisher(b, m, a, n)))
	row.Effect = odds(b, m) / odds(a, n)
	if k.overdispersed(x) || k.overdispersed(y) {
		row.Basis = "runs"
		t := benchmath.DefaultThresholds
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(k.rates(x), &t), benchmath.NewSample(k.rates(y), &t))
		row.raw = math.Max(row.raw, c.P)
	}
	return row
}

// odds are those of going wrong, with half a stream added to either (Haldane 1956).
func odds(bad, of int) float64 { return (float64(bad) + .5) / (float64(of-bad) + .5) }

func (k kind) share(side []*history.Scenario) Estimate {
	e := Estimate{}
	for _, s := range side {
		bad, of := k.count(s)
		e.Touched, e.Streams = e.Touched+bad, e.Streams+of
	}
	e.N = e.Streams
	if e.Streams > 0 {
		e.Center = float64(e.Touched) / float64(e.Streams)
		e.Lo, e.Hi = wilson(e.Touched, e.Streams)
	}
	return e
}

// wilson is Wilson's score interval (1927) at 95 %.
func wilson(k, n int) (lo, hi float64) {
	const z = 1.959964
	p, m := float64(k)/float64(n), float64(n)
	mid := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return math.Max(0, mid-half), math.Min(1, mid+half)
}

func (k kind) rates(side []*history.Scenario) (rates []float64) {
	for _, s := range side {
		if bad, of := k.count(s); of > 0 {
			rates = append(rates, float64(bad)/float64(of))
		}
	}
	return rates
}

// overdispersed reports whether the runs of one side differ by more than chance: one of
// them stands out of all others by Fisher's test. Streams are then no independent samples.
func (k kind) overdispersed(side []*history.Scenario) bool {
	all := k.share(side)
	if len(side) < 2 || all.Touched == 0 {
		return false
	}
	for _, s := range side {
		bad, of := k.count(s)
		if verdict.Fisher(bad, of, all.Touched-bad, all.Streams-of) < 0.01/float64(len(side)) {
			return true
		}
	}
	return false
}
