package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// A printer shows a judged run as text.
type printer struct {
	w              io.Writer
	quiet, noColor bool
}

func (p printer) print(dir string, report *verdict.Report) error {
	if p.quiet {
		fmt.Fprintf(p.w, "verdict: %s\n", report.Verdict)
		return nil
	}
	run, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	write := reports.TextOn
	if slices.ContainsFunc(run.Plan.Scenarios, func(s record.Scenario) bool { return s.Peel }) {
		write = reports.DiagnosisOn
	}
	shown := func(w io.Writer) error {
		return write(screenOf(p.w, p.noColor))(w, reports.Input{Run: run, Report: report})
	}
	if underActions() {
		return reports.Verbatim(p.w, shown)
	}
	return shown(p.w)
}
