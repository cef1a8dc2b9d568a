package compare

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A build is what the runs of these tests measure.
type build struct {
	slow float64 // times are so many times as long
	cut  float64 // share of streams
}

// run is a run of some scenarios: each has the luck of its run (3 %), and each block of
// its streams wavers (2 %).
func (b build) run(r *rand.Rand, streams int) history.Row {
	row := history.Row{ID: 1, Complete: true, Machine: history.Machine{CPUs: 2}}
	luck := math.Exp(0.03 * r.NormFloat64())
	for i := range 4 {
		s := history.Scenario{ID: fmt.Sprintf("s%d", i), Load: "20 streams", Verdict: verdict.Pass, Started: streams,
			Metrics: map[string]history.Metric{}}
		for name, x := range map[string]float64{history.FirstEvent: 0.2 * b.slow, history.Gap: 0.06 * b.slow,
			history.TokensPerSecond: 20 / b.slow} {
			m, v := history.Metric{N: streams}, []float64(nil)
			for range 10 {
				v = append(v, x*luck*math.Exp(0.02*r.NormFloat64()))
				m.Blocks = append(m.Blocks, history.Block{P50: v[len(v)-1]})
			}
			m.P50 = history.Median(v)
			s.Metrics[name] = m
		}
		s.Untouched.Judged = streams
		for range streams {
			if r.Float64() >= b.cut {
				s.Untouched.Complete++
			}
		}
		row.Scenarios = append(row.Scenarios, s)
	}
	return row
}

func (b build) side(r *rand.Rand, runs, streams int) Side {
	s := Side{Name: "build"}
	for range runs {
		s.Rows = append(s.Rows, b.run(r, streams))
	}
	return s
}

// Of 20 pairs of equal builds at most one is called worse, of 20 that are slower by a
// fifth, or cut 2 % of streams, at least 19 are: with single runs and with several.
func TestTwentyPairs(t *testing.T) {
	t.Parallel()
	for _, runs := range []int{1, 3, 8} {
		r := rand.New(rand.NewPCG(uint64(runs), 1))
		streams := max(1000/runs, 200) // 2 % of them are 20 in all
		count := func(a, b build) (worse int) {
			for range 20 {
				if Compare(a.side(r, runs, streams), b.side(r, runs, streams), Options{}).Count(Worse) > 0 {
					worse++
				}
			}
			return worse
		}
		equal := count(build{1, 0.001}, build{1, 0.001})
		slower := count(build{1, 0}, build{1.2, 0})
		cut := count(build{1, 0}, build{1, 0.02})
		faster := count(build{1.2, 0}, build{1, 0})
		t.Logf("%d runs a side: equal %d, slower %d, cut %d, faster %d of 20 worse", runs, equal, slower, cut, faster)
		if equal > 1 || slower < 19 || cut < 19 || faster > 0 {
			t.Errorf("%d runs a side: equal %d, slower %d, cut %d, faster %d of 20 worse", runs, equal, slower, cut, faster)
		}
	}
}

func TestTooFew(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	a, b := build{1, 0}.side(r, 1, 6), build{1.2, 0}.side(r, 1, 6)
	for _, side := range []Side{a, b} {
		for _, s := range side.Rows[0].Scenarios {
			m := s.Metrics[history.FirstEvent]
			m.Blocks = m.Blocks[:3]
			s.Metrics[history.FirstEvent] = m
		}
	}
	for _, row := range Compare(a, b, Options{}).Rows {
		if row.Metric == "first event" && (row.Change != TooFew || row.More != 5 ||
			!slices.ContainsFunc(row.Why, func(f record.Fact) bool { return f.Kind == FactMoreRuns && f.N == 5 })) {
			t.Errorf("%+v", row)
		}
	}
}

// One bad run of several does not make a build worse: its streams share one cause.
func TestOneBadRun(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 1))
	a, b := build{1, 0}.side(r, 5, 200), build{1, 0}.side(r, 5, 200)
	b.Rows[2].Scenarios[0].Untouched.Complete -= 60
	for _, row := range Compare(a, b, Options{}).Rows {
		if row.Change == Worse || row.Scenario == "s0" && row.Unit == "%" && row.Basis != "runs" {
			t.Errorf("%+v", row)
		}
	}
}

