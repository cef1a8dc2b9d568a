package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

const reportLong = `With one run folder, write its report.html again; without any, that of the run that
began last (runs/latest). With several, print them side by
side: outcomes, verdicts, and the time to the first event ('streamproof compare' tells whether
they differ). With --history FILE, draw the trend of the runs in it. None of these sets the
exit code: it is 0 when the report could be written.`

func reportCommand() *cobra.Command {
	var markdown bool
	var remembers string
	var export exportFlag
	cmd := &cobra.Command{
		Use:   "report [RUNDIR...]",
		Short: "Write the HTML report again, or show several runs side by side",
		Long:  reportLong,
		Example: "  streamproof report\n  streamproof report runs/20260301-101500-42\n  streamproof report " +
			"--markdown runs/before runs/after",
		Args:              takes(0, -1, ""),
		ValidArgsFunction: completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := export.only(remembers, args); err != nil {
				return err
			}
			switch {
			case remembers != "" && len(args) > 0:
				return &harness.UsageError{Place: args[0], Problem: "--history draws the runs of the history alone",
					Fix: "leave the folder out, or add it with 'streamproof history add'"}
			case markdown && len(args) < 2:
				return &harness.UsageError{Place: "--markdown", Problem: "it prints several runs side by side",
					Fix: "name two run folders or more; one run has its summary.md"}
			}
			if remembers != "" {
				return historyReport(cmd, remembers)
			}
			if len(args) == 0 {
				dir, err := namedRun(cmd.CommandPath(), nil)
				if err != nil {
					return err
				}
				args = []string{dir}
			}
			if err := export.check(args[0]); err != nil {
				return err
			}
			runs, err := openAll(args)
			if err != nil {
				return err
			}
			if len(runs) > 1 {
				return sideBySide(cmd.OutOrStdout(), runs, markdown)
			}
			path, err := runs[0].html()
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "report: "+path)
			return export.write(cmd.OutOrStdout(), runs[0].dir)
		},
	}
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print several runs as a Markdown table")
	export.register(cmd.Flags())
	cmd.Flags().StringVar(&remembers, "history", "",
		"draw what changed over the runs of the history `FILE`, as a page beside it")
	if err := cmd.RegisterFlagCompletionFunc("history", files("db")); err != nil {
		panic(err) // the flag was just added
	}
	return cmd
}

// A stored run and today's judgement on it.
type stored struct {
	dir string
	reports.Input
	// firsts are the delays of the first events, by scenario, of complete streams
	// outside of the fault's way.
	firsts map[string][]time.Duration
}

func openAll(dirs []string) ([]stored, error) {
	var all []stored
	for _, dir := range dirs {
		if err := holdsRun(dir); err != nil {
			return nil, err
		}
		s := stored{dir: dir, firsts: map[string][]time.Duration{}}
		in, err := scenarios.Read(dir, s.measure)
		if err != nil {
			return nil, err
		}
		s.Input = in
		all = append(all, s)
	}
	return all, nil
}

// html replaces the run's report.html, and leaves the old one where that fails.
func (s *stored) html() (string, error) {
	var b bytes.Buffer
	if err := reports.HTML(&b, s.Input); err != nil {
		return "", fmt.Errorf("render report: %w", err)
	}
	path := filepath.Join(s.dir, reports.HTMLFile)
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("write report: %w", err)
	}
	return path, nil
}
