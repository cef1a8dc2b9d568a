package reports

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A findingView is one thing that a trend shows, and where it is drawn.
type findingView struct {
	Class  string // verdict class that gives the colour
	Kind   string // "regression", "flaky", "drift", "outage", "better"
	Text   string
	Since  string
	Anchor string
}

type trendView struct {
	ID, Anchor, Note string
	Strip            []stripView
	Series           []seriesView
}

type stripView struct{ Class, Mark, Title string }

type seriesView struct {
	Class, Title, Text string
	SVG                template.HTML
}

// findings says what a trend shows: regressions first, then what is flaky, drifts,
// outages, and what is better.
func findings(t *trend.Trend) []findingView {
	var bad, flaky, drift, good []findingView
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		id, anchor := line(s.ID), slug("t-"+s.ID)
		if c := s.Failing; c != nil {
			n := 0
			for _, v := range s.Strip[c.Run:] {
				n += map[bool]int{true: 1}[v == verdict.Fail]
			}
			bad = append(bad, findingView{"fail", "regression",
				fmt.Sprintf("%s fails: the last %s", id, count(n, "run")), since(t, *c), anchor})
		}
		if s.Flaky {
			flaky = append(flaky, findingView{"inconclusive", "flaky",
				fmt.Sprintf("%s is flaky: %d of %s failed, and it changed %s", id, s.Failed, count(s.Played, "run"),
					times(s.Flips)), "", anchor})
		}
		for _, m := range s.Metrics {
			for _, c := range m.Steps {
				f := findingView{"pass", "better", levelText(id, m, c), since(t, c), anchor}
				if c.Worse {
					f.Class, f.Kind = "fail", "regression"
					bad = append(bad, f)
				} else {
					good = append(good, f)
				}
			}
			if c := m.Drift; c != nil {
				f := findingView{"pass", "drift",
					fmt.Sprintf("%s: %s drifts, %s in all", id, m.Title, change(m, *c)), "since " + runName(t, c.After), anchor}
				if c.Worse {
					f.Class = "inconclusive"
				}
				drift = append(drift, f)
			}
		}
	}
	all := slices.Concat(bad, flaky, drift)
	for _, o := range t.Outages {
		all = append(all, findingView{"inconclusive", "outage", fmt.Sprintf(
			"outage: %d of %s did not pass in %s, and did before and after", o.Failed, count(o.Of, "scenario"),
			runName(t, o.Run)),
			"left out of everything else on this page", slug("t-" + t.Scenarios[0].ID)})
	}
	return append(all, good...)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func since(t *trend.Trend, c trend.Change) string {
	if c.After < 0 {
		return "since the first run, " + runName(t, c.Run)
	}
	text := fmt.Sprintf("since %s; the last run before it is %s", runName(t, c.Run), runName(t, c.After))
	if from, to := t.Runs[c.After].Commit, t.Runs[c.Run].Commit; from != "" && to != "" && from != to {
		text += fmt.Sprintf("; commits %s..%s", line(history.Short(from)), line(history.Short(to)))
	}
	return text
}

// runName reads "run 17 of 2026-11-17".
func runName(t *trend.Trend, i int) string {
	r := &t.Runs[i]
	return fmt.Sprintf("run %d of %s", r.ID, r.Started.Format("2006-01-02"))
}

func levelText(id string, m trend.Metric, c trend.Change) string {
	return fmt.Sprintf("%s: %s %s", id, m.Title, change(m, c))
}

// change reads "+15 % (200 ms to 230 ms)".
func change(m trend.Metric, c trend.Change) string {
	if c.From == 0 {
		return fmt.Sprintf("from %s to %s", quantity(c.From, m.Unit), quantity(c.To, m.Unit))
	}
	return fmt.Sprintf("%+.0f %% (%s to %s)", 100*c.Share, quantity(c.From, m.Unit), quantity(c.To, m.Unit))
}

