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
func outcomes(id string, sides [2]string, x, y []*history.Scenario) (rows []Row) {
	for i, k := range kinds {
		row := k.compare(id, x, y)
		none := row.A.Touched+row.B.Touched == 0
		switch a, b := row.A.Streams > 0, row.B.Streams > 0; {
		case a && b && (i == 0 || !none):
			rows = append(rows, row)
		case a != b && i < 2 && len(x) > 0 && len(y) > 0: // the third is of all streams
			row.missing(sides, b)
			rows = append(rows, row)
		}
	}
	return rows
}

func (k kind) compare(id string, x, y []*history.Scenario) Row {
	row := Row{Scenario: id, Metric: k.title, Unit: "%", P: 1, raw: 1, tested: true, Basis: ByStreams,
		nominal: LeastRate}
	row.A, row.B = k.share(x), k.share(y)
	row.Delta = row.B.Center - row.A.Center
	if row.A.Streams == 0 || row.B.Streams == 0 {
		return row
	}
	row.spreads = [2]float64{k.spread(x), k.spread(y)}
	row.lo, row.hi = row.differ(1, z95)
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
		e.Lo, e.Hi = wilson(e.Center, float64(e.Streams), z95)
	}
	return e
}

// z95 is the 97.5th percentile of the normal distribution: a two-sided 95 %.
const z95 = 1.959964

// wilson is Wilson's score interval (1927) of a share p of n streams.
func wilson(p, n, z float64) (lo, hi float64) {
	mid := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return math.Max(0, mid-half), math.Min(1, mid+half)
}

// differ is the interval of the difference of both shares, if there were so many times the
// streams: Newcombe's (1998, method 10). Streams that go wrong together count as fewer.
func (r *Row) differ(times, z float64) (lo, hi float64) {
	p, q := r.A.Center, r.B.Center
	pl, pu := wilson(p, times*float64(r.A.Streams)/r.spreads[0], z)
	ql, qu := wilson(q, times*float64(r.B.Streams)/r.spreads[1], z)
	return q - p - math.Hypot(q-ql, pu-p), q - p + math.Hypot(qu-q, p-pl)
}

// moreStreams is how many further runs of each side would tell: that the difference is
// less than counts, or that there is one, which then has to stand the correction for as
// many figures as Alpha bounds together.
func (r *Row) moreStreams(runs, fewest int) int {
	const strict = 3.5 // about 100 figures
	n := 1
	for ; n < mostRuns; n += 1 + n/10 {
		times := float64(runs+n) / float64(runs)
		lo, hi := r.differ(times, z95)
		if -lo < r.nominal && hi < r.nominal {
			break
		}
		if lo, hi = r.differ(times, strict); lo > 0 || hi < 0 {
			break
		}
	}
	if r.Basis != ByStreams {
		n = max(n, fewest-runs)
	}
	return min(n, mostRuns)
}

// spread is how many times as much the runs or the blocks of a side differ as chance makes
// them: Pearson's chi-squared over its degrees of freedom, and 1 at least.
func (k kind) spread(side []*history.Scenario) float64 {
	most := 1.0
	for _, units := range [][]history.Rate{k.runs(side), k.blocks(side)} {
		touched, streams, n := 0, 0, 0
		for _, r := range units {
			if bad, of := k.count(r); of > 0 {
				touched, streams, n = touched+bad, streams+of, n+1
			}
		}
		p := float64(touched) / float64(max(streams, 1))
		if n < 2 || p == 0 || p == 1 {
			continue
		}
		chi := 0.0
		for _, r := range units {
			if bad, of := k.count(r); of > 0 {
				off := float64(bad) - p*float64(of)
				chi += off * off / (p * (1 - p) * float64(of))
			}
		}
		most = math.Max(most, chi/float64(n-1))
	}
	return most
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
