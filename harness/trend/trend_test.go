package trend_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/harnesstest/nights"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Thirty nights are read rightly, and over 20 seeds there is at most one false alarm.
func TestThirtyNights(t *testing.T) {
	t.Parallel()
	alarms := 0
	for seed := range uint64(20) {
		missing, others := nights.Misread(trend.Read(nights.Rows(seed)))
		if len(missing) > 0 {
			t.Errorf("seed %d: not found: %q", seed, missing)
		}
		for _, a := range others {
			t.Logf("seed %d: false alarm: %s", seed, a)
			alarms++
		}
	}
	if alarms > 1 {
		t.Errorf("%d false alarms", alarms)
	}
}

// So are thirty nights of real runs.
func TestThirtyRealNights(t *testing.T) {
	t.Parallel()
	rows, err := nights.Real()
	if err != nil {
		t.Fatal(err)
	}
	missing, others := nights.Misread(trend.Read(rows))
	if len(rows) != nights.Count || len(missing)+len(others) > 0 {
		t.Errorf("%d nights; not found: %q; false alarms: %q", len(rows), missing, others)
	}
}

func verdicts(strip string) []history.Row {
	var rows []history.Row
	for i, c := range strip {
		v := map[rune]verdict.Verdict{'p': verdict.Pass, 'F': verdict.Fail, '?': verdict.Inconclusive}[c]
		rows = append(rows, history.Row{ID: int64(i + 1), Scenarios: []history.Scenario{{ID: "x", Verdict: v}}})
	}
	return rows
}

func TestVerdictsOverNights(t *testing.T) {
	t.Parallel()
	for strip, want := range map[string]string{
		"pppppppppppp":     "[]",
		"ppppppppFFFF":     "[x failing since 8]",
		"ppppppp???FF":     "[x failing since 10]",
		"pppppppppppF":     "[x failing since 11]",
		"ppppFppppppp":     "[]", // once, and not since
		"ppFpppFpppFp":     "[x flaky]",
		"ppFpFpFppFpF":     "[x flaky]",
		"FFFFFFFFFFFF":     "[x failing since 0]",
		"ppppppppppp?":     "[]",
		"pppFppppppppFFFF": "[x failing since 12]",
	} {
		if got := fmt.Sprint(nights.Held(trend.Read(verdicts(strip)))); got != want {
			t.Errorf("%s: got %s, want %s", strip, got, want)
		}
	}
}

// A value that is far off once is no change, a shorter or longer time is one, and more
// tokens a second are better.
func TestSeries(t *testing.T) {
	t.Parallel()
	series := func(name string, values ...float64) *trend.Trend {
		var rows []history.Row
		for i, v := range values {
			rows = append(rows, history.Row{ID: int64(i + 1), Scenarios: []history.Scenario{{ID: "x", Verdict: verdict.Pass,
				Metrics: map[string]history.Metric{name: {N: 9, P50: v}}}}})
		}
		return trend.Read(rows)
	}
	base := []float64{1.00, 1.02, 0.99, 1.01, 0.98, 1.00, 1.03, 0.99, 1.01, 1.00, 0.98, 1.02}
	more := make([]float64, len(base))
	for i, v := range base {
		more[i] = 1.3 * v
	}
	both := append(append([]float64{}, base...), more...)
	if got := series(history.FirstEvent, append(append(append([]float64{}, base...), 9),
		base...)...); len(nights.Held(got)) > 0 || len(got.Scenarios[0].Metrics[0].Outliers) != 1 {
		t.Errorf("an outlier: %v", nights.Held(got))
	}
	if m := series(history.FirstEvent, both...).Scenarios[0].Metrics[0]; len(m.Steps) != 1 || !m.Steps[0].Worse ||
		m.Steps[0].Run != 12 || m.Low < 1.1 {
		t.Errorf("a longer time: %+v", m)
	}
	if m := series(history.TokensPerSecond, both...).Scenarios[0].Metrics[0]; len(m.Steps) != 1 || m.Steps[0].Worse {
		t.Errorf("more tokens: %+v", m)
	}
	tiny := make([]float64, len(both))
	for i, v := range both {
		tiny[i] = v / 1000
	}
	if got := nights.Held(series(history.FirstEvent, tiny...)); len(got) > 0 {
		t.Errorf("0.3 ms: %v", got)
	}
}

