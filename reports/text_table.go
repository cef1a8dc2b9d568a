package reports

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

var columns = []string{"scenario", "verdict", "streams", "outcomes", "why"}

func (t *text) rows() [][]string {
	var rows [][]string
	for _, s := range worstFirst(t.scenarios()) {
		rows = append(rows, []string{s.ID, t.badge(s.Verdict), thousands(s.Started), tally(s.Outcomes), brief(s)})
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
	for _, r := range rows {
		for col := range r {
			r[col] = strings.Join(Wrap(r[col], "", widths[col]-2), "\n")
		}
	}
	style := func(row, col int) lipgloss.Style {
		cell := t.plain.Padding(0, 1).Width(widths[col])
		if row == table.HeaderRow {
			return t.faint.Padding(0, 1).Width(widths[col])
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
		t.para("    ", tally(s.Outcomes)+"; "+brief(s))
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
