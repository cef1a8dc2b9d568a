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
	asJSON         bool
}

func (p printer) print(dir string, report *verdict.Report) error {
	if p.quiet && !p.asJSON {
		fmt.Fprintf(p.w, "verdict: %s\n", report.Verdict)
		return nil
	}
	parts, err := record.OpenParts(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	defer parts.Close()
	run := parts.Run
	if p.asJSON {
		return reports.JSON(p.w, reports.Input{Run: run, Report: report})
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

// where says where something lies: behind the report, or, where stdout is JSON for
// a program, on stderr.
func (p printer) where(stderr io.Writer, line string) { fmt.Fprintln(p.aside(stderr), line) }

// aside is where such lines go.
func (p printer) aside(stderr io.Writer) io.Writer {
	if p.asJSON {
		return stderr
	}
	return p.w
}