// Values of unknown machines are left out, even where the last run's is unknown.
func TestUnknownMachines(t *testing.T) {
	t.Parallel()
	var rows []history.Row
	for i := range 40 {
		r := history.Row{ID: int64(i + 1), Machine: history.Machine{Unknown: i >= 30}, Scenarios: []history.Scenario{{ID: "x",
			Verdict: verdict.Pass, Metrics: map[string]history.Metric{history.FirstEvent: {N: 9, P50: 1}}}}}
		if i >= 30 {
			r.Scenarios[0].Metrics[history.FirstEvent] = history.Metric{N: 9, P50: 2}
		}
		rows = append(rows, r)
	}
	if got := trend.Read(rows); len(nights.Held(got)) > 0 || got.Aside[trend.UnknownMachine] != 10 {
		t.Errorf("%v, %v", nights.Held(got), got.Aside)
	}
	if got := trend.Read(rows[30:]); len(got.Scenarios[0].Metrics) > 0 || got.Aside[trend.UnknownMachine] != 10 {
		t.Errorf("none is known: %+v", got.Scenarios[0].Metrics)
	}
}

// readings is a trend of one metric of one scenario.
func readings(name string, values ...float64) *trend.Trend {
	var rows []history.Row
	for i, v := range values {
		rows = append(rows, history.Row{ID: int64(i + 1), Scenarios: []history.Scenario{{ID: "x", Verdict: verdict.Pass,
			Metrics: map[string]history.Metric{name: {N: 9, P50: v}}}}})
	}
	return trend.Read(rows)
}

// wavering are n values around one.
func wavering(n int, one float64) (all []float64) {
	for i := range n {
		all = append(all, one*(1+0.002*float64(i*7%5)))
	}
	return all
}

// What can be told, and how much more is needed, goes by the values that there are.
func TestNeedsNights(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{1: 13, 8: 6, 13: 1, 14: 0, 40: 0} {
		got := readings(history.FirstEvent, wavering(n, 1)...)
		if m := got.Scenarios[0].Metrics[0]; got.Need != want || m.Need != want || m.Cut != 0 {
			t.Errorf("%d nights: %d more, and %+v", n, got.Need, m)
		}
	}
	m := readings(history.FirstEvent, slices.Concat(wavering(100, 5), wavering(trend.Most, 1))...).Scenarios[0].Metrics[0]
	if m.Cut != 100 || len(m.Steps) > 0 || m.High > 2 {
		t.Errorf("a long series: %d values cut, steps %+v", m.Cut, m.Steps)
	}
}

// A recovery that took no time, and takes some now, is a step.
func TestStepFromNothing(t *testing.T) {
	t.Parallel()
	m := readings(history.Recovery, slices.Concat(make([]float64, 15), wavering(15, 5))...).Scenarios[0].Metrics[0]
	if len(m.Steps) != 1 || !m.Steps[0].Worse || m.Steps[0].Run != 15 || m.Steps[0].From != 0 {
		t.Errorf("%+v", m.Steps)
	}
	if m = readings(history.Recovery, make([]float64, 30)...).Scenarios[0].Metrics[0]; len(m.Steps) > 0 || m.Drift != nil {
		t.Errorf("nothing all the time: %+v", m)
	}
}

// TestOutages: what fails for a night or two in most scenarios, and is well before and
// after, is an outage; what fails from then on is not, and neither is what a shard lacks.
func TestOutages(t *testing.T) {
	t.Parallel()
	for strips, want := range map[[2]string]string{
		{"ppppFpppp", "ppppFpppp"}:     "[4]",
		{"ppppFFppp", "ppppFFppp"}:     "[4 5]",
		{"ppppFFFpp", "ppppFFFpp"}:     "[]",
		{"ppppppFFF", "ppppppFFF"}:     "[]",
		{"ppppFpppp", "ppppppppp"}:     "[]",
		{"p-p-F-p-p", "-p-p-p-p-"}:     "[]", // one scenario alone
		{"ppp-F-ppp", "ppp-F-ppp"}:     "[4]",
		{"p-p-p-F-F-F", "p-p-p-F-F-F"}: "[]",
	} {
		rows := make([]history.Row, len(strips[0]))
		for k, strip := range strips {
			for i, c := range strip {
				rows[i].ID = int64(i + 1)
				if c != '-' {
					v := map[rune]verdict.Verdict{'p': verdict.Pass, 'F': verdict.Fail}[c]
					rows[i].Scenarios = append(rows[i].Scenarios, history.Scenario{ID: string(rune('x' + k)), Verdict: v})
				}
			}
		}
		at := []int{}
		for _, o := range trend.Read(rows).Outages {
			at = append(at, o.Run)
		}
		if got := fmt.Sprint(at); got != want {
			t.Errorf("%q: outages at %s, want %s", strips, got, want)
		}
	}
}
