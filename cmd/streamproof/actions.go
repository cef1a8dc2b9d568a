package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// underActions reports whether we are a step of GitHub Actions, which reads what we
// print for commands.
func underActions() bool { return os.Getenv("GITHUB_ACTIONS") == "true" }

// inActions shows a judged run where users of GitHub Actions look: its summary.md on
// the page of the job, and an annotation for each distinct cause, and for each scenario
// that did not pass without one.
func inActions(w io.Writer, dir string, report *verdict.Report) error {
	if !underActions() {
		return nil
	}
	run, err := record.Open(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	return errors.Join(summarise(os.Getenv("GITHUB_STEP_SUMMARY"), filepath.Join(dir, reports.MarkdownFile)),
		reports.Annotations(w, reports.Input{Run: run, Report: report}))
}

// summarise adds the file summary.md to that of the step, which other commands of the
// step may have written to. Without a step's file there is nothing to do.
func summarise(step, summary string) (err error) {
	if step == "" {
		return nil
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		return fmt.Errorf("read summary: %w", err)
	}
	f, err := os.OpenFile(step, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("write the job's summary: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Close())
}
