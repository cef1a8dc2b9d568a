// Package compare tells whether one build does worse than another, from the rows of
// their runs.
//
//  1. A [Side] is a build: one run of it or several.
//  2. What is held against each other must have been asked alike: scenarios whose loads
//     differ, and times of different machines, are not judged, and the result says so.
//  3. The streams of a run are no independent samples of a build: they share the run's
//     luck. With enough runs on both sides (see [Runs]) the unit is the run, by its median.
//     With fewer it is a block of streams that started one after the other, and a difference
//     then also has to stand out of what runs of one build differ by: [SingleRunFloor], or
//     what the larger side's own runs show.
//  4. Times are compared by medians and Mann–Whitney's U test (golang.org/x/perf/benchmath),
//     rates of outcomes by Fisher's exact test over all streams; where the runs of a side
//     differ among each other by more than chance, by the U test over the rates of runs.
//  5. All p-values of a comparison are corrected together, by Holm's method (1979): the
//     chance that any of its differences is a false alarm is at most [Alpha].
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
	LeastTime    = 0.002
	fewestBlocks = 5
)

// What a comparison says beside its figures, in facts that package reports words.
const (
	FactOnly     record.FactKind = "compare: only"      // scenario Name is in side Place alone
	FactCutShort record.FactKind = "compare: cut short" // run Name
	FactMachines record.FactKind = "compare: machines"  // Name and Text differ
	FactLoads    record.FactKind = "compare: loads"     // Name and Text differ
	FactBlocks   record.FactKind = "compare: blocks"    // N and Of blocks of streams, Need on each side
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
	Basis  string  // what the samples are: "runs", "blocks of streams", "streams"
	Change Change
	// Why is what is missing, or why the two cannot be compared. Package reports words it.
	Why []record.Fact
	// More is how many further runs of each side would do; 0 where that is not known.
	More int

	lower  bool // less is better
	tested bool
	raw    float64
}

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
func Compare(a, b Side, o Options) *Result {
	r := &Result{A: a, B: b}
	machine := r.machines()
	fewest := Runs(figures(a, b))
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
		r.Rows = append(r.Rows, outcomes(id, x, y)...)
		for _, m := range history.Metrics {
			row, ok := times(id, m, x, y, fewest)
			if ok && machine != nil && !o.AnyMachine {
				row = Row{Scenario: id, Metric: m.Title, Unit: m.Unit, A: row.A, B: row.B, Delta: row.Delta, P: 1,
					Change: Unlike,
					Why:    machine}
			}
			if ok {
				r.Rows = append(r.Rows, row)
			}
		}
	}
	correct(r.Rows)
	for i := range r.Rows {
		r.Rows[i].decide(min(len(a.Rows), len(b.Rows)), fewest)
	}
	return r
}

