// Package compare tells whether one build does worse than another, from the rows of
// their runs.
//
//  1. A [Side] is a build: one run of it or several.
//  2. What is held against each other must have been asked alike: scenarios whose loads
//     differ, and times of different machines, are not judged, and the result says so.
//  3. The streams of a run are no independent samples of a build: they share the run's
//     luck. With enough runs on both sides (see [Runs]) the unit is the run, by its median.
//  4. With fewer it is a block of time (see [history.Block]), and [FewestBlocks] are needed
//     on each side. What a machine does to single runs can still look like a build. So a
//     difference then also has to be larger than [SingleRunFloor], than what blocks of one
//     run, and runs of one side, differ by, and than what the machine delayed; and it must
//     be there in the better quarter of the blocks, too, in which the machine stood still
//     least.
//  5. Times are compared by medians and Mann–Whitney's U test (golang.org/x/perf/benchmath),
//     rates of outcomes by Fisher's exact test over all streams; where the blocks or the runs
//     of a side differ among each other by more than chance, by the U test over their rates.
//  6. That no difference was found does not make two the same: the confidence interval of
//     the difference has to lie within what does not count.
//  7. All p-values of a comparison, also of one with several builds, are corrected together,
//     by Holm's method (1979): the chance that any of its differences is a false alarm is at
//     most [Alpha].
package compare

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"golang.org/x/perf/benchmath"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	// Alpha bounds the chance of a false alarm in a whole comparison.
	Alpha = 0.05
	// Least is the smallest difference that counts, as a share of the older median.
	Least = 0.05
	// SingleRunFloor is the smallest difference between single runs that counts: so much
	// do runs of one build differ on a shared machine.
	SingleRunFloor = 0.10
	// LeastTime is the smallest difference of times that counts, in seconds: that of the
	// timers and schedulers on the way.
	LeastTime = 0.002
	// LeastRate is the smallest difference of rates that keeps two from being called the
	// same where it cannot be ruled out: one percentage point. A smaller one that the test
	// tells counts all the same.
	LeastRate = 0.01
	// FewestBlocks are the blocks of time that each side needs where it has few runs.
	FewestBlocks = 8
	// unknowable is the floor above which two that look alike are not called the same.
	unknowable = 0.25
)

// What a comparison says beside its figures, in facts that package reports words.
const (
	FactOnly     record.FactKind = "compare: only"      // scenario Name is in side Place alone
	FactCutShort record.FactKind = "compare: cut short" // run Name
	FactMachines record.FactKind = "compare: machines"  // Name and Text differ
	FactNowhere  record.FactKind = "compare: nowhere"   // of run Name, and N others, the machine is not known
	FactLoads    record.FactKind = "compare: loads"     // Name and Text differ
	FactBlocks   record.FactKind = "compare: blocks"    // N and Of blocks of time, Need on each side
	FactAtBest   record.FactKind = "compare: at best"   // Share is the change in the better quarter of the blocks
	FactMissing  record.FactKind = "compare: missing"   // side Name has no value
	FactPerhaps  record.FactKind = "compare: perhaps"   // from About[0].Share to About[1].Share of what it was
	FactPoints   record.FactKind = "compare: points"    // likewise, of a rate: a hundredth is a point
	FactUnsteady record.FactKind = "compare: unsteady"  // less than Share, of unit Text, does not count
	FactMoreRuns record.FactKind = "compare: more runs" // N of each would do
)

// A Side is the runs of one build.
type Side struct {
	Name string
	Rows []history.Row
}

// A Change is what a comparison comes to.
type Change string

// The changes.
const (
	Worse  Change = "worse"
	Same   Change = "same"
	Better Change = "better"
	TooFew Change = "too few to tell"
	// Unlike says that the two cannot be compared.
	Unlike Change = "not comparable"
)

