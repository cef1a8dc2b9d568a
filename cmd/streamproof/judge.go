package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

const judgeLong = `Judge a stored run with the checks of this version, write its verdict files and
reports again, and end with the verdict. Runs that were interrupted or killed are
judged as far as their record goes. Without RUNDIR it is the run that began last,
runs/latest.`

func judgeCommand() *cobra.Command {
	var quiet, noColor, asJSON bool
	var export exportFlag
	var others team
	cmd := &cobra.Command{
		Use:               "judge [RUNDIR]",
		Short:             "Judge a stored run with today's checks",
		Long:              judgeLong + "\n\n" + exitCodes,
		Example:           "  streamproof judge\n  streamproof judge runs/20260301-101500-42",
		Args:              takes(0, 1, ""),
		ValidArgsFunction: completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := namedRun(cmd.CommandPath(), args)
			if err != nil {
				return err
			}
			if err := errors.Join(export.check(dir), others.checkMetrics()); err != nil {
				return err
			}
			report, err := scenarios.Judge(dir)
			if err != nil {
				return err
			}
			out := printer{cmd.OutOrStdout(), quiet, noColor, asJSON}
			if err := out.print(dir, report); err != nil && !unheard(err) {
				return err
			}
			aside := out.aside(cmd.ErrOrStderr())
			if err := export.write(aside, dir); err != nil {
				return err
			}
			if err := others.tell(cmd.Context(), aside, cmd.ErrOrStderr(), dir); err != nil {
				return err
			}
			out.where(cmd.ErrOrStderr(), "report: "+filepath.Join(dir, reports.HTMLFile))
			return endedBy(report)
		},
	}
	export.register(cmd.Flags())
	others.registerMetrics(cmd.Flags())
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print the verdict and the report's path only")
	cmd.Flags().BoolVar(&noColor, "no-color", false, "print without colours")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print verdict.json on stdout instead of the report")
	return cmd
}

// holdsRun refuses a folder without a plan.
func holdsRun(dir string) error {
	_, err := os.Stat(filepath.Join(dir, "plan.json"))
	if err == nil {
		return nil
	}
	return &harness.UsageError{Place: dir, Problem: "holds no run: " + harness.Reason(err) + " (plan.json)",
		Fix: "name a folder that 'streamproof run' wrote, such as runs/latest"}
}
