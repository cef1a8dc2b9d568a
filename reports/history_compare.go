package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	comparing "github.com/streamproof/streamproof/harness/compare"
)

// A comparisonRow is one line of a comparison, in words.
type comparisonRow struct {
	Class                                      string // of the change, for the page
	Scenario, Metric, A, B, Change, Word, Note string
}

// comparisonRows words what a comparison found: what is worse first, what is the same
// last.
func comparisonRows(r *comparing.Result) (rows []comparisonRow) {
	order := []comparing.Change{
		comparing.Worse, comparing.Better, comparing.TooFew, comparing.Unlike, comparing.Same,
	}
	for _, c := range order {
		for _, row := range r.Rows {
			if row.Change == c {
				rows = append(rows, comparisonOf(row))
			}
		}
	}
	return rows
}

var changeClasses = map[comparing.Change]string{
	comparing.Worse:  "fail",
	comparing.Better: "pass",
	comparing.Same:   "pass",
	comparing.TooFew: "inconclusive",
	comparing.Unlike: "not_applicable",
}

func comparisonOf(r comparing.Row) comparisonRow {
	row := comparisonRow{
		Class: changeClasses[r.Change], Scenario: line(r.Scenario), Metric: r.Metric, Word: string(r.Change),
		A: estimate(r.A, r.Unit), B: estimate(r.B, r.Unit), Note: line(strings.Join(sayAll(r.Why), "; ")),
	}
	switch {
	case r.A.N == 0 || r.B.N == 0:
	case r.A.Center == 0 && r.Unit != "%":
		row.Change = "+" + quantity(r.B.Center, r.Unit)
	case r.Unit == "%":
		row.Change = fmt.Sprintf("%+.1f points", 100*r.Delta)
	default:
		row.Change = fmt.Sprintf("%+.0f %%", 100*r.Delta)
	}
	if r.P < 1 {
		note := fmt.Sprintf("p = %.2g", r.P)
		if r.P < 0.001 {
			note = "p < 0.001"
		}
		if r.Unit != "%" {
			note += fmt.Sprintf(", effect %+.2f", r.Effect)
		} else if r.Effect > 0 {
			note += fmt.Sprintf(", odds × %s", three(r.Effect))
		}
		row.Note = strings.TrimSuffix(note+", by "+r.Basis+"; "+row.Note, "; ")
	}
	return row
}

// estimate reads "204 ms [198, 211]", or "2.0 % (10 of 500)".
func estimate(e comparing.Estimate, unit string) string {
	if e.N == 0 {
		return "–"
	}
	if unit == "%" {
		return fmt.Sprintf("%.1f %% (%s of %s)", 100*e.Center, thousands(e.Touched), thousands(e.Streams))
	}
	text := quantity(e.Center, unit)
	if !math.IsInf(e.Lo, 0) && !math.IsInf(e.Hi, 0) && e.N > 1 {
		text += fmt.Sprintf(" [%s to %s]", quantity(e.Lo, unit), quantity(e.Hi, unit))
	}
	return text
}

func quantity(x float64, unit string) string {
	if unit == "s" {
		return short(seconds(x))
	}
	return three(x) + unit
}

// comparisonTitle reads "B is worse than A in 2 of 12 figures".
func comparisonTitle(r *comparing.Result) string {
	a, b := line(r.A.Name), line(r.B.Name)
	worse, better := r.Count(comparing.Worse), r.Count(comparing.Better)
	few, unlike := r.Count(comparing.TooFew), r.Count(comparing.Unlike)
	of := fmt.Sprintf(" in %d of %s", worse, count(len(r.Rows), "figure"))
	switch {
	case worse > 0:
		return b + " is worse than " + a + of
	case len(r.Rows) == unlike:
		return b + " cannot be compared with " + a
	case few > 0:
		return fmt.Sprintf("nothing shows that %s is worse than %s; %s cannot be told yet", b, a, count(few, "figure"))
	case unlike > 0:
		return fmt.Sprintf("nothing shows that %s is worse than %s; %s cannot be compared", b, a, count(unlike, "figure"))
	case better > 0:
		return fmt.Sprintf("%s is better than %s in %d of %s, and worse in none", b, a, better, count(len(r.Rows), "figure"))
	}
	return b + " does as well as " + a
}