// A busy machine, another machine and another load accuse nobody.
func TestWhatIsNotTheBuilds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 1))
	pair := func(change func(*history.Row)) (Side, Side) {
		a, b := build{1, 0}.side(r, 1, 200), build{1.3, 0}.side(r, 1, 200)
		change(&b.Rows[0])
		return a, b
	}
	a, b := pair(func(r *history.Row) {
		for i := range r.Scenarios {
			for _, m := range r.Scenarios[i].Metrics {
				for j := range m.Blocks {
					m.Blocks[j].Delay = 0.1
				}
			}
		}
	})
	for _, row := range Compare(a, b, Options{}).Rows {
		if row.Change == Worse && row.Unit == "s" {
			t.Errorf("busy: %+v", row)
		}
	}
	a, b = pair(func(r *history.Row) { r.Machine.CPUs = 8 })
	got := Compare(a, b, Options{})
	if got.Count(Worse) > 0 || got.Count(Unlike) == 0 || len(got.Warnings) == 0 {
		t.Errorf("other machine: %+v", got.Rows)
	}
	if Compare(a, b, Options{AnyMachine: true}).Count(Worse) == 0 {
		t.Error("other machine, asked for: nothing is worse")
	}
	// An unknown machine is neither the same nor another one.
	a, b = pair(func(r *history.Row) { r.Machine.Unknown = true })
	for _, sides := range [][2]Side{{a, b}, {b, a}, {b, b}} {
		got := Compare(sides[0], sides[1], Options{})
		if got.Count(Worse)+got.Count(Better) > 0 || got.Count(Unlike) == 0 || len(got.Warnings) != 1 ||
			got.Warnings[0].Kind != FactNowhere {
			t.Errorf("unknown machine: %v, %+v", got.Warnings, got.Rows)
		}
	}
	if Compare(a, b, Options{AnyMachine: true}).Count(Worse) == 0 {
		t.Error("unknown machine, asked for: nothing is worse")
	}
	a, b = pair(func(r *history.Row) {
		for i := range r.Scenarios {
			r.Scenarios[i].Load = "50 streams"
		}
	})
	if got = Compare(a, b, Options{}); got.Count(Unlike) != len(got.Rows) {
		t.Errorf("other load: %+v", got.Rows)
	}
}

func TestHolm(t *testing.T) {
	t.Parallel()
	rows := []*Row{{raw: 0.04, tested: true}, {raw: 0.01, tested: true}, {raw: 0.5}, {raw: 0.03, tested: true, P: 0}}
	correct(rows)
	got := []float64{rows[0].P, rows[1].P, rows[3].P}
	if want := []float64{0.06, 0.03, 0.06}; !slices.EqualFunc(got, want, func(a, b float64) bool {
		return math.Abs(a-b) < 1e-9
	}) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A difference that one pair tells may be chance where several builds are held against one.
func TestSeveralBuildsAreOneComparison(t *testing.T) {
	t.Parallel()
	a, b := runsOf("a", 100, 0), runsOf("b", 100, 6) // Fisher: 0.029
	if got := Compare(a, b, Options{}); got.Count(Worse) != 1 {
		t.Errorf("one pair: %+v", got.Rows)
	}
	equal := runsOf("c", 100, 0)
	for i, got := range All(a, []Side{b, equal, equal}, Options{}) {
		if got.Count(Worse) != 0 || got.B.Name != []string{"b", "c", "c"}[i] {
			t.Errorf("pair %d of three: %+v", i, got.Rows)
		}
	}
	clear := runsOf("d", 100, 20)
	if got := All(a, []Side{b, equal, clear}, Options{}); got[2].Count(Worse) != 1 || got[0].Count(Worse) != 0 {
		t.Errorf("a clear difference among three: %+v", got[2].Rows)
	}
}