// A Result compares one side with the first.
type Result struct {
	A, B     Side
	Warnings []record.Fact
	Rows     []Row
	// Only are scenarios that one side alone has.
	Only []record.Fact
}

// A Row is one figure of one scenario.
type Row struct {
	Scenario string
	Metric   string // as [history.MetricInfo].Title, or "complete streams"
	Unit     string // "s", "/s", "%"
	A, B     Estimate
	Delta    float64 // relative, or in percentage points for rates: more than 0 is more
	// Effect is Cliff's delta of the units, -1 to 1, or the odds ratio of rates.
	Effect float64
	P      float64 // corrected; 1 where nothing was tested
	Floor  float64 // the smallest difference that counts, as Delta
	Basis  string  // what the samples are: [ByRuns], [ByBlocks] or [ByStreams]
	Change Change
	// Why is what is missing, or why the two cannot be compared. Package reports words it.
	Why []record.Fact
	// More is how many further runs of each side would do; 0 where that is not known.
	More int

	more    bool // more is better
	tested  bool
	raw     float64
	lo, hi  float64    // between which Delta is, at 95 %
	spreads [2]float64 // of rates: see [kind.spread]
	units   [2]int     // blocks of each side
	nominal float64    // Floor without what these runs and their machine add to it
	atBest  float64    // Delta in the better quarter of the blocks
}

// What samples are.
const (
	ByRuns    = "runs"
	ByBlocks  = "blocks of time"
	ByStreams = "streams"
)

// An Estimate is a median or a share with its 95 % confidence interval. Lo and Hi are
// infinite where there are too few samples for one.
type Estimate struct {
	N                int
	Center, Lo, Hi   float64
	Streams, Touched int // for rates: judged, and of them bad
}

// Options say what may be compared.
type Options struct {
	AnyMachine bool // judge times of different machines
}

// Runs is how many runs of each side let the U test tell a difference, where so many
// figures are compared: with fewer, the least p-value that there is cannot stand Holm's
// correction.
func Runs(figures int) int {
	for n := 4; ; n++ {
		ways, _ := new(big.Int).Binomial(int64(2*n), int64(n)).Float64()
		if 2/ways*float64(figures) <= Alpha {
			return n
		}
	}
}

// Compare holds b against a.
func Compare(a, b Side, o Options) *Result { return All(a, []Side{b}, o)[0] }

// All holds each of the others against a. They are one comparison: a difference that stands
// out of one pair may be no more than chance among several.
func All(a Side, others []Side, o Options) []*Result {
	n := 0
	for _, b := range others {
		n += figures(a, b)
	}
	fewest := Runs(n)
	var results []*Result
	var rows []*Row
	for _, b := range others {
		r := pair(a, b, o, fewest)
		results = append(results, r)
		for i := range r.Rows {
			rows = append(rows, &r.Rows[i])
		}
	}
	correct(rows)
	for _, r := range results {
		for i := range r.Rows {
			r.Rows[i].decide(min(len(a.Rows), len(r.B.Rows)), fewest)
		}
	}
	return results
}

// pair holds b against a, and leaves what comes of it open.
func pair(a, b Side, o Options, fewest int) *Result {
	r := &Result{A: a, B: b}
	machine := r.machines()
	for _, id := range scenarioIDs(a, b) {
		x, y := of(a, id), of(b, id)
		if len(x) == 0 || len(y) == 0 {
			alone := map[bool]string{true: a.Name, false: b.Name}[len(y) == 0]
			r.Only = append(r.Only, record.Fact{Kind: FactOnly, Name: id, Place: alone})
			continue
		}
		if why := loads(x, y); why != nil {
			r.Rows = append(r.Rows, Row{Scenario: id, Metric: "all", P: 1, Change: Unlike, Why: why})
			continue
		}
		sides := [2]string{a.Name, b.Name}
		r.Rows = append(r.Rows, outcomes(id, sides, x, y)...)
		for _, m := range history.Metrics {
			row, ok := times(id, m, sides, x, y, fewest)
			if ok && machine != nil && !o.AnyMachine && row.Change != Unlike {
				row = Row{Scenario: id, Metric: m.Title, Unit: m.Unit, A: row.A, B: row.B, Delta: row.Delta, P: 1,
					Change: Unlike,
					Why:    machine}
			}
			if ok {
				r.Rows = append(r.Rows, row)
			}
		}
	}
	return r
}