// comparisonNotes are what qualifies the whole comparison.
func comparisonNotes(r *comparing.Result) []string {
	a, b := count(len(r.A.Rows), "run"), count(len(r.B.Rows), "run")
	notes := []string{fmt.Sprintf("%s: %s; %s: %s.", line(r.A.Name), a, line(r.B.Name), b)}
	for _, text := range sayAll(slices.Concat(r.Warnings, r.Only)) {
		notes = append(notes, line(text)+".")
	}
	return append(notes, fmt.Sprintf("Medians with 95 %% intervals; "+
		"the chance of a false alarm in the whole table is at most %.0f %% (Holm).", 100*comparing.Alpha))
}

var comparisonColumns = []string{"scenario", "figure", "before", "after", "change", "result", "because"}

func (r comparisonRow) cells() []string {
	return []string{r.Scenario, r.Metric, r.A, r.B, r.Change, r.Word, r.Note}
}

// CompareText writes comparisons with one first side as a table of plain text.
func CompareText(w io.Writer, all []*comparing.Result) error {
	var b bytes.Buffer
	for i, r := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\n\n", comparisonTitle(r))
		tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, strings.Join(comparisonColumns, "\t"))
		for _, row := range comparisonRows(r) {
			fmt.Fprintln(tw, strings.Join(row.cells(), "\t"))
		}
		tw.Flush() // into memory
		b.WriteByte('\n')
		for _, note := range comparisonNotes(r) {
			fmt.Fprintln(&b, note)
		}
	}
	for l := range strings.Lines(b.String()) {
		if _, err := io.WriteString(w, strings.TrimRight(l, " \n")+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// CompareMarkdown writes comparisons for a pull request.
func CompareMarkdown(w io.Writer, all []*comparing.Result) error {
	var b bytes.Buffer
	for _, r := range all {
		fmt.Fprintf(&b, "### streamproof: %s\n\n", md(comparisonTitle(r)))
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(comparisonColumns, " | "),
			strings.Repeat(" --- |", len(comparisonColumns)))
		for _, row := range comparisonRows(r) {
			cells := row.cells()
			for i, c := range cells {
				cells[i] = strings.ReplaceAll(md(c), "|", `\|`)
			}
			if row.Word == string(comparing.Worse) {
				cells[5] = "**" + cells[5] + "**"
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteByte('\n')
		for _, note := range comparisonNotes(r) {
			fmt.Fprintf(&b, "%s  \n", md(note))
		}
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}

// A historyPage is what the templates of pages over several runs read.
type historyPage struct {
	Style       template.CSS
	Policy      string
	Title       string
	Head        string
	Class       string
	Notes       []string
	Comparisons []comparisonView
	Columns     []string
	Findings    []findingView
	Scenarios   []trendView
}

type comparisonView struct {
	Title, Class string
	Rows         []comparisonRow
	Notes        []string
}

// CompareHTML writes comparisons as one page that needs nothing else and has no script.
func CompareHTML(w io.Writer, all []*comparing.Result) error {
	p := historyPage{Style: style, Policy: stillPolicy, Title: "streamproof: comparison", Class: "pass",
		Columns: comparisonColumns}
	for _, r := range all {
		v := comparisonView{Title: comparisonTitle(r), Class: "pass", Rows: comparisonRows(r), Notes: comparisonNotes(r)}
		if r.Count(comparing.Worse) > 0 {
			v.Class, p.Class = "fail", "fail"
		}
		p.Comparisons = append(p.Comparisons, v)
	}
	p.Head = p.Comparisons[0].Title
	return p.write(w)
}

// stillPolicy lets a page show itself and nothing else.
const stillPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

func (p historyPage) write(w io.Writer) error {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "history.tmpl", p); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