// trendHead is the trend in one sentence.
func trendHead(t *trend.Trend, all []findingView) (class, text string) {
	n := map[string]int{}
	for _, f := range all {
		n[f.Kind]++
	}
	over, few := "in "+count(len(t.Runs), "run"), ""
	if text := tooFew(t); text != "" {
		few = "; " + text
	}
	switch {
	case n["regression"] > 0:
		return "fail", count(n["regression"], "regression") + " " + over + few
	case n["flaky"]+n["drift"] > 0:
		return "inconclusive", fmt.Sprintf("no regression %s; %s, %s", over, count(n["flaky"], "flaky scenario"),
			count(n["drift"], "drift")) + few
	case t.Need > 0:
		return "inconclusive", tooFew(t)
	}
	return "pass", "no regression " + over + few
}

// tooFew says where no step can be told yet; "" if one can in every series.
func tooFew(t *trend.Trend) string {
	if t.Need > 0 {
		return fmt.Sprintf("too few nights to tell a step: %d more", t.Need)
	}
	short, all := 0, 0
	for _, s := range t.Scenarios {
		for _, m := range s.Metrics {
			all++
			short += map[bool]int{true: 1}[m.Need > 0]
		}
	}
	if short == 0 {
		return ""
	}
	return fmt.Sprintf("too few nights to tell a step in %d of %s", short, count(all, "series"))
}

var stripMarks = map[verdict.Verdict]stripView{
	verdict.Pass: {"pass", ".", ""}, verdict.Fail: {"fail", "F", ""}, verdict.Inconclusive: {"inconclusive", "?", ""},
	verdict.Flaky: {"flaky", "~", ""}, verdict.NotApplicable: {"not_applicable", "-", ""}, "": {"none", " ", ""}}

func trendNote(s *trend.Scenario) string {
	return fmt.Sprintf("%d of %s failed; the verdict changed %s (flakiness %.0f %%)", s.Failed, count(s.Played, "run"),
		times(s.Flips), 100*s.Flakiness())
}

func usual(m trend.Metric) string {
	text := fmt.Sprintf("usually %s (%s to %s)",
		quantity(m.Median, m.Unit), quantity(m.Low, m.Unit), quantity(m.High, m.Unit))
	if m.Need > 0 {
		text += fmt.Sprintf("; too few nights to tell a step: %d more", m.Need)
	}
	return text
}

var asideWords = map[trend.Reason]string{trend.OtherMachine: "another machine or load than the last run's",
	trend.UnknownMachine: "the run was recorded without its machine"}

func asides(t *trend.Trend) (notes []string) {
	for _, why := range sortedKeys(t.Aside) {
		notes = append(notes, fmt.Sprintf("%s left out of the times: %s.", count(t.Aside[why], "value"), asideWords[why]))
	}
	cut, least, most := 0, 0, 0
	for _, s := range t.Scenarios {
		for _, m := range s.Metrics {
			cut = max(cut, m.Cut)
			if m.Need == 0 {
				least, most = min(cmp.Or(least, m.Blind), m.Blind), max(most, m.Blind)
			}
		}
	}
	if cut > 0 {
		notes = append(notes, fmt.Sprintf("Steps and drifts are looked for in the newest %d values of a series; "+
			"up to %d older ones are not read.", trend.Most, cut))
	}
	switch {
	case most == 0:
	case least == most:
		notes = append(notes, fmt.Sprintf("A step in the last %s cannot be told yet.", count(most, "night")))
	default: // a step of late has begun a level anew
		notes = append(notes, fmt.Sprintf(
			"A step in the last %d to %d nights, depending on the series, cannot be told yet.", least, most))
	}
	return notes
}

