// Package trend reads the history of runs: since when a scenario fails or a time is
// longer, between which commits that came, and what is merely flaky.
//
//  1. A run on which most of what else passes fails, between runs that are well, is an
//     [Outage]: it is named, and left out of everything else.
//  2. The verdicts of a scenario are its strip. Failing runs at its end, after runs that
//     passed, are a regression; failures that come and go make it flaky.
//  3. Each metric is a series of one median a run. Single values far from their
//     neighbours are left out; [ChangePoints] finds new levels; a series that a line fits
//     better than steps drifts. Steps and drifts smaller than [Least] are not told.
//
// Runs of different machines or loads are different series; the last run whose machine is
// known says which one is read.
package trend

import (
	"fmt"
	"math"
	"slices"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	// Least is the smallest change of a level that is told, as a share of the level before.
	Least = 0.05
	// LeastTime is the smallest change of a time that is told, in seconds.
	LeastTime = 0.002
	// Fewest runs make a trend of verdicts, and let a drift be told; a step needs [Nights].
	Fewest = 8
	// Most values of a series are read, the newest: the time that takes grows with their
	// square.
	Most = 300
)

// A Trend is what the history shows.
type Trend struct {
	Runs      []history.Row // oldest first
	Outages   []Outage
	Scenarios []Scenario
	// Aside counts values that are left out of times.
	Aside map[Reason]int
	// Need is how many more runs let a step be told in one series at least; 0 if there are
	// enough.
	Need int
}

// A Reason says why a value is left out.
type Reason string

// The reasons.
const (
	OtherMachine   Reason = "other machine" // or another load, than the last run's
	UnknownMachine Reason = "unknown machine"
)

// An Outage is a run on which nearly everything failed, and did not before or after.
type Outage struct {
	Run    int // index in Runs
	Failed int // scenarios
	Of     int
}

// A Scenario is the trend of one scenario.
type Scenario struct {
	ID      string
	Strip   []verdict.Verdict // by run; "" where it was not played
	Flips   int               // from pass to fail or back, outages left out
	Failed  int               // runs, outages left out
	Played  int
	Flaky   bool
	Failing *Change // since when it fails without a pass
	Metrics []Metric
}

// Flakiness is the share of runs whose verdict is not that of the run before.
func (s *Scenario) Flakiness() float64 {
	if s.Played < 2 {
		return 0
	}
	return float64(s.Flips) / float64(s.Played-1)
}

// A Metric is one series.
type Metric struct {
	history.MetricInfo
	Values   []float64 // by run; NaN where there is none
	Outliers []int     // runs that are left out
	Cut      int       // older values that are not read, see [Most]
	// Need is how many more values let a step be told; 0 if there are enough. Blind is how
	// many of the newest cannot show a step of their own yet.
	Need, Blind int
	// Low and High are the usual range: of the level that the last run is on, its median
	// and thrice its spread on either side.
	Median, Low, High float64
	Steps             []Change
	Drift             *Change // from the first run to the last
}

// A Kind says what sort of change it is.
type Kind string

// The kinds.
const (
	Step     Kind = "step"
	Drift    Kind = "drift"
	Failures Kind = "failures"
)

// A Change is a change for the worse or the better.
type Change struct {
	Kind  Kind
	Run   int // index of the first run that is on the new level
	After int // of the last one on the old level
	Worse bool
	// From and To are the levels; Share is what changed, relative to From.
	From, To, Share float64
}

// Read reads runs, which are in their order.
func Read(runs []history.Row) *Trend {
	t := &Trend{Runs: runs, Aside: map[Reason]int{}, Need: max(0, Nights()-len(runs))}
	out := t.outages()
	for _, id := range scenarioIDs(runs) {
		t.Scenarios = append(t.Scenarios, t.scenario(id, out))
	}
	if need, ok := t.need(); ok {
		t.Need = need
	}
	return t
}

// need is how many more values the longest series needs; false where there is no series and
// none that was left out.
func (t *Trend) need() (need int, ok bool) {
	need, ok = Nights(), len(t.Aside) > 0
	for _, s := range t.Scenarios {
		for _, m := range s.Metrics {
			need, ok = min(need, m.Need), true
		}
	}
	return need, ok
}

func scenarioIDs(runs []history.Row) (ids []string) {
	for _, r := range runs {
		for _, s := range r.Scenarios {
			if !slices.Contains(ids, s.ID) {
				ids = append(ids, s.ID)
			}
		}
	}
	return ids
}

// longestOutage is how many runs in a row an outage has at most.
const longestOutage = 2

// outages finds runs on which more than half of the scenarios fail that pass before and
// after. One scenario alone makes no outage: it may be flaky. What fails from then on is no
// outage either.
func (t *Trend) outages() map[int]bool {
	out := map[int]bool{}
	for i := 1; i+1 < len(t.Runs); i++ {
		failed, of := 0, 0
		for _, s := range t.Runs[i].Scenarios {
			if s.Verdict == verdict.NotApplicable || !t.passesAround(i, s.ID) {
				continue
			}
			of++
			if s.Verdict != verdict.Pass {
				failed++
			}
		}
		if of >= 2 && 2*failed > of {
			out[i] = true
			t.Outages = append(t.Outages, Outage{i, failed, of})
		}
	}
	return out
}

