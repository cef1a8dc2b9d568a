package compare

import (
	"math"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A kind is a share of streams that is compared.
type kind struct {
	title string
	of    func(*history.Scenario) history.Rate
	bad   func(history.Rate) int
}

func untouched(s *history.Scenario) history.Rate { return s.Untouched }
func hit(s *history.Scenario) history.Rate       { return s.Hit }
func incomplete(r history.Rate) int              { return r.Judged - r.Complete }

// both are all streams of a scenario. Blocks of the two lie side by side.
func both(s *history.Scenario) history.Rate {
	u, h := s.Untouched, s.Hit
	return history.Rate{Judged: u.Judged + h.Judged, Complete: u.Complete + h.Complete, Silent: u.Silent + h.Silent,
		Blocks: slices.Concat(u.Blocks, h.Blocks)}
}

var kinds = []kind{
	{"incomplete streams", untouched, incomplete},
	{"incomplete, exposed to the fault", hit, incomplete},
	{"truncated or corrupt streams", both, func(r history.Rate) int { return r.Silent }},
}

func (k kind) count(r history.Rate) (bad, of int) { return k.bad(r), r.Judged }

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
	row := Row{Scenario: id, Metric: k.title, Unit: "%", P: 1, raw: 1, tested: true, Basis: ByStreams}
	row.A, row.B = k.share(x), k.share(y)
	row.Delta = row.B.Center - row.A.Center
	a, b, n, m := row.A.Touched, row.B.Touched, row.A.Streams, row.B.Streams
	// Two-sided by twice the smaller tail.
	row.raw = math.Min(1, 2*math.Min(verdict.Fisher(a, n, b, m), verdict.Fisher(b, m, a, n)))
	row.Effect = odds(b, m) / odds(a, n)
	for _, unit := range []struct {
		name string
		of   func([]*history.Scenario) []history.Rate
		few  int
	}{{ByRuns, k.runs, 1}, {ByBlocks, k.blocks, FewestBlocks}} {
		rs, qs := unit.of(x), unit.of(y)
		if !k.overdispersed(rs) && !k.overdispersed(qs) {
			continue
		}
		row.Basis, row.units = unit.name, [2]int{len(rs), len(qs)}
		if row.tested = min(len(rs), len(qs)) >= unit.few; !row.tested {
			return row
		}
		t := benchmath.DefaultThresholds
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(k.rates(rs), &t), benchmath.NewSample(k.rates(qs), &t))
		row.raw = math.Max(row.raw, c.P)
	}
	return row
}

// odds are those of going wrong, with half a stream added to either (Haldane 1956).
func odds(bad, of int) float64 { return (float64(bad) + .5) / (float64(of-bad) + .5) }

func (k kind) share(side []*history.Scenario) Estimate {
	e := Estimate{}
	for _, s := range side {
		bad, of := k.count(k.of(s))
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

// runs are the counts of each run, blocks those of each block of time.
func (k kind) runs(side []*history.Scenario) (all []history.Rate) {
	for _, s := range side {
		all = append(all, k.of(s))
	}
	return all
}

func (k kind) blocks(side []*history.Scenario) (all []history.Rate) {
	for _, s := range side {
		all = append(all, k.of(s).Blocks...)
	}
	return all
}

func (k kind) rates(units []history.Rate) (rates []float64) {
	for _, r := range units {
		if bad, of := k.count(r); of > 0 {
			rates = append(rates, float64(bad)/float64(of))
		}
	}
	return rates
}

// overdispersed reports whether units of one side differ by more than chance: one of them
// stands out of all others by Fisher's test. Streams are then no independent samples.
func (k kind) overdispersed(units []history.Rate) bool {
	touched, streams := 0, 0
	for _, r := range units {
		bad, of := k.count(r)
		touched, streams = touched+bad, streams+of
	}
	for _, r := range units {
		bad, of := k.count(r)
		if len(units) > 1 && touched > 0 && verdict.Fisher(bad, of, touched-bad, streams-of) < 0.01/float64(len(units)) {
			return true
		}
	}
	return false
}
