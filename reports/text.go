package reports

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/lipgloss/table"

	"github.com/streamproof/streamproof/harness/verdict"
)

// evidenceLines bounds what the text shows of one cause; the HTML report shows
// all.
const evidenceLines = 5

// Text writes the report for a terminal, or plain lines where w is none.
func Text(w io.Writer, in Input) error { return TextOn(ScreenOf(w))(w, in) }

// TextOn returns the text reporter for a given screen: the verdict, one table,
// and for what did not pass the open checks and the causes with their fix.
func TextOn(screen Screen) Reporter {
	return func(w io.Writer, in Input) error {
		in, _ = in.safe()
		t := &text{Input: in, screen: screen, inks: screen.inks(w)}
		t.head()
		t.table()
		for _, s := range worstFirst(in.scenarios()) {
			t.scenario(s)
		}
		t.foot()
		_, err := io.WriteString(w, t.String())
		return err
	}
}

type text struct {
	strings.Builder
	Input
	screen Screen
	inks
}

func (t *text) head() {
	r := t.Report
	fmt.Fprintf(t, "%s  %s\n", t.badge(r.Verdict), t.bold.Render(headline(t.Input)))
	fmt.Fprintln(t, t.faint.Render(about(t.Input)))
	if !r.Complete {
		fmt.Fprintf(t, "%s %s\n", t.yellow.Render("incomplete record:"), notWhole(t.run()))
	}
	fmt.Fprintln(t)
}

// about is one line on what was tested.
func about(in Input) string {
	p := in.run().Plan
	var parts []string
	for _, part := range []string{p.App, p.Stack, p.Dialect} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	parts = append(parts, count(in.Report.Started, "stream")+": "+tally(in.Report.Outcomes), fmt.Sprintf("seed %d", in.Report.Seed))
	if d := in.lasted(); d > 0 {
		parts = append(parts, short(d))
	}
	return strings.Join(parts, " · ")
}

func (t *text) ink(v verdict.Verdict) lipgloss.Style {
	switch v {
	case verdict.Fail:
		return t.red
	case verdict.Pass:
		return t.green
	default:
		return t.yellow
	}
}

// glyph differs in shape, for those who do not see the colour.
func glyph(v verdict.Verdict) string {
	switch v {
	case verdict.Fail:
		return "✗"
	case verdict.Pass:
		return "✓"
	default:
		return "?"
	}
}

func (t *text) badge(v verdict.Verdict) string {
	if !t.screen.Terminal {
		return shout(v)
	}
	return t.ink(v).Render(glyph(v) + " " + shout(v))
}

var columns = []string{"scenario", "verdict", "streams", "outcomes", "why"}

func (t *text) rows() [][]string {
	var rows [][]string
	for _, s := range worstFirst(t.scenarios()) {
		rows = append(rows, []string{s.ID, t.badge(s.Verdict), thousands(s.Started), tally(s.Outcomes), s.Why})
	}
	return rows
}

// narrow is the width in columns below which a table is no help.
const narrow = 76

func (t *text) table() {
	switch {
	case !t.screen.Terminal:
		t.lines()
	case t.screen.width() < narrow:
		t.stacked()
	default:
		t.boxed()
	}
}

// boxed is the table for a terminal. Verdicts and counts never wrap; outcomes and
// reasons share what they leave.
func (t *text) boxed() {
	rows := t.rows()
	widths := [5]int{0, 18, 11, 0, 0}
	for _, r := range rows {
		widths[0] = max(widths[0], min(lipgloss.Width(r[0])+2, 26), len(columns[0])+2)
	}
	rest := t.screen.width() - widths[0] - widths[1] - widths[2] - len(columns) - 1
	widths[3] = min(rest*2/5, 44)
	widths[4] = rest - widths[3]
	style := func(row, col int) lipgloss.Style {
		cell := t.plain.Padding(0, 1).Width(widths[col])
		if row == table.HeaderRow {
			return cell.Faint(true)
		}
		if col == 2 {
			return cell.Align(lipgloss.Right)
		}
		return cell
	}
	fmt.Fprintln(t, table.New().Border(lipgloss.RoundedBorder()).BorderStyle(t.faint).
		StyleFunc(style).Headers(columns...).Rows(rows...))
}