// passesAround reports whether a scenario passes soon before run i and soon after it, in
// the nearest runs that have it: a shard has not all of them.
func (t *Trend) passesAround(i int, id string) bool {
	others := 0
	passes := func(step int) bool {
		for j := i + step; j >= 0 && j < len(t.Runs); j += step {
			s := t.Runs[j].Scenario(id)
			switch {
			case s == nil:
				continue
			case s.Verdict == verdict.Pass:
				return true
			}
			if others++; others >= longestOutage {
				return false
			}
		}
		return false
	}
	return passes(-1) && passes(1)
}

func (t *Trend) scenario(id string, out map[int]bool) Scenario {
	s := Scenario{ID: id, Strip: make([]verdict.Verdict, len(t.Runs))}
	var at []int // runs that count
	for i := range t.Runs {
		if sc := t.Runs[i].Scenario(id); sc != nil {
			s.Strip[i] = sc.Verdict
			if !out[i] && (sc.Verdict == verdict.Pass || sc.Verdict == verdict.Fail || sc.Verdict == verdict.Flaky) {
				at = append(at, i)
			}
		}
	}
	s.verdicts(at)
	for _, m := range history.Metrics {
		if series, ok := t.series(id, m, out); ok {
			s.Metrics = append(s.Metrics, series)
		}
	}
	return s
}

// verdicts reads the strip.
func (s *Scenario) verdicts(at []int) {
	s.Played = len(at)
	fails := func(i int) bool { return s.Strip[at[i]] == verdict.Fail }
	episodes, since, retried := 0, len(at), 0 // retried: runs that passed after a failure of their own
	for i := range at {
		if s.Strip[at[i]] == verdict.Flaky {
			s.Failed, retried = s.Failed+1, retried+1
		}
		if fails(i) {
			s.Failed++
			if i == 0 || !fails(i-1) {
				episodes++
			}
		}
		if i > 0 && fails(i) != fails(i-1) {
			s.Flips++
		}
	}
	for since > 0 && fails(since-1) {
		since--
	}
	tail := len(at) - since
	if tail == 0 || since == 0 && len(at) < Fewest {
		s.Flaky = episodes+retried >= 2
		return
	}
	// Failures at the end are a regression where that many in a row would be rare at the
	// rate at which it failed before; a scenario that failed at times may just do so again.
	before := (float64(s.Failed-tail) + .5) / (float64(since) + 1)
	if episodes == 1 || math.Pow(before, float64(tail)) < 0.01 {
		c := Change{Kind: Failures, Run: at[since], After: -1, Worse: true}
		if since > 0 {
			c.After = at[since-1]
		}
		s.Failing = &c
		s.Flaky = episodes+retried > 2
		return
	}
	s.Flaky = episodes+retried >= 2
}

// series collects the values of a metric and reads them.
func (t *Trend) series(id string, info history.MetricInfo, out map[int]bool) (Metric, bool) {
	m := Metric{MetricInfo: info, Values: make([]float64, len(t.Runs))}
	var last *history.Row
	for i := range t.Runs {
		if t.Runs[i].Scenario(id) != nil && !out[i] && !t.Runs[i].Machine.Unknown {
			last = &t.Runs[i]
		}
	}
	var at []int
	for i := range t.Runs {
		m.Values[i] = math.NaN()
		r := &t.Runs[i]
		sc := r.Scenario(id)
		if sc == nil || out[i] || sc.Metrics[info.Name].N == 0 {
			continue
		}
		if r.Machine.Unknown {
			t.Aside[UnknownMachine]++
			continue
		}
		if !r.Machine.Same(last.Machine) || sc.Load != last.Scenario(id).Load {
			t.Aside[OtherMachine]++
			continue
		}
		m.Values[i] = sc.Metrics[info.Name].P50
		at = append(at, i)
	}
	if len(at) == 0 {
		return m, false
	}
	m.read(at)
	return m, true
}

// read finds steps, drift and the usual range in the values of the runs at.
func (m *Metric) read(at []int) {
	m.Cut = max(0, len(at)-Most)
	at = m.inliers(at[m.Cut:])
	values := make([]float64, len(at))
	for i, run := range at {
		values[i] = m.Values[run]
	}
	from, step := 0, 0 // where the level of the last run begins, and the last step is
	if len(values) >= Fewest {
		steps := m.steps(values)
		if d := m.drift(values, steps); d != nil {
			d.Run, d.After = at[len(at)-1], at[0]
			m.Drift = d
			from = max(0, len(values)-Fewest)
		} else {
			for _, c := range steps {
				from, step = c.Run, c.Run
				c.Run, c.After = at[c.Run], at[c.Run-1]
				m.Steps = append(m.Steps, c)
			}
		}
	}
	m.Need, m.Blind = max(0, Nights()-len(values)), blind(len(values)-step)
	m.Median = history.Median(values[from:])
	wide := math.Max(3*history.Spread(values[from:]), math.Max(0.02*m.Median, 0))
	m.Low, m.High = math.Max(0, m.Median-wide), m.Median+wide
}