// figures counts what will be compared.
func figures(a, b Side) int {
	n := 0
	for _, id := range scenarioIDs(a, b) {
		x, y := of(a, id), of(b, id)
		for _, row := range outcomes(id, [2]string{}, x, y) {
			n += map[bool]int{true: 1}[row.Change != Unlike]
		}
		for _, m := range history.Metrics {
			n += min(1, len(runMedians(x, m.Name))*len(runMedians(y, m.Name)))
		}
	}
	return n
}

// Count is how many figures came to a change.
func (r *Result) Count(c Change) int {
	n := 0
	for _, row := range r.Rows {
		if row.Change == c {
			n++
		}
	}
	return n
}

// machines are what differs between the machines of the runs, or is not known of them; nil
// where all are known to be of one kind.
func (r *Result) machines() (why []record.Fact) {
	var first, other *history.Machine
	var nowhere []string
	rows := slices.Concat(r.A.Rows, r.B.Rows)
	for i := range rows {
		switch m := &rows[i].Machine; {
		case m.Unknown:
			nowhere = append(nowhere, rows[i].Name())
		case first == nil:
			first = m
		case !m.Same(*first):
			other = m
		}
		if !rows[i].Complete {
			r.Warnings = append(r.Warnings, record.Fact{Kind: FactCutShort, Name: rows[i].Name()})
		}
	}
	if other != nil {
		why = append(why, record.Fact{Kind: FactMachines, Name: first.String(), Text: other.String()})
	}
	if len(nowhere) > 0 {
		why = append(why, record.Fact{Kind: FactNowhere, Name: nowhere[0], N: len(nowhere) - 1})
	}
	r.Warnings = append(r.Warnings, why...)
	return why
}

func scenarioIDs(sides ...Side) (ids []string) {
	for _, s := range sides {
		for _, r := range s.Rows {
			for _, sc := range r.Scenarios {
				if !slices.Contains(ids, sc.ID) {
					ids = append(ids, sc.ID)
				}
			}
		}
	}
	return ids
}

// of are a side's scenarios that say something about its build.
func of(s Side, id string) (found []*history.Scenario) {
	for i := range s.Rows {
		if sc := s.Rows[i].Scenario(id); sc != nil && sc.Verdict != verdict.NotApplicable && sc.Started > 0 {
			found = append(found, sc)
		}
	}
	return found
}

// loads are how the loads differ; nil where they do not.
func loads(x, y []*history.Scenario) []record.Fact {
	for _, s := range slices.Concat(x, y) {
		if s.Load != x[0].Load {
			return []record.Fact{{Kind: FactLoads, Name: x[0].Load, Text: s.Load}}
		}
	}
	return nil
}