// stacked is the table for a small window: two lines a scenario.
func (t *text) stacked() {
	for _, s := range worstFirst(t.scenarios()) {
		fmt.Fprintf(t, "%s  %s\n", t.badge(s.Verdict), t.bold.Render(s.ID))
		t.para("    ", tally(s.Outcomes)+": "+s.Why)
	}
}

// lines is the table for a log file: a line a scenario, to be found with grep.
func (t *text) lines() {
	tw := tabwriter.NewWriter(t, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(columns, "\t"))
	for _, r := range t.rows() {
		fmt.Fprintln(tw, strings.Join(r, "\t"))
	}
	tw.Flush()
}

// scenario says what a scenario that did not pass is about. A pass is silent,
// unless it comes with causes or doubts.
func (t *text) scenario(s verdict.ScenarioReport) {
	bad := open(s.Checks)
	if s.Verdict == verdict.Pass && len(bad) == 0 && len(s.Causes) == 0 && len(s.Doubts) == 0 {
		return
	}
	fmt.Fprintf(t, "\n%s\n", t.bold.Render(s.ID))
	settle, rest := doubts(s)
	for _, c := range bad {
		t.item(t.badge(c.Verdict)+" "+c.Name, c.Why)
		t.settle(settle[c.Name])
	}
	for i, c := range s.Causes {
		t.cause(i, c)
	}
	for _, d := range rest {
		t.item("doubt: "+d.About, d.Why)
		t.settle(d.Settle)
	}
}

func (t *text) cause(i int, c verdict.Cause) {
	title := "cause"
	if i > 0 {
		title = "or"
	}
	t.item(fmt.Sprintf("%s: %s", title, t.bold.Render(c.Cause)), causeLine(c))
	if c.Summary != "" {
		t.para("    ", c.Summary)
	}
	for _, e := range c.Evidence[:min(len(c.Evidence), evidenceLines)] {
		t.para("    - ", e)
	}
	if n := len(c.Evidence) - evidenceLines; n > 0 {
		t.para("    - ", fmt.Sprintf("and %d more in the HTML report", n))
	}
	for _, r := range c.RuledOut {
		t.para("    ruled out: ", r)
	}
	if c.Fix != "" {
		fmt.Fprintln(t, t.green.Render("    fix:"))
		fmt.Fprintln(t, "      "+strings.ReplaceAll(c.Fix, "\n", "\n      "))
	}
	t.settle(c.Settle)
}

func (t *text) settle(s string) {
	if s != "" {
		t.para("    to settle it: ", s)
	}
}

// item writes a name and what there is to say about it.
func (t *text) item(name, what string) {
	if what == "" {
		fmt.Fprintf(t, "  %s\n", name)
		return
	}
	indent := strings.Repeat(" ", 2+lipgloss.Width(name)+2)
	if len(indent) > t.screen.width()/2 {
		fmt.Fprintf(t, "  %s\n", name)
		t.para("    ", what)
		return
	}
	first := strings.TrimLeft(t.wrap(indent, what), " ")
	fmt.Fprintf(t, "  %s  %s\n", name, first)
}

// para writes a paragraph behind a mark, with its further lines under the text.
func (t *text) para(mark, what string) {
	indent := strings.Repeat(" ", lipgloss.Width(mark))
	fmt.Fprintln(t, mark+strings.TrimPrefix(t.wrap(indent, what), indent))
}

// wrap breaks lines on a terminal. In a file a line stays whole, so that grep
// finds it.
func (t *text) wrap(indent, what string) string {
	if !t.screen.Terminal {
		return indent + what
	}
	width := max(t.screen.width()-len(indent), 20)
	lines := strings.Split(t.plain.Width(width).Render(what), "\n")
	for i, l := range lines {
		lines[i] = indent + strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func (t *text) foot() {
	if t.Report.Repro != "" {
		fmt.Fprintf(t, "\nrepeat: %s\n", t.Report.Repro)
	}
}
