package history

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"
)

// WriteJSON writes rows as a JSON array.
func WriteJSON(w io.Writer, rows []Row) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	if rows == nil {
		rows = []Row{}
	}
	return enc.Encode(rows)
}

// Columns are those of [WriteCSV]: one line for each scenario of each run.
var Columns = []string{"id", "started", "branch", "commit", "app_version", "app", "machine", "seed", "run_verdict",
	"scenario", "verdict", "streams", "untouched_judged", "untouched_complete", "hit_judged", "hit_complete",
	"first_cause",
	"first_event_p50_s", "first_event_p95_s", "gap_p50_s", "gap_p95_s", "tokens_per_second_p50", "recovery_s"}

// WriteCSV writes rows as RFC 4180 CSV with a header.
func WriteCSV(w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return err
	}
	for _, r := range rows {
		for _, s := range r.Scenarios {
			cause := ""
			if len(s.Causes) > 0 {
				cause = s.Causes[0]
			}
			first, gap := s.Metrics[FirstEvent], s.Metrics[Gap]
			line := []string{fmt.Sprint(r.ID), r.Started.UTC().Format(time.RFC3339), r.Branch, r.Commit, r.AppVersion, r.App,
				r.Machine.Fingerprint(), fmt.Sprint(r.Seed), string(r.Verdict), s.ID, string(s.Verdict), fmt.Sprint(s.Started),
				fmt.Sprint(s.Untouched.Judged), fmt.Sprint(s.Untouched.Complete), fmt.Sprint(s.Hit.Judged),
				fmt.Sprint(s.Hit.Complete),
				cause, number(first.P50), number(first.P95), number(gap.P50), number(gap.P95),
				number(s.Metrics[TokensPerSecond].P50), number(s.Metrics[Recovery].P50)}
			for i, cell := range line {
				line[i] = harmless(cell)
			}
			if err := out.Write(line); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking a cell for a formula.
func harmless(cell string) string {
	if cell != "" && (cell[0] == '=' || cell[0] == '+' || cell[0] == '@' || cell[0] == '-') {
		return "'" + cell
	}
	return cell
}

// number is empty for what was not measured.
func number(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