// times compares one metric. Enough samples are as many runs, or else as many blocks, as
// let the test tell a difference.
func times(id string, m history.MetricInfo, sides [2]string, x, y []*history.Scenario, fewest int) (Row, bool) {
	row := Row{Scenario: id, Metric: m.Title, Unit: m.Unit, P: 1, raw: 1, more: m.More, Basis: ByRuns, nominal: Least}
	xs, ys := runMedians(x, m.Name), runMedians(y, m.Name)
	if len(xs) == 0 && len(ys) == 0 {
		return row, false
	}
	row.A, row.B = estimate(xs), estimate(ys)
	if len(xs) == 0 || len(ys) == 0 {
		row.missing(sides, len(xs) == 0)
		return row, true
	}
	noise, late, enough := Least, math.Max(delay(x), delay(y)), true
	if len(xs) < fewest || len(ys) < fewest {
		row.nominal, noise, enough = SingleRunFloor, between(xs, ys), false
		if m.Name != history.Recovery {
			a, b := blocksOf(x, m.Name), blocksOf(y, m.Name)
			row.Basis, row.units = ByBlocks, [2]int{len(a.values), len(b.values)}
			if enough = min(row.units[0], row.units[1]) >= max(FewestBlocks, fewest); enough {
				xs, ys = a.values, b.values
				row.A, row.B = estimate(xs), estimate(ys)
			}
			noise, late = math.Max(noise, math.Max(a.spread, b.spread)), math.Max(a.delay, b.delay)
		}
	}
	row.Delta, row.atBest = change(xs, ys, 0.5), change(xs, ys, 0.25)
	if m.More {
		row.atBest = change(xs, ys, 0.75)
	}
	// Of a rate what delays single events says little: it is measured from the first to the last.
	if m.Unit == "s" {
		row.nominal = math.Max(row.nominal, LeastTime/base(row.A.Center))
		noise = math.Max(noise, (LeastTime+late)/base(row.A.Center))
	}
	row.Floor = math.Max(row.nominal, noise)
	if enough {
		t := benchmath.Thresholds{CompareAlpha: Alpha}
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(xs), &t),
			benchmath.NewSample(slices.Clone(ys), &t))
		row.raw, row.tested, row.Effect = c.P, true, cliff(xs, ys)
		lo, hi := shift(xs, ys)
		row.lo, row.hi = lo/base(row.A.Center), hi/base(row.A.Center)
	}
	return row, true
}

// missing says that one side has no value of the figure, the first or the second.
func (r *Row) missing(sides [2]string, first bool) {
	name := sides[1]
	if first {
		name = sides[0]
	}
	r.Change, r.tested, r.Why = Unlike, false, []record.Fact{{Kind: FactMissing, Name: name}}
}

// shift is the interval, at 95 %, of how far ys lie above xs: of the differences between
// all pairs, those that the U test does not refute (Hodges and Lehmann 1963). It is
// infinite where there are too few pairs.
func shift(xs, ys []float64) (lo, hi float64) {
	var all []float64
	for _, x := range xs {
		for _, y := range ys {
			all = append(all, y-x)
		}
	}
	slices.Sort(all)
	n, m := float64(len(xs)), float64(len(ys))
	out := int(math.Floor(n*m/2 - z95*math.Sqrt(n*m*(n+m+1)/12)))
	if out < 1 {
		return math.Inf(-1), math.Inf(1)
	}
	return all[out-1], all[len(all)-out]
}

func estimate(values []float64) Estimate {
	if len(values) == 0 {
		return Estimate{}
	}
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), 0.95)
	return Estimate{N: len(values), Center: quantile(values, 0.5), Lo: s.Lo, Hi: s.Hi}
}

// runMedians are the medians of a side's runs.
func runMedians(side []*history.Scenario, name string) (values []float64) {
	for _, s := range side {
		if m, ok := s.Metrics[name]; ok && m.N > 0 {
			values = append(values, m.P50)
		}
	}
	return values
}

// between is how much runs of one build differ: twice their spread where a side has
// several, else what is assumed of them.
func between(xs, ys []float64) float64 {
	noise := SingleRunFloor
	for _, side := range [][]float64{xs, ys} {
		if mid := history.Median(side); len(side) >= 3 && mid > 0 {
			noise = math.Max(noise, 2*history.Spread(side)/mid)
		}
	}
	return noise
}

// cliff is Cliff's delta: how much more often a value of ys is above one of xs than below.
func cliff(xs, ys []float64) float64 {
	n := 0
	for _, x := range xs {
		for _, y := range ys {
			n += cmp.Compare(y, x)
		}
	}
	return float64(n) / float64(len(xs)*len(ys))
}