// inliers leaves out single runs that are far from the three before and after them
// (Hampel's filter): an outlier is no level.
func (m *Metric) inliers(at []int) (kept []int) {
	for i, run := range at {
		var near []float64
		for j := max(0, i-3); j <= min(len(at)-1, i+3); j++ {
			near = append(near, m.Values[at[j]])
		}
		mid := history.Median(near)
		off := math.Abs(m.Values[run] - mid)
		// The last runs have no run after them that could tell an outlier from a new level.
		if i+2 < len(at) && i > 1 && off > 6*history.Spread(near) && off > 0.25*mid {
			m.Outliers = append(m.Outliers, run)
			continue
		}
		kept = append(kept, run)
	}
	return kept
}

// steps are the change points of values whose levels differ by enough.
func (m *Metric) steps(values []float64) []Change {
	points := ChangePoints(values)
	for {
		least, weakest := -1, math.Inf(1)
		bounds := slices.Concat([]int{0}, points, []int{len(values)})
		for i := range points {
			a, b := values[bounds[i]:bounds[i+1]], values[bounds[i+1]:bounds[i+2]]
			from, to := history.Median(a), history.Median(b)
			share := math.Abs(to-from) / math.Max(from, 1e-12)
			if m.tells(from, to) && math.Abs(to-from) > 1.5*math.Max(history.Spread(a), history.Spread(b)) {
				continue
			}
			if share < weakest {
				least, weakest = i, share
			}
		}
		if least < 0 {
			break
		}
		points = slices.Delete(points, least, least+1)
	}
	var steps []Change
	bounds := slices.Concat([]int{0}, points, []int{len(values)})
	for i, p := range points {
		from, to := history.Median(values[bounds[i]:p]), history.Median(values[p:bounds[i+2]])
		steps = append(steps, Change{Kind: Step, Run: p, Worse: (to > from) != m.More, From: from, To: to,
			Share: to/from - 1})
	}
	return steps
}

// tells reports whether a change of the level is large enough to be told.
func (m *Metric) tells(from, to float64) bool {
	if m.Unit == "s" && math.Abs(to-from) < LeastTime {
		return false
	}
	return from >= 0 && to != from && math.Abs(to-from) >= Least*from
}

// drift fits Theil and Sen's line. It is a drift where Mann and Kendall's test says that
// the series goes one way, and the line leaves less unexplained than the steps do
// (Bayesian information criterion, with absolute deviations).
func (m *Metric) drift(values []float64, steps []Change) *Change {
	n := len(values)
	var slopes []float64
	s := 0
	for i := range n {
		for j := range i {
			slopes = append(slopes, (values[i]-values[j])/float64(i-j))
			s += sign(values[i] - values[j])
		}
	}
	slope := history.Median(slopes)
	z := (math.Abs(float64(s)) - 1) / math.Sqrt(kendall(values))
	if math.Erfc(z/math.Sqrt2) > Significance {
		return nil
	}
	var off []float64
	for i, v := range values {
		off = append(off, v-slope*float64(i))
	}
	start := history.Median(off)
	from, to := start, start+slope*float64(n-1)
	if !m.tells(from, to) {
		return nil
	}
	line, flat := 0.0, 0.0
	for i, v := range values {
		line += math.Abs(v - start - slope*float64(i))
		level := history.Median(values)
		if len(steps) > 0 {
			level = steps[0].From
		}
		for _, c := range steps {
			if i >= c.Run {
				level = c.To
			}
		}
		flat += math.Abs(v - level)
	}
	bic := func(dev float64, params int) float64 {
		return 2*float64(n)*math.Log(math.Max(dev, 1e-12)) + float64(params)*math.Log(float64(n))
	}
	if bic(line, 2) >= bic(flat, 1+2*len(steps)) {
		return nil
	}
	return &Change{Kind: Drift, Worse: (to > from) != m.More, From: from, To: to, Share: to/from - 1}
}

// kendall is the variance of Mann and Kendall's statistic where there is no trend. Values
// that are equal leave fewer pairs that can differ.
func kendall(values []float64) float64 {
	variance := func(n int) float64 { return float64(n*(n-1)*(2*n+5)) / 18 }
	equal := map[float64]int{}
	for _, v := range values {
		equal[v]++
	}
	sum := variance(len(values))
	for _, n := range equal {
		sum -= variance(n)
	}
	return sum
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// Commits reads "between 3f2a91c (run 16) and 8b0c1d2 (run 17)".
func (t *Trend) Commits(c Change) string {
	to := t.Runs[c.Run].Name()
	if c.After < 0 {
		return "since the first run, " + to
	}
	return fmt.Sprintf("between %s and %s", t.Runs[c.After].Name(), to)
}