// TrendText writes a trend as plain text.
func TrendText(w io.Writer, t *trend.Trend) error {
	var b bytes.Buffer
	all := findings(t)
	_, head := trendHead(t, all)
	fmt.Fprintln(&b, head)
	for _, f := range all {
		fmt.Fprintf(&b, "\n%s: %s\n", f.Kind, strings.TrimPrefix(f.Text, "outage: "))
		if f.Since != "" {
			fmt.Fprintf(&b, "    %s\n", f.Since)
		}
	}
	b.WriteString("\nVerdicts, oldest first (. pass, F fail, ? inconclusive, - not applicable):\n\n")
	wide := 0
	for _, s := range t.Scenarios {
		wide = max(wide, len(s.ID))
	}
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		fmt.Fprintf(&b, "%-*s  ", wide, line(s.ID))
		for _, v := range s.Strip {
			b.WriteString(stripMarks[v].Mark)
		}
		fmt.Fprintf(&b, "  %d of %d failed\n", s.Failed, s.Played)
		for _, m := range s.Metrics {
			fmt.Fprintf(&b, "%-*s  %s: %s\n", wide, "", m.Title, usual(m))
		}
	}
	for _, note := range asides(t) {
		fmt.Fprintln(&b, note)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// HistoryHTML writes a trend as one page that needs nothing else and has no script.
func HistoryHTML(w io.Writer, t *trend.Trend) error {
	all := findings(t)
	p := historyPage{Style: style, Policy: stillPolicy, Title: "streamproof: history", Findings: all, Notes: asides(t)}
	p.Class, p.Head = trendHead(t, all)
	for i := range t.Scenarios {
		s := &t.Scenarios[i]
		v := trendView{ID: line(s.ID), Anchor: slug("t-" + s.ID), Note: trendNote(s)}
		for run, x := range s.Strip {
			mark := stripMarks[x]
			mark.Title = fmt.Sprintf("%s: %s", t.Runs[run].Name(), orWord(string(x), "not run"))
			v.Strip = append(v.Strip, mark)
		}
		for _, m := range s.Metrics {
			v.Series = append(v.Series, seriesOf(t, m))
		}
		p.Scenarios = append(p.Scenarios, v)
	}
	return p.write(w)
}

func orWord(s, other string) string {
	if s == "" {
		return other
	}
	return strings.ReplaceAll(s, "_", " ")
}

func seriesOf(t *trend.Trend, m trend.Metric) seriesView {
	v := seriesView{Class: "pass", Title: m.Title, Text: usual(m)}
	for _, c := range m.Steps {
		if c.Worse {
			v.Class = "fail"
		}
		v.Text += fmt.Sprintf("; %s since run %d", change(m, c), t.Runs[c.Run].ID)
	}
	if m.Drift != nil {
		v.Class = "inconclusive"
		v.Text += "; drifts " + change(m, *m.Drift)
	}
	v.SVG = seriesSVG(m, v.Text)
	return v
}

// Geometry of a series, in the units of its view box.
const (
	seriesWide = 360
	seriesHigh = 110
	seriesPad  = 8
)

// seriesSVG draws a dot a run, the usual range as a band, and a line at each step.
func seriesSVG(m trend.Metric, words string) template.HTML {
	low, high := m.Low, m.High
	for run, x := range m.Values {
		if !math.IsNaN(x) && !slices.Contains(m.Outliers, run) {
			low, high = min(low, x), max(high, x)
		}
	}
	if high <= low {
		high = low + 1e-9
	}
	x := func(run int) float64 {
		return seriesPad + float64(run)/float64(max(len(m.Values)-1, 1))*(seriesWide-2*seriesPad)
	}
	y := func(v float64) float64 {
		return seriesPad + (1-(min(max(v, low), high)-low)/(high-low))*(seriesHigh-2*seriesPad)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, seriesWide, seriesHigh,
		esc(m.Title+": "+words))
	fmt.Fprintf(&b, `<rect class="usual" x="0" y="%.1f" width="%d" height="%.1f"/>`, y(m.High), seriesWide,
		max(y(m.Low)-y(m.High), 1))
	for _, c := range m.Steps {
		fmt.Fprintf(&b, `<path class="step" d="M%.1f 0V%d"/>`, (x(c.Run)+x(c.After))/2, seriesHigh)
	}
	for run, v := range m.Values {
		if math.IsNaN(v) {
			continue
		}
		class := "dots"
		if slices.Contains(m.Outliers, run) {
			class = "odd"
		}
		fmt.Fprintf(&b, `<circle class="%s" cx="%.1f" cy="%.1f" r="3"/>`, class, x(run), y(v))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}
