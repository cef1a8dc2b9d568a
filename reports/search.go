package reports

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/streamproof/streamproof/harness/slo"
)

// A Search is search.json: the runs of a search for an edge, and what they came to.
type Search struct {
	Over      string        `json:"over"` // key of streamproof.yaml
	Kind      string        `json:"unit,omitempty"`
	App       string        `json:"app"`
	SLO       string        `json:"slo,omitempty"`
	From      string        `json:"from"`
	To        string        `json:"to"`
	Seed      uint64        `json:"seed"`
	Edge      string        `json:"edge"`             // see package search
	Holds     string        `json:"holds,omitempty"`  // the hardest value that holds
	Breaks    string        `json:"breaks,omitempty"` // the easiest that does not
	Confirmed bool          `json:"confirmed"`        // by two of three runs on each side
	Says      string        `json:"says"`             // in a sentence
	Points    []SearchPoint `json:"runs"`
}

// A SearchPoint is one run. Times are seconds, nil where too few streams completed.
type SearchPoint struct {
	Value      float64        `json:"value"`
	Said       string         `json:"said"`
	Dir        string         `json:"dir"`
	Verdict    string         `json:"verdict"`
	Why        string         `json:"why,omitempty"`
	Streams    int            `json:"streams"`
	Outcomes   map[string]int `json:"outcomes"`
	P50        *float64       `json:"first_event_p50,omitempty"`
	P95        *float64       `json:"first_event_p95,omitempty"`
	P99        *float64       `json:"first_event_p99,omitempty"`
	Gap99      *float64       `json:"gap_p99,omitempty"`
	Throughput *float64       `json:"throughput,omitempty"` // complete streams per second
	Goodput    *float64       `json:"goodput,omitempty"`    // of them: those that meet the objectives
}

// Measure takes the figures of a run.
func (p *SearchPoint) Measure(m *slo.Measure) {
	at := func(name string, q float64) *float64 {
		if x, ok := m.Figure(name, q); ok {
			return &x
		}
		return nil
	}
	p.Streams, p.Outcomes = m.Streams(), m.Outcomes()
	p.P50, p.P95, p.P99 = at("first_event", 0.5), at("first_event", 0.95), at("first_event", 0.99)
	p.Gap99 = at("gap", 0.99)
	p.Throughput, p.Goodput = at("throughput", 0), at("goodput", 0)
}

// sorted are the runs by their values.
func (s *Search) sorted() []SearchPoint {
	ps := slices.Clone(s.Points)
	slices.SortStableFunc(ps, func(a, b SearchPoint) int {
		switch {
		case a.Value < b.Value:
			return -1
		case a.Value > b.Value:
			return 1
		}
		return 0
	})
	return ps
}

// complete is the share of streams that completed.
func (p *SearchPoint) complete() float64 {
	return float64(p.Outcomes["complete"]) / float64(max(1, p.Streams))
}

func timeOr(x *float64) string {
	if x == nil {
		return "-"
	}
	return short3(*x)
}

// short3 writes seconds with three digits.
func short3(x float64) string {
	if x < 1 {
		return fmt.Sprintf("%.3g ms", x*1e3)
	}
	return fmt.Sprintf("%.3g s", x)
}

func rateOr(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.3g/s", *x)
}

