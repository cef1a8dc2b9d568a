package history

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Collector measures the streams of a run, part by part. The zero value is ready.
type Collector struct{ of map[string]*collected }

type collected struct {
	untouched, hit Rate
	loaded, calm   times // under load; before and after the fault where nothing else is
}

// times are what streams took, each with its start.
type times struct{ first, gap, rate []sample }

type sample struct {
	at    time.Duration
	value float64
}

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
		return
	case g.Group == record.Victim:
		of.hit.count(o)
		return
	default:
		of.untouched.count(o)
	}
	if g.Grade.Outcome != verdict.Complete {
		return
	}
	t := &of.loaded
	if g.Group != record.Load && g.Group != record.Control {
		t = &of.calm
	}
	t.add(g.Stream)
}

func (r *Rate) count(o verdict.Outcome) {
	r.Judged++
	switch o {
	case verdict.Complete:
		r.Complete++
	case verdict.Truncated, verdict.Corrupt:
		r.Silent++
	}
}

func (t *times) add(s *record.Stream) {
	if d, ok := verdict.TTFE(s); ok {
		t.first = append(t.first, sample{s.Send, d.Seconds()})
	}
	t.gap = append(t.gap, sample{s.Send, s.MaxGap.Seconds()})
	made := int64(s.Contents)
	if n := s.Content.Usage.Output; n > 0 {
		made = n
	}
	if over := s.Last - s.First; s.First >= 0 && over > 0 && made > 1 {
		t.rate = append(t.rate, sample{s.Send, float64(made-1) / over.Seconds()})
	}
}

// Row makes the row of a run whose streams were added. Commit, branch, version and
// folder are the caller's to fill in.
func (c *Collector) Row(run *record.Run, report *verdict.Report) Row {
	p := &run.Plan
	r := Row{Started: p.Started, Tool: p.Tool, App: p.App.String(), Machine: machineOf(p.Host), Stack: p.Stack,
		Seed:    p.Seed,
		Verdict: report.Verdict, Complete: report.Complete, Streams: report.Started}
	delay, worst := delaysOf(run.Machine)
	for _, s := range report.Scenarios {
		plan := record.Scenario{ID: s.ID}
		for _, sc := range p.Scenarios {
			if sc.ID == s.ID {
				plan = sc
			}
		}
		row := c.scenario(&s, loadOf(p, &plan))
		row.Delay, row.DelayMax = delay, worst
		r.Scenarios = append(r.Scenarios, row)
	}
	return r
}

func (c *Collector) scenario(s *verdict.ScenarioReport, load string) Scenario {
	row := Scenario{ID: s.ID, Load: load, Verdict: s.Verdict, Why: s.Why, Started: s.Started, Outcomes: s.Outcomes,
		Metrics: map[string]Metric{}}
	for _, cause := range s.Causes {
		row.Causes = append(row.Causes, cause.Cause)
	}
	if of := c.of[s.ID]; of != nil {
		row.Untouched, row.Hit = of.untouched, of.hit
		t := of.loaded
		if len(t.gap) == 0 {
			t = of.calm
		}
		row.put(FirstEvent, t.first)
		row.put(Gap, t.gap)
		row.put(TokensPerSecond, t.rate)
	}
	if s.Recovery != nil {
		row.put(Recovery, []sample{{0, *s.Recovery}})
	}
	return row
}

func (s *Scenario) put(name string, samples []sample) {
	if len(samples) > 0 {
		s.Metrics[name] = metricOf(samples)
	}
}

// perUnit is the resolution of histograms.
const perUnit = 1e6

// mostBlocks bounds [Metric.Blocks]; one of fewer than two streams is none.
const mostBlocks = 10

func metricOf(samples []sample) Metric {
	slices.SortStableFunc(samples, func(a, b sample) int { return int(a.at - b.at) })
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = s.value
	}
	m := Metric{N: len(values)}
	if n := min(mostBlocks, len(values)/2); n >= 2 {
		for i := range n {
			block := slices.Sorted(slices.Values(values[i*len(values)/n : (i+1)*len(values)/n]))
			m.Blocks = append(m.Blocks, rank(block, 0.5))
		}
	}
	h := hdrhistogram.New(1, 3600*perUnit, 3)
	for _, v := range values {
		_ = h.RecordValue(min(max(int64(v*perUnit), 1), 3600*perUnit)) // it is within the bounds
	}
	m.Histogram, _ = h.Encode(hdrhistogram.V2CompressedEncodingCookieBase) // the quantiles stand beside it
	slices.Sort(values)
	m.P50, m.Max = rank(values, 0.5), values[len(values)-1]
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

// delaysOf is how long the app or we waited for a CPU in each sample, and how late the
// look itself came: the 90th percentile and the worst, in seconds.
func delaysOf(samples []record.MachineSample) (p90, worst float64) {
	var late []float64
	for _, m := range samples {
		late = append(late, max(m.Late, m.OursWaited, m.AppWaited).Seconds())
	}
	if len(late) == 0 {
		return 0, 0
	}
	slices.Sort(late)
	return rank(late, 0.9), late[len(late)-1]
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
	request := p.Request.Method
	if u, err := url.Parse(p.Request.URL); err == nil {
		request += " " + u.RequestURI()
	}
	if p.Request.Body != "" {
		request += fmt.Sprintf(" with %d bytes", len(p.Request.Body))
	}
	return strings.Join(append(parts, strings.TrimSpace(request), p.Stack), "; ")
}
