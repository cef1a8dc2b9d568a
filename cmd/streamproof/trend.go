package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/trend"
	"github.com/streamproof/streamproof/reports"
)

const trendLong = `Read the history of runs: which scenario fails and since which run and commit, which one is flaky, which times have a
new level or drift, and what was an outage. Levels are told apart by E-divisive change-point detection at a
significance of 0.001, which takes 14 runs; changes of less than 5 % are not told. 'streamproof report --history' draws
the same as a page.`

func trendCommand() *cobra.Command {
	var file, branch string
	var last config.Count
	cmd := &cobra.Command{
		Use:     "trend",
		Short:   "Tell what changed over the runs of the history, and since when",
		Long:    trendLong,
		Example: "  streamproof trend --branch main --last 30",
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := remembered(cmd, file, history.Query{Branch: branch, Last: int(last)})
			if err != nil {
				return err
			}
			return reports.TrendText(cmd.OutOrStdout(), trend.Read(rows))
		},
	}
	historyFlag(cmd, &file)
	cmd.Flags().StringVar(&branch, "branch", "", "only runs of the branch `NAME`")
	cmd.Flags().Var(&last, "last", "only the newest `N` runs")
	return cmd
}

// historyReport writes the page of a history beside it.
func historyReport(cmd *cobra.Command, file string) error {
	rows, err := remembered(cmd, file, history.Query{})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := reports.HistoryHTML(&b, trend.Read(rows)); err != nil {
		return err
	}
	path := strings.TrimSuffix(file, filepath.Ext(file)) + ".html"
	if path == file { // the page must not replace the history
		path += ".html"
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	fmt.Fprintln(cmd.OutOrStdout(), "report: "+path)
	return nil
}
