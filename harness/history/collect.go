package history

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Collector measures the streams of a run, part by part. The zero value is ready.
type Collector struct{ of map[string]*collected }

type collected struct{ untouched, hit []sample }

// Add takes graded streams. It keeps none of them.
func (c *Collector) Add(scopes []verdict.Scope) {
	if c.of == nil {
		c.of = map[string]*collected{}
	}
	for i := range scopes {
		s := &scopes[i]
		of := c.of[s.Scenario.ID]
		if of == nil {
			of = &collected{}
			c.of[s.Scenario.ID] = of
		}
		for j := range s.Streams {
			if g := &s.Streams[j]; !s.Run.Guests[g.Seq] && !g.Group.Alone() {
				of.add(g)
			}
		}
	}
}

func (of *collected) add(g *verdict.Graded) {
	switch o := g.Grade.Outcome; {
	case o == verdict.Cancelled || o == verdict.Unread:
	case g.Group == record.Victim:
		of.hit = append(of.hit, sampleOf(g))
	default:
		of.untouched = append(of.untouched, sampleOf(g))
	}
}

// Row makes the row of a run whose streams were added. Commit, branch, version and
// folder are the caller's to fill in.
func (c *Collector) Row(run *record.Run, report *verdict.Report) Row {
	p := &run.Plan
	r := Row{Started: p.Started, Tool: p.Tool, App: p.App.String(), Machine: machineOf(p.Host), Stack: p.Stack,
		Seed:    p.Seed,
		Verdict: report.Verdict, Complete: report.Complete, Streams: report.Started}
	for _, s := range report.Scenarios {
		plan := record.Scenario{ID: s.ID}
		for _, sc := range p.Scenarios {
			if sc.ID == s.ID {
				plan = sc
			}
		}
		row := c.scenario(&s, loadOf(p, &plan), run.Machine)
		row.Full = plan.FullLength
		r.Scenarios = append(r.Scenarios, row)
	}
	return r
}

func (c *Collector) scenario(s *verdict.ScenarioReport, load string, looks []record.MachineSample) Scenario {
	row := Scenario{ID: s.ID, Load: load, Verdict: s.Verdict, Why: s.Why, Started: s.Started, Outcomes: s.Outcomes,
		Metrics: map[string]Metric{}}
	if s.Took != nil {
		row.Took = *s.Took
	}
	for _, cause := range s.Causes {
		row.Causes = append(row.Causes, cause.Cause)
	}
	if of := c.of[s.ID]; of != nil {
		row.Untouched, row.Hit = rateOf(of.untouched), rateOf(of.hit)
		if late := delays(looks, slices.Concat(of.untouched, of.hit)); len(late) > 0 {
			row.Delay = rank(late, 0.9)
		}
		whole := timed(of.untouched)
		for name, figure := range figures {
			if m, ok := metricOf(whole, figure, looks); ok {
				row.Metrics[name] = m
			}
		}
	}
	if s.Recovery != nil {
		row.Metrics[Recovery] = measured([]float64{*s.Recovery})
	}
	return row
}

var figures = map[string]func(sample) float64{
	FirstEvent:      func(s sample) float64 { return s.first },
	Gap:             func(s sample) float64 { return s.gap },
	TokensPerSecond: func(s sample) float64 { return s.rate },
}

// timed are the samples whose times count: complete streams under load, or, where there
// are none, those before and after the fault.
func timed(all []sample) []sample {
	of := func(calm bool) []sample {
		return slices.DeleteFunc(slices.Clone(all), func(s sample) bool { return !s.complete || s.calm != calm })
	}
	if loaded := of(false); len(loaded) > 0 {
		return loaded
	}
	return of(true)
}

// perUnit is the resolution of histograms.
const perUnit = 1e6

// measured is the metric of sorted values.
func measured(values []float64) Metric {
	m := Metric{N: len(values), P50: rank(values, 0.5), Max: values[len(values)-1]}
	h := hdrhistogram.New(1, 3600*perUnit, 3)
	for _, v := range values {
		_ = h.RecordValue(min(max(int64(v*perUnit), 1), 3600*perUnit)) // it is within the bounds
	}
	m.Histogram, _ = h.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // the quantiles stand beside it
	for q, to := range map[float64]*float64{0.9: &m.P90, 0.95: &m.P95, 0.99: &m.P99} {
		if float64(len(values))*(1-q) >= 1-1e-9 {
			*to = rank(values, q)
		}
	}
	return m
}

// rank is the q-quantile of sorted values by nearest rank, as [verdict.Quantile].
func rank(sorted []float64, q float64) float64 {
	return sorted[min(max(int(math.Ceil(q*float64(len(sorted)))), 1), len(sorted))-1]
}

// Merged is the histogram of one metric over several rows; nil where none has it.
func Merged(scenarios []*Scenario, name string) *hdrhistogram.Histogram {
	var sum *hdrhistogram.Histogram
	for _, s := range scenarios {
		h, err := hdrhistogram.Decode(s.Metrics[name].Histogram)
		if err != nil {
			continue // this scenario has none
		}
		if sum == nil {
			sum = hdrhistogram.New(1, 3600*perUnit, 3)
		}
		sum.Merge(h)
	}
	return sum
}

// loadOf says what was asked of the app, in one line: two scenarios with equal lines can
// be compared.
func loadOf(p *record.Plan, s *record.Scenario) string {
	b, err := json.Marshal(s.Load)
	if err != nil {
		return err.Error()
	}
	parts := []string{strings.NewReplacer(`"`, "", "{", "", "}", "", ",", ", ", ":", " ").Replace(string(b))}
	if s.Edge != "" {
		parts = append(parts, "edge "+s.Edge)
	}
	if s.Fault != "" {
		parts = append(parts, s.Fault)
	}
	if s.FullLength {
		parts = append(parts, "full length")
	}
	request := p.Request.Method
	if u, err := url.Parse(p.Request.URL); err == nil {
		request += " " + u.RequestURI()
	}
	if p.Request.Body != "" {
		request += fmt.Sprintf(" with %d bytes", len(p.Request.Body))
	}
	return strings.Join(append(parts, strings.TrimSpace(request), p.Stack), "; ")
}