// correct fills in P by Holm's method over everything that was tested.
func correct(rows []*Row) {
	order := slices.DeleteFunc(slices.Clone(rows), func(r *Row) bool { return !r.tested })
	slices.SortStableFunc(order, func(a, b *Row) int { return cmp.Compare(a.raw, b.raw) })
	p := 0.0
	for i, r := range order {
		p = math.Max(p, math.Min(1, r.raw*float64(len(order)-i)))
		r.P = p
	}
}

// decide says what a figure comes to.
func (r *Row) decide(runs, fewest int) {
	rate := r.Unit == "%"
	big := math.Abs(r.Delta) >= r.Floor
	switch {
	case r.Change == Unlike:
	case !r.tested:
		r.Change = TooFew
		if r.Basis == ByBlocks {
			r.Why = []record.Fact{{Kind: FactBlocks, N: r.units[0], Of: r.units[1], Need: max(FewestBlocks, fewest)}}
		}
		r.need(max(1, fewest-runs))
	case r.P <= Alpha && big && r.always():
		r.Change = Better
		if (r.Delta > 0) != r.more {
			r.Change = Worse
		}
	case r.alike():
		r.Change = Same
	case rate:
		r.Change, r.Why = TooFew, r.perhaps()
		r.need(r.moreStreams(runs, fewest))
	case math.Abs(r.Delta) < r.nominal && r.Floor <= unknowable:
		r.Change, r.Why = TooFew, r.perhaps()
		r.need(max(1, fewest-runs, r.moreSamples(runs)))
	case !big:
		r.Change, r.Why = TooFew, []record.Fact{{Kind: FactUnsteady, Share: r.Floor * base(r.A.Center), Text: r.Unit}}
		r.need(max(1, fewest-runs))
	default:
		r.Change = TooFew
		if r.P <= Alpha {
			r.Why = []record.Fact{{Kind: FactAtBest, Share: r.atBest}}
		}
		// As p falls about as fast as the square root of the samples grows, twice the runs
		// tell; and never fewer than make the run the unit.
		r.need(max(fewest-runs, runs))
	}
}

// always reports whether a difference of blocks is there in the better ones, too: what
// the machine does to a run comes and goes, what a build does stays.
func (r *Row) always() bool {
	return r.Basis != ByBlocks || r.Unit == "%" || r.atBest*r.Delta > 0 && math.Abs(r.atBest) >= r.Floor
}

// alike reports whether there is evidence that both sides are the same: what they may
// differ by is too small to matter. That no difference was found is none.
func (r *Row) alike() bool {
	return math.Max(math.Abs(r.Delta), math.Max(-r.lo, r.hi)) < r.nominal && (r.Unit == "%" || r.Floor <= unknowable)
}

// perhaps is what the two may differ by; nothing where that is not known.
func (r *Row) perhaps() []record.Fact {
	if math.IsInf(r.lo, 0) || math.IsInf(r.hi, 0) {
		return nil
	}
	kind := FactPerhaps
	if r.Unit == "%" {
		kind = FactPoints
	}
	return []record.Fact{{Kind: kind, About: []record.Fact{{Share: r.lo}, {Share: r.hi}}}}
}

// mostRuns bounds what is asked for: more than that nobody makes.
const mostRuns = 10000

// moreSamples is how many further runs narrow the interval to what is the same: it gets
// narrower with the square root of the samples.
func (r *Row) moreSamples(runs int) int {
	room, wide := r.nominal-math.Abs(r.Delta), math.Max(r.hi-r.Delta, r.Delta-r.lo)
	if math.IsInf(wide, 0) {
		return runs
	}
	return int(math.Min(mostRuns, math.Ceil(float64(runs)*((wide/room)*(wide/room)-1))))
}

func (r *Row) need(more int) {
	r.More = more
	r.Why = append(r.Why, record.Fact{Kind: FactMoreRuns, N: more})
}