// Text prints a search: its result, then a line a run with a bar for the streams that
// completed.
func (s *Search) Text(w io.Writer, quiet bool) {
	fmt.Fprintln(w, s.Says)
	if quiet {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\n%s\tresult\tcomplete\tfirst event p50\tp95\tp99\tthroughput\tgoodput\n", s.Over)
	for _, p := range s.sorted() {
		full := int(math.Round(p.complete() * 10))
		bar := strings.Repeat("█", full) + strings.Repeat("░", 10-full)
		fmt.Fprintf(tw, "%s\t%s\t%s %d of %d\t%s\t%s\t%s\t%s\t%s\n",
			p.Said, p.Verdict, bar, p.Outcomes["complete"], p.Streams,
			timeOr(p.P50), timeOr(p.P95), timeOr(p.P99), rateOr(p.Throughput), rateOr(p.Goodput))
	}
	_ = tw.Flush() // w says itself what is wrong with it
}

//go:embed html/search/page.tmpl
var searchPage string

var searchTemplate = template.Must(template.New("search").
	Funcs(template.FuncMap{"time": timeOr, "rate": rateOr}).Parse(searchPage))

// WriteHTML writes search.html: the picture of the runs, and their table. It needs no
// script and nothing from elsewhere.
func (s *Search) WriteHTML(path string) error {
	var b bytes.Buffer
	if err := searchTemplate.Execute(&b, struct {
		*Search
		Sorted  []SearchPoint
		Picture searchPicture
	}{s, s.sorted(), s.picture()}); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// A searchPicture is times over values, both on logarithmic axes, and the outcomes below.
type searchPicture struct {
	Lines []searchLine
	Bars  []searchBar
	X, Y  []searchTick
	Edge  float64 // x of the edge; below 0 for none
}

type searchLine struct{ Name, Class, Points string }

type searchBar struct {
	X, Good, Bad, GoodY float64 // left end, heights, top of the good
	Title               string
}

type searchTick struct {
	At   float64
	Said string
}

// Sizes of the picture.
const (
	searchLeft, searchRight = 70.0, 690.0
	searchTop, searchBottom = 20.0, 240.0
	searchBars              = 60.0
)

func (s *Search) picture() (pic searchPicture) {
	ps := s.sorted()
	lo, hi := ps[0].Value, ps[len(ps)-1].Value
	x := func(v float64) float64 {
		if hi <= lo {
			return (searchLeft + searchRight) / 2
		}
		return searchLeft + 10 + (searchRight-searchLeft-20)*math.Log(v/lo)/math.Log(hi/lo)
	}
	least, most := math.Inf(1), 0.0
	for _, p := range ps {
		for _, t := range []*float64{p.P50, p.P95, p.P99} {
			if t != nil && *t > 0 {
				least, most = min(least, *t), max(most, *t)
			}
		}
	}
	least, most = math.Pow(10, math.Floor(math.Log10(least))), math.Pow(10, math.Ceil(math.Log10(most)))
	y := func(t float64) float64 {
		return searchBottom - (searchBottom-searchTop)*math.Log(t/least)/math.Log(most/least)
	}
	if most > least {
		for t := least; t <= most*1.01; t *= 10 {
			pic.Y = append(pic.Y, searchTick{y(t), short3(t)})
		}
		for _, l := range []struct {
			name string
			of   func(*SearchPoint) *float64
		}{
			{"p50", func(p *SearchPoint) *float64 { return p.P50 }},
			{"p95", func(p *SearchPoint) *float64 { return p.P95 }},
			{"p99", func(p *SearchPoint) *float64 { return p.P99 }},
		} {
			var points []string
			for i := range ps {
				if t := l.of(&ps[i]); t != nil && *t > 0 {
					points = append(points, fmt.Sprintf("%.1f,%.1f", x(ps[i].Value), y(*t)))
				}
			}
			pic.Lines = append(pic.Lines, searchLine{l.name, l.name, strings.Join(points, " ")})
		}
	}
	last := -100.0
	for i := range ps {
		p := &ps[i]
		good := searchBars * p.complete()
		text := fmt.Sprintf("%s: %d of %d complete, %s", p.Said, p.Outcomes["complete"], p.Streams, p.Verdict)
		pic.Bars = append(pic.Bars,
			searchBar{x(p.Value) - 4, good, searchBars - good, 260 + searchBars - good, text})
		if at := x(p.Value); at-last > 45 {
			pic.X, last = append(pic.X, searchTick{at, p.Said}), at
		}
	}
	pic.Edge = -1
	for _, p := range ps {
		if p.Said == s.Holds {
			pic.Edge = x(p.Value)
		}
	}
	return pic
}
