package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// runsOf are runs of one scenario whose streams went wrong so often.
func runsOf(name string, streams int, bad ...int) Side {
	s := Side{Name: name}
	for _, n := range bad {
		s.Rows = append(s.Rows, history.Row{Complete: true, Scenarios: []history.Scenario{{ID: "x", Verdict: verdict.Pass,
			Started: streams, Untouched: history.Rate{Judged: streams, Complete: streams - n}}}})
	}
	return s
}

// Rates are the same where a difference of a point can be ruled out. Few streams show no
// difference, and are no evidence that there is none.
func TestSameRatesNeedEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b Side
		want Change
	}{
		"nothing wrong, few":       {runsOf("a", 20, 0), runsOf("b", 20, 0), TooFew},
		"nothing wrong, many":      {runsOf("a", 1000, 0), runsOf("b", 1000, 0), Same},
		"nothing wrong, five runs": {runsOf("a", 100, 0, 0, 0, 0, 0), runsOf("b", 100, 0, 0, 0, 0, 0), Same},
		"1 of 20":                  {runsOf("a", 20, 0), runsOf("b", 20, 1), TooFew},
		"equal, few":               {runsOf("a", 100, 5), runsOf("b", 100, 5), TooFew},
		"equal, many":              {runsOf("a", 20000, 1000), runsOf("b", 20000, 1000), Same},
		"unequal":                  {runsOf("a", 1000, 0), runsOf("b", 1000, 20), Worse},
		"unequal by little":        {runsOf("a", 100000, 100), runsOf("b", 100000, 200), Worse},
		"incidents, as many":       {runsOf("a", 5000, 300, 0, 0, 0), runsOf("b", 5000, 0, 0, 0, 300), TooFew},
		"incidents, many and even": {runsOf("a", 5000, 75, 75, 75, 75), runsOf("b", 5000, 75, 75, 75, 75), Same},
	} {
		row := Compare(c.a, c.b, Options{}).Rows[0]
		if row.Change != c.want || (row.More > 0) != (c.want == TooFew) {
			t.Errorf("%s: %+v", name, row)
		}
	}
}

// So many more runs as are asked for do tell.
func TestMoreRunsTell(t *testing.T) {
	t.Parallel()
	for _, bad := range [][2]int{{0, 0}, {0, 1}, {5, 5}, {5, 8}, {10, 30}} {
		row := Compare(runsOf("a", 100, bad[0]), runsOf("b", 100, bad[1]), Options{}).Rows[0]
		again := func(bad int) (all []int) {
			for range 1 + row.More {
				all = append(all, bad)
			}
			return all
		}
		got := Compare(runsOf("a", 100, again(bad[0])...), runsOf("b", 100, again(bad[1])...), Options{}).Rows[0]
		if row.Change == TooFew && got.Change == TooFew {
			t.Errorf("%v: %d more would do, and do not: %+v", bad, row.More, got)
		}
	}
}

// timesOf are runs of one scenario by their medians.
func timesOf(name, metric string, medians ...float64) Side {
	s := Side{Name: name}
	for _, x := range medians {
		sc := history.Scenario{ID: "x", Verdict: verdict.Pass, Started: 9, Metrics: map[string]history.Metric{}}
		if !math.IsNaN(x) {
			sc.Metrics[metric] = history.Metric{N: 9, P50: x}
		}
		s.Rows = append(s.Rows, history.Row{Complete: true, Scenarios: []history.Scenario{sc}})
	}
	return s
}

// Times are the same where 5 % can be ruled out.
func TestSameTimesNeedEvidence(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 5))
	side := func(sd float64, n int) Side {
		var all []float64
		for range n {
			all = append(all, math.Exp(sd*r.NormFloat64()))
		}
		return timesOf("build", history.FirstEvent, all...)
	}
	sure, unsure := 0, 0
	for range 50 {
		if Compare(side(0.01, 12), side(0.01, 12), Options{}).Count(Same) == 1 {
			sure++
		}
		unsure += Compare(side(0.15, 6), side(0.15, 6), Options{}).Count(Same)
	}
	if sure < 49 || unsure > 2 {
		t.Errorf("steady runs are the same %d times of 50, unsteady ones %d times", sure, unsure)
	}
}

// From no time at all to some is a difference; what one side alone has is not left out.
func TestNothingBefore(t *testing.T) {
	t.Parallel()
	row := Compare(timesOf("a", history.Recovery, 0, 0, 0, 0, 0, 0), timesOf("b", history.Recovery,
		5, 5.1, 4.9, 5, 5.2, 5), Options{}).Rows[0]
	if row.Change != Worse || row.Delta <= 0 {
		t.Errorf("0 s to 5 s: %+v", row)
	}
	none := math.NaN()
	for _, pair := range [][2]Side{{timesOf("b", history.Recovery, 1, 1), timesOf("a", history.Recovery, none, none)},
		{timesOf("a", history.Recovery, none), timesOf("b", history.Recovery, 1)}} {
		got := Compare(pair[0], pair[1], Options{})
		if len(got.Rows) != 1 || got.Rows[0].Change != Unlike || got.Rows[0].Why[0].Kind != FactMissing ||
			got.Rows[0].Why[0].Name != "a" {
			t.Errorf("measured on one side: %+v", got.Rows)
		}
	}
	hit := func(name string, n int) Side {
		s := runsOf(name, 500, 0)
		s.Rows[0].Scenarios[0].Hit = history.Rate{Judged: n, Complete: n}
		return s
	}
	got := Compare(hit("a", 100), hit("b", 0), Options{})
	if got.Count(Unlike) != 1 {
		t.Errorf("hit on one side: %+v", got.Rows)
	}
	var f record.Fact
	for _, row := range got.Rows {
		if row.Change == Unlike {
			f = row.Why[0]
		}
	}
	if f.Kind != FactMissing || f.Name != "b" {
		t.Errorf("%v", f)
	}
}
