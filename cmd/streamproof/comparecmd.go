package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/compare"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/reports"
)

const compareLong = `Compare builds: B, C and so on with A. Each is a run folder, several with commas between them, or a name of
runs in the history:
  latest      the newest run; latest~1 is the one before it
  main        the runs of the newest commit of the branch main; main~1 those of the commit before
  3f2a91c     the runs of a commit; also a version of the app, or #12 for run 12

For each scenario it says of first event, gaps, tokens/s, recovery and outcomes whether they are worse, the same,
better, or whether there is too little to tell, and how many more runs would do. A false alarm anywhere in the table
has a chance of 5 % at most. Runs are independent of each other, so several runs of each side tell most. With few runs,
blocks of time are compared instead: each side needs 8, as a load of ten times --streams has (--streams 100 --count
1000). Single runs of one build differ by up to 10 % on a shared machine, and by more on a busy one: differences
smaller than that do not count. Scenarios whose loads differ are not compared, nor are the times of different machines
(--any-machine).`

func compareCommand() *cobra.Command {
	var file, format, failOn string
	var o compare.Options
	cmd := &cobra.Command{
		Use:   "compare A B [C...]",
		Short: "Tell whether a build does worse than another",
		Long:  compareLong,
		Example: "  streamproof compare runs/before runs/after\n" +
			"  streamproof compare main latest --fail-on worse\n" +
			"  streamproof compare main~1 main --format markdown",
		Args: takes(2, -1, "a second run"),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, err := comparisonFormat(format)
			if err != nil {
				return err
			}
			if failOn != "" && failOn != string(compare.Worse) {
				return &harness.UsageError{Place: "--fail-on", Problem: fmt.Sprintf("unknown result %q", failOn),
					Fix: "write --fail-on worse"}
			}
			all, err := comparisons(cmd, file, args, o)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), all); err != nil {
				return err
			}
			for _, r := range all {
				if failOn != "" && r.Count(compare.Worse) > 0 {
					return judged{exitFail}
				}
			}
			return nil
		},
		ValidArgsFunction: completeRuns,
	}
	historyFlag(cmd, &file)
	cmd.Flags().StringVar(&format, "format", "text", "print as `FORMAT`: text, markdown for a pull request, or html")
	cmd.Flags().StringVar(&failOn, "fail-on", "", "end with exit code 1 if a `RESULT` is found: worse")
	cmd.Flags().BoolVar(&o.AnyMachine, "any-machine", false, "also judge times that were measured on different machines")
	for name, list := range map[string][]string{"format": {"text", "markdown", "html"}, "fail-on": {"worse"}} {
		if err := cmd.RegisterFlagCompletionFunc(name, choices(func() []string { return list })); err != nil {
			panic(err) // the flag was just added
		}
	}
	return cmd
}

func comparisonFormat(name string) (func(io.Writer, []*compare.Result) error, error) {
	switch name {
	case "text":
		return reports.CompareText, nil
	case "markdown":
		return reports.CompareMarkdown, nil
	case "html":
		return reports.CompareHTML, nil
	}
	return nil, &harness.UsageError{Place: "--format", Problem: fmt.Sprintf("unknown format %q", name),
		Fix: config.Suggest(name, []string{"text", "markdown", "html"})}
}

// comparisons hold each side against the first. Sides of which nothing can be compared
// are bad input.
func comparisons(cmd *cobra.Command, file string, args []string, o compare.Options) (all []*compare.Result, err error) {
	var sides []compare.Side
	for _, name := range args {
		s, err := side(cmd, file, name)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	for _, r := range compare.All(sides[0], sides[1:], o) {
		if r.Count(compare.Unlike) == len(r.Rows) {
			why := "they have no scenario in common"
			if len(r.Rows) > 0 {
				why = r.Rows[0].Scenario + " has " + reports.Say(&r.Rows[0].Why[0])
			}
			return nil, &harness.UsageError{Place: sides[0].Name + " and " + r.B.Name,
				Problem: "cannot be compared: " + why, Fix: "name runs of the same load"}
		}
		all = append(all, r)
	}
	return all, nil
}

// side finds the runs that an argument means: folders first, then the history.
func side(cmd *cobra.Command, file, name string) (compare.Side, error) {
	s := compare.Side{Name: name}
	for _, part := range strings.Split(name, ",") {
		info, err := os.Stat(part)
		empty := holdsRun(part)
		if err == nil && info.IsDir() && (empty == nil || !inHistory(cmd, file, part)) {
			if empty != nil {
				return s, empty
			}
			row, err := rowOf(part)
			if err != nil {
				return s, err
			}
			s.Rows = append(s.Rows, row)
			continue
		}
		_, err = os.Stat(file)
		if err != nil || strings.ContainsRune(part, filepath.Separator) && !inHistory(cmd, file, part) {
			return s, &harness.UsageError{Place: part, Problem: "neither a run folder nor a run of the history " + file,
				Fix: "name a folder that 'streamproof run' wrote, or the history with --history FILE"}
		}
		rows, err := remembered(cmd, file, history.Query{})
		if err != nil {
			return s, err
		}
		found, err := history.Find(rows, part)
		var unknown *history.NameError
		if errors.As(err, &unknown) {
			return s, &harness.UsageError{Place: part, Problem: "no run in " + file + " is called so",
				Fix: config.Suggest(part, unknown.Have)}
		}
		s.Rows = append(s.Rows, found...)
	}
	return s, nil
}

func inHistory(cmd *cobra.Command, file, name string) bool {
	rows, err := remembered(cmd, file, history.Query{})
	if err != nil {
		return false
	}
	_, err = history.Find(rows, name)
	return err == nil
}