// figures counts what will be compared.
func figures(a, b Side) int {
	n := 0
	for _, id := range scenarioIDs(a, b) {
		n++
		for _, m := range history.Metrics {
			n += min(1, len(runMedians(of(a, id), m.Name))*len(runMedians(of(b, id), m.Name)))
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

// machines are what differs between the machines of the runs; nil for nothing.
func (r *Result) machines() []record.Fact {
	a, b := r.A.Rows[0].Machine, r.B.Rows[0].Machine
	for _, row := range slices.Concat(r.A.Rows, r.B.Rows) {
		if row.Machine.Fingerprint() != a.Fingerprint() {
			b = row.Machine
		}
		if !row.Complete {
			r.Warnings = append(r.Warnings, record.Fact{Kind: FactCutShort, Name: row.Name()})
		}
	}
	if a.Fingerprint() == b.Fingerprint() {
		return nil
	}
	why := record.Fact{Kind: FactMachines, Name: a.String(), Text: b.String()}
	r.Warnings = append(r.Warnings, why)
	return []record.Fact{why}
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

func times(id string, m history.MetricInfo, x, y []*history.Scenario, fewest int) (Row, bool) {
	row := Row{Scenario: id, Metric: m.Title, Unit: m.Unit, P: 1, raw: 1, lower: m.More}
	xs, ys := runMedians(x, m.Name), runMedians(y, m.Name)
	if len(xs) == 0 || len(ys) == 0 {
		return row, false
	}
	row.Basis = "runs"
	noise := Least
	if len(xs) < fewest || len(ys) < fewest {
		noise = math.Max(between(xs, ys), math.Max(within(x, m.Name), within(y, m.Name)))
		if m.Name != history.Recovery {
			row.Basis, xs, ys = "blocks of streams", blocks(x, m.Name), blocks(y, m.Name)
		}
	}
	row.A, row.B = estimate(xs, medians(x, m.Name)), estimate(ys, medians(y, m.Name))
	if row.A.Center > 0 {
		row.Delta = row.B.Center/row.A.Center - 1
		if m.Unit == "s" {
			noise = math.Max(noise, (LeastTime+delay(x, y, m.Name))/row.A.Center)
		}
	}
	row.Floor = noise
	if row.Basis == "runs" && len(xs) >= fewest && len(ys) >= fewest || row.Basis != "runs" &&
		min(len(xs), len(ys)) >= fewestBlocks {
		t := benchmath.Thresholds{CompareAlpha: Alpha}
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(slices.Clone(xs), &t),
			benchmath.NewSample(slices.Clone(ys), &t))
		row.raw, row.tested, row.Effect = c.P, true, cliff(xs, ys)
	}
	return row, true
}

// delay is how long the busier of the two machines kept programs from running: what it
// did at its worst is in the longest gap of streams.
func delay(x, y []*history.Scenario, name string) float64 {
	late := 0.0
	for _, s := range slices.Concat(x, y) {
		d := s.Delay
		if name == history.Gap {
			d = math.Max(d, s.DelayMax)
		}
		late = math.Max(late, d)
	}
	return late
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

func medians(side []*history.Scenario, name string) float64 {
	return history.Median(runMedians(side, name))
}

func blocks(side []*history.Scenario, name string) (values []float64) {
	for _, s := range side {
		values = append(values, s.Metrics[name].Blocks...)
	}
	return values
}

// within is how much the streams out of the fault's way waver in one run: the standard
// error of a run's median twice, as its blocks show it, relative to the median.
func within(side []*history.Scenario, name string) float64 {
	worst := 0.0
	for _, s := range side {
		if m := s.Metrics[name]; len(m.Blocks) >= 2 && m.P50 > 0 {
			worst = math.Max(worst, 2*history.Spread(m.Blocks)/math.Sqrt(float64(len(m.Blocks)))/m.P50)
		}
	}
	return worst
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

func estimate(values []float64, center float64) Estimate {
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(slices.Clone(values), &benchmath.DefaultThresholds), 0.95)
	return Estimate{N: len(values), Center: cmp.Or(center, s.Center), Lo: s.Lo, Hi: s.Hi}
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
func correct(rows []Row) {
	var order []*Row
	for i := range rows {
		if rows[i].tested {
			order = append(order, &rows[i])
		}
	}
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
		if r.Basis != "runs" && r.Basis != "streams" {
			r.Why = []record.Fact{{Kind: FactBlocks, N: r.A.N, Of: r.B.N, Need: fewestBlocks}}
		}
		r.need(max(1, fewest-runs))
	case r.P <= Alpha && big:
		r.Change = Better
		if (r.Delta > 0) != r.lower {
			r.Change = Worse
		}
	case rate && r.A.Touched+r.B.Touched == 0, rate && r.raw > 0.3, !rate && !big:
		r.Change = Same
		if !rate && r.Floor > 0.25 {
			r.Change, r.Why = TooFew, []record.Fact{{Kind: FactUnsteady, Share: r.Floor * r.A.Center, Text: r.Unit}}
			r.need(max(1, fewest-runs))
		}
	default:
		r.Change = TooFew
		// As p falls about as fast as the square root of the samples grows, twice the runs
		// tell; and never fewer than make the run the unit.
		r.need(max(fewest-runs, runs))
	}
}

func (r *Row) need(more int) {
	r.More = more
	r.Why = append(r.Why, record.Fact{Kind: FactMoreRuns, N: more})
}
