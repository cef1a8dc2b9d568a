package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

var compareColumns = []string{"scenario", "run", "verdict", "streams", "outcomes", "TTFE p50", "TTFE p90",
	"first cause"}

// sideBySide prints several runs side by side: a line for each run of each
// scenario, the runs of one scenario under one another, so that the eye compares
// down a column.
func sideBySide(w io.Writer, runs []stored, markdown bool) error {
	rows := compareRows(runs)
	if markdown {
		return markdownTable(w, compareColumns, rows)
	}
	return textTable(w, compareColumns, rows)
}

func compareRows(runs []stored) [][]string {
	var rows [][]string
	for _, id := range scenariosOf(runs) {
		for i := range runs {
			rows = append(rows, runs[i].row(id))
		}
	}
	return rows
}

// scenariosOf lists the scenarios of all runs in the order of their first
// appearance.
func scenariosOf(runs []stored) []string {
	var ids []string
	seen := map[string]bool{}
	for _, r := range runs {
		for _, s := range r.Report.Scenarios {
			if !seen[s.ID] {
				seen[s.ID] = true
				ids = append(ids, s.ID)
			}
		}
	}
	return ids
}

func (s *stored) row(id string) []string {
	name := filepath.Base(filepath.Clean(s.dir))
	for _, sc := range s.Report.Scenarios {
		if sc.ID == id {
			p50, p90 := s.firstEvents(id)
			return []string{id, name, string(sc.Verdict), fmt.Sprint(sc.Started), tally(sc.Outcomes), p50, p90, firstCause(sc)}
		}
	}
	return []string{id, name, "not run", "", "", "", "", ""}
}

// measure takes the first events of some scenarios.
func (s *stored) measure(scopes []verdict.Scope) {
	for _, scope := range scopes {
		id := scope.Scenario.ID
		for i := range scope.Streams {
			g := &scope.Streams[i]
			t, ok := verdict.TTFE(g.Stream)
			if ok && g.Grade.Outcome == verdict.Complete && g.Group != record.Victim && !scope.Run.Guests[g.Seq] {
				s.firsts[id] = append(s.firsts[id], t)
			}
		}
	}
}

// firstEvents are quantiles over [stored.firsts]. A quantile that so few streams
// cannot carry is a dash.
func (s *stored) firstEvents(id string) (p50, p90 string) {
	q := verdict.QuantilesOf(s.firsts[id])
	if q == nil {
		return "-", "-"
	}
	return milliseconds(q.P50), milliseconds(q.P90)
}

func milliseconds(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return strconv.FormatFloat(*seconds*1e3, 'f', 1, 64) + " ms"
}

func firstCause(sc verdict.ScenarioReport) string {
	if len(sc.Causes) == 0 {
		return ""
	}
	return sc.Causes[0].Cause
}

// tally reads "38 complete, 12 truncated".
func tally(n map[verdict.Outcome]int) string {
	var parts []string
	for _, o := range verdict.Outcomes {
		if n[o] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[o], o))
		}
	}
	return strings.Join(parts, ", ")
}

func textTable(w io.Writer, head []string, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, strings.Join(head, "\t"))
	for _, r := range rows {
		fmt.Fprintln(tw, strings.TrimRight(strings.Join(r, "\t"), "\t"))
	}
	return tw.Flush()
}

func markdownTable(w io.Writer, head []string, rows [][]string) error {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteByte('|')
		for _, c := range cells {
			b.WriteString(" " + strings.NewReplacer("|", `\|`, "\n", " ").Replace(c) + " |")
		}
		b.WriteByte('\n')
	}
	line(head)
	b.WriteString("|" + strings.Repeat(" --- |", len(head)) + "\n")
	for _, r := range rows {
		line(r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
