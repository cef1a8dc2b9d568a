package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/suite"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

// times are how long the scenarios of o took before, and who tells: the history, or else
// the run that began last. A source that cannot be read tells nothing: no run depends on
// it, and 'streamproof history' says what is wrong.
func (in *input) times(o *harness.Options) (suite.Times, string) {
	app, stack := o.App.String(), ""
	if opener, err := scenarios.Opener(o.App); err == nil {
		stack = opener.Kind()
	}
	full := map[string]bool{}
	for _, s := range o.Scenarios {
		full[s.ID] = s.FullLength
	}
	file := in.remember.file
	if file == "" {
		file = defaultHistory
	}
	if db, err := history.OpenExisting(file); err == nil {
		defer db.Close()
		rows, _ := db.Rows(history.Query{}) // what of a damaged file can be read
		if t := suite.TimesOf(rows, app, stack, full); len(t) > 0 {
			return t, filepath.ToSlash(file)
		}
	}
	last := filepath.Join(runsFolder, latestRun)
	if row, ok := lastRow(last); ok {
		return suite.TimesOf([]history.Row{row}, app, stack, full), filepath.ToSlash(last)
	}
	return nil, ""
}

// lastRow is as much of a run's row as its plan and verdict tell, without judging it.
func lastRow(dir string) (history.Row, bool) {
	var plan record.Plan
	var report verdict.Report
	for name, into := range map[string]any{"plan.json": &plan, reports.JSONFile: &report} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || json.Unmarshal(text, into) != nil {
			return history.Row{}, false
		}
	}
	row := history.Row{App: plan.App.String(), Stack: plan.Stack}
	full := map[string]bool{}
	for _, s := range plan.Scenarios {
		full[s.ID] = s.FullLength
	}
	for _, s := range report.Scenarios {
		if s.Took != nil {
			row.Scenarios = append(row.Scenarios, history.Scenario{ID: s.ID, Took: *s.Took, Full: full[s.ID]})
		}
	}
	return row, true
}
