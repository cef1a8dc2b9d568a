package reports

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A page is what the templates of the HTML report read.
type page struct {
	Style    template.CSS
	Script   template.JS
	Policy   string
	Title    string
	Verdict  verdictView
	Headline string
	Meaning  string
	Warnings []string
	Edges    []string // what each edge does to cut streams
	EdgeFold bool     // nothing was cut: the edges are a footnote
	Causes   []causeView
	Facts    []fact
	Bar      bar
	Open     []openCheck // what did not pass, worst first
	OpenLeft int         // beyond those shown
	Sections []*section  // scenarios, worst first
	Matrix   matrix
	Time     timeTable
	Plan     []fact
	Request  string
	Repro    string
	Needs    string // of the environment, to repeat it
	Notes    []noteView
	Left     []string // what the report leaves out
}

// A verdictView is a verdict with its class, which names colour and shape.
type verdictView struct{ Class, Shout string }

func viewOf(v verdict.Verdict) verdictView {
	return verdictView{Class: string(orUnknown(v)), Shout: shout(v)}
}

// A fact is a name and a value.
type fact struct{ Name, Value string }

// An openCheck is one line of the list at the top.
type openCheck struct {
	Verdict              verdictView
	Scenario, Check, Why string
	Next                 *part // what to run or to do next
	Link                 string
	// Cause is the first cause found in its scenario, and stands at the first
	// check of a scenario only.
	Cause, Confidence, CauseLink string
}

type noteView struct {
	At, Scenario, Kind, Text string
	Next                     *part
}

// openShown bounds the list of open checks at the top of the page.
const openShown = 12

// A builder carries what the parts of a page share.
type builder struct {
	Input
	distinct   []distinct
	byScenario map[string][]row
	rows       *rowBudget
	left       omissions
	ids        map[string]bool
}

func newPage(in Input, shortened int) *page {
	b := &builder{Input: in, byScenario: map[string][]row{}, ids: map[string]bool{}}
	if b.Scopes == nil {
		b.Scopes = verdict.Scopes(in.run())
	}
	for _, s := range b.Scopes {
		b.byScenario[line(s.Scenario.ID)] = s.Streams
	}
	all := worstFirst(in.scenarios())
	b.rows = shareRows(b, all)
	b.distinct = distinctCauses(in)
	for i := range b.distinct {
		b.ids[topAnchor(i)] = true
	}
	p := &page{
		Style: style, Script: script, Policy: policy,
		Title:    "streamproof: " + shout(in.Report.Verdict),
		Verdict:  viewOf(in.Report.Verdict),
		Headline: headline(in), Meaning: meaning(in.Report),
		Facts: topFacts(in), Bar: barOf(in.Report.Outcomes),
		Plan: planFacts(in), Repro: in.Report.Repro, Needs: needed(in.Report.Repro),
		Request: request(in.run().Plan.Request),
		Notes:   notes(in.run()), Edges: edgeLines(in), EdgeFold: !cut(in.Report),
	}
	if !in.Report.Complete {
		p.Warnings = append(p.Warnings, "Incomplete record: "+notWhole(in.run())+".")
	}
	for _, s := range all {
		p.Sections = append(p.Sections, b.section(s))
	}
	p.Causes = b.topCauses(p.Sections)
	p.Open, p.OpenLeft = openChecks(p.Sections)
	sayOnce(p.Open, p.Sections)
	p.Matrix, p.Time = matrixOf(p.Sections), timeOf(in)
	p.Left = b.left.lines(in, shortened)
	return p
}

// openChecks collects the checks that did not pass from all scenarios. A scenario
// that is not well although all its checks are stands there itself.
func openChecks(sections []*section) (shown []openCheck, left int) {
	for _, s := range sections {
		if joined(shown, s) || s.Verdict.Class == string(verdict.NotApplicable) {
			continue
		}
		n := len(shown)
		for _, c := range s.OpenChecks {
			shown = append(shown, openCheck{Verdict: c.Verdict, Scenario: s.ID, Check: c.Label, Why: c.Why, Next: c.Next,
				Link: "#" + c.Anchor})
		}
		if len(shown) == n && s.Verdict.Class != string(verdict.Pass) {
			shown = append(shown, openCheck{Verdict: s.Verdict, Scenario: s.ID, Why: s.Why, Link: "#" + s.Anchor})
		}
		if len(shown) > n && len(s.Causes) > 0 {
			c := s.Causes[0]
			shown[n].Cause, shown[n].Confidence, shown[n].CauseLink = c.Cause, cmp.Or(c.Confidence, "possible"),
				"#"+cmp.Or(c.Above, c.Anchor)
		}
	}
	slices.SortStableFunc(shown, func(a, b openCheck) int {
		return rank(verdict.Verdict(a.Verdict.Class)) - rank(verdict.Verdict(b.Verdict.Class))
	})
	if len(shown) > openShown {
		left = len(shown) - openShown
		shown = shown[:openShown]
	}
	return shown, left
}

// joined adds a scenario that could not be played to the line of an earlier one
// that could not for the same reason.
func joined(shown []openCheck, s *section) bool {
	if !s.unable || len(s.OpenChecks) != 1 {
		return false
	}
	c := s.OpenChecks[0]
	i := slices.IndexFunc(shown, func(o openCheck) bool { return o.Check == c.Label && o.Why == c.Why })
	if i >= 0 {
		shown[i].Scenario += ", " + s.ID
	}
	return i >= 0
}

// sayOnce leaves in the sections only those open checks that have more to say
// than the list at the top does.
func sayOnce(shown []openCheck, sections []*section) {
	said := map[string]bool{}
	for _, o := range shown {
		said[o.Link] = true
	}
	for _, s := range sections {
		s.OpenChecks = slices.DeleteFunc(s.OpenChecks, func(c checkView) bool { return said["#"+c.Anchor] })
	}
}

// anchor makes an identifier for links that no other part of the page has.
func (b *builder) anchor(parts ...string) string {
	id := slug(strings.Join(parts, "--"))
	for n, base := 2, id; b.ids[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	b.ids[id] = true
	return id
}

func slug(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
}

// stamp is a moment of the run, or a dash.
func stamp(at time.Duration) string {
	if at < 0 {
		return "–"
	}
	return fmt.Sprintf("%.3f s", at.Seconds())
}
