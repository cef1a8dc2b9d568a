package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/history"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// defaultHistory is the history of runs that are kept in [runsFolder].
const defaultHistory = runsFolder + "/history.db"

const historyLong = `A history is one file to which 'streamproof run --history FILE' adds what each run came to: version, commit,
branch, machine, seed, verdicts, outcomes, causes and the histograms of first event, gaps, tokens/s and recovery.
Several runs may add to one at the same time. Of a damaged file every run that can be read is shown, and
the damage is named; the next run that is added puts the damaged file aside and keeps what could be read.`

func historyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List, add, prune or export the runs stored in a history file",
		Long:  historyLong,
		Args:  knownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(historyList(), historyAdd(), historyPrune(), historyExport())
	return cmd
}

// historyFlag adds --history to a command that reads one.
func historyFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "history", defaultHistory, "read the history `FILE`")
	if err := cmd.RegisterFlagCompletionFunc("history", files("db")); err != nil {
		panic(err) // the flag was just added
	}
}

func historyList() *cobra.Command {
	var file, branch string
	var last config.Count
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List runs, oldest first",
		Example: "  streamproof history list --branch main --last 30",
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			rows, err := remembered(cmd, file, history.Query{Branch: branch, Last: int(last)})
			if err != nil {
				return err
			}
			return listRows(cmd.OutOrStdout(), rows)
		},
	}
	historyFlag(cmd, &file)
	cmd.Flags().StringVar(&branch, "branch", "", "only runs of the branch `NAME`")
	cmd.Flags().Var(&last, "last", "only the newest `N` runs")
	return cmd
}

func listRows(w io.Writer, rows []history.Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "run\tstarted\tbranch\tcommit\tverdict\tscenarios\tstreams\tmachine\tfolder")
	for _, r := range rows {
		failed := 0
		for _, s := range r.Scenarios {
			if s.Verdict == verdict.Fail {
				failed++
			}
		}
		of := fmt.Sprint(len(r.Scenarios))
		if failed > 0 {
			of += fmt.Sprintf(" (%d failed)", failed)
		}
		fmt.Fprintf(tw, "#%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			r.ID, r.Started.Local().Format("2006-01-02 15:04"), dash(r.Branch), dash(history.Short(r.Commit)),
			r.Verdict, of, r.Streams, r.Machine.Fingerprint(), plain(r.Dir))
	}
	return tw.Flush()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return plain(s)
}

const historyAddLong = `Add stored runs to a history, in the order in which they are named: runs that were made without --history, or
that a full disk kept out of it. A run that is in the history already is not added again. The history is made where
there is none.`

func historyAdd() *cobra.Command {
	var entry historyEntry
	cmd := &cobra.Command{
		Use:     "add RUNDIR...",
		Short:   "Add stored runs",
		Long:    historyAddLong,
		Example: "  streamproof history add runs/latest --branch main --commit 3f2a91c",
		Args:    takes(1, -1, "a run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, dir := range args {
				if err := holdsRun(dir); err != nil {
					return err
				}
			}
			if err := entry.check(); err != nil {
				return err
			}
			for _, dir := range args {
				if err := entry.addStored(cmd.ErrOrStderr(), dir); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.ValidArgsFunction = completeRuns
	fs := cmd.Flags()
	fs.StringVar(&entry.file, "history", defaultHistory, "add to the history `FILE`")
	fs.StringVar(&entry.version, "app-version", "", "the version of the app in these runs, `NAME`")
	fs.StringVar(&entry.commit, "commit", "", "the app's commit, `ID`")
	fs.StringVar(&entry.branch, "branch", "", "the app's branch, `NAME`")
	if err := cmd.RegisterFlagCompletionFunc("history", files("db")); err != nil {
		panic(err) // the flag was just added
	}
	return cmd
}

func historyPrune() *cobra.Command {
	var file, branch, older string
	var keep config.Count
	cmd := &cobra.Command{
		Use:     "prune",
		Short:   "Remove old runs from the history; run folders stay",
		Example: "  streamproof history prune --keep 90\n  streamproof history prune --older-than 180d --branch feature/x",
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if keep == 0 && older == "" {
				return &harness.UsageError{Place: cmd.CommandPath(), Problem: "nothing says which runs go",
					Fix: "add --keep N or --older-than 90d"}
			}
			age, err := days(older)
			if err != nil {
				return err
			}
			db, err := openHistory(file)
			if err != nil {
				return err
			}
			defer db.Close()
			rows, err := db.Rows(history.Query{Branch: branch})
			if err != nil {
				return err
			}
			newest := rows[max(0, len(rows)-int(keep)):]
			among := func(list []history.Row, r history.Row) bool {
				return slices.ContainsFunc(list, func(o history.Row) bool { return o.ID == r.ID })
			}
			n, err := db.Prune(func(r history.Row) bool {
				return !among(rows, r) || // it was added since
					branch != "" && r.Branch != branch || keep > 0 && among(newest, r) || older != "" && time.Since(r.Started) < age
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "removed %s, %d left\n", plural.Of(n, "run"), len(rows)-n)
			return nil
		},
	}
	historyFlag(cmd, &file)
	cmd.Flags().Var(&keep, "keep", "keep the newest `N` runs")
	cmd.Flags().StringVar(&older, "older-than", "", "keep runs that are younger than this `TIME`, such as 90d or 12h")
	cmd.Flags().StringVar(&branch, "branch", "", "remove runs of the branch `NAME` only")
	return cmd
}

// mostDays is how many days a time.Duration holds.
const mostDays = int(math.MaxInt64 / (24 * time.Hour))

// days reads a duration in which days may stand.
func days(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	var n int
	if _, err := fmt.Sscanf(s, "%dd", &n); err == nil && s == fmt.Sprintf("%dd", n) && n > 0 && n <= mostDays {
		return time.Duration(n) * 24 * time.Hour, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, &harness.UsageError{Place: "--older-than", Problem: fmt.Sprintf("no time in %q", s),
		Fix: "write a time such as 90d or 12h"}
}

func historyExport() *cobra.Command {
	var file, format, branch string
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Print all runs as JSON or CSV",
		Example: "  streamproof history export --format csv > runs.csv",
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			write := history.WriteJSON
			switch format {
			case "json":
			case "csv":
				write = history.WriteCSV
			default:
				return &harness.UsageError{Place: "--format", Problem: fmt.Sprintf("unknown format %q", format),
					Fix: config.Suggest(format, []string{"json", "csv"})}
			}
			rows, err := remembered(cmd, file, history.Query{Branch: branch})
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), rows)
		},
	}
	historyFlag(cmd, &file)
	cmd.Flags().StringVar(&format, "format", "json",
		"print as `FORMAT`: json, or csv with one line for each scenario of each run")
	cmd.Flags().StringVar(&branch, "branch", "", "only runs of the branch `NAME`")
	formats := choices(func() []string { return []string{"json", "csv"} })
	if err := cmd.RegisterFlagCompletionFunc("format", formats); err != nil {
		panic(err) // the flag was just added
	}
	return cmd
}

// openHistory opens a history that must be there; what is wrong with the file is the
// user's to mend.
func openHistory(file string) (*history.DB, error) {
	db, err := history.OpenExisting(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &harness.UsageError{Place: file, Problem: "there is no history",
			Fix: "make one with: streamproof run --history " + quote(file) + ", or name it with --history FILE"}
	}
	return db, historyError(file, err)
}

// historyError makes bad input of a file that cannot be used.
func historyError(file string, err error) error {
	var newer *history.NewerError
	var foreign *history.ForeignError
	switch {
	case errors.As(err, &newer):
		problem := fmt.Sprintf("the history was written by a newer streamproof (schema %d, this one reads up to %d)",
			newer.Schema, history.Schema)
		return &harness.UsageError{Place: file, Problem: problem, Fix: "update streamproof, or name another file"}
	case errors.As(err, &foreign):
		return &harness.UsageError{Place: file, Problem: "not a history of streamproof: " + foreign.What,
			Fix: "name another file"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return &harness.UsageError{Place: file, Problem: "the history cannot be read: " + harness.Reason(err),
			Fix: "name a file that this user can read and write"}
	}
	return err
}

// remembered reads rows, and names on stderr the damage that hides others.
func remembered(cmd *cobra.Command, file string, q history.Query) ([]history.Row, error) {
	db, err := openHistory(file)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.Rows(q)
	var damage *history.Damage
	if errors.As(err, &damage) {
		complain(cmd.ErrOrStderr(), damage.Error())
		err = nil
	}
	return rows, err
}

// A historyEntry says what is written of a run into a history.
type historyEntry struct {
	file, version, commit, branch string
}

// check refuses a file that cannot be added to, before anything starts.
func (r *historyEntry) check() error {
	if r.file == "" {
		return nil
	}
	db, err := history.Open(r.file)
	if err != nil {
		var usage *harness.UsageError
		if err = historyError(r.file, err); errors.As(err, &usage) {
			return err
		}
		return &harness.UsageError{Place: "--history", Problem: err.Error(), Fix: "name a file that can be written"}
	}
	return db.Close()
}

// add appends the run in dir, which was just made.
func (r *historyEntry) add(ctx context.Context, stderr io.Writer, dir string) error {
	if r.file == "" {
		return nil
	}
	row, err := rowOf(dir)
	if err != nil {
		return err
	}
	r.name(ctx, &row)
	if err := r.append(stderr, row); err != nil {
		return &notRemembered{err, dir, addLine(r.file, dir, &row)}
	}
	return nil
}

// notRemembered is the error of a run that is whole and could not be added to the history.
type notRemembered struct {
	err       error
	dir, line string // line adds it later
}

func (e *notRemembered) Error() string {
	return fmt.Sprintf("%v; the run is whole in %s: once that is fixed, enter", e.err, e.dir)
}

// Unwrap is why it could not be added.
func (e *notRemembered) Unwrap() error { return e.err }

// addLine adds the run in dir to a history as run itself would have. It names what the run knew of the app: what git
// says later is of another commit.
func addLine(file, dir string, row *history.Row) string {
	words := []string{"streamproof history add --history", quote(file)}
	for _, x := range [][2]string{{"--app-version", row.AppVersion}, {"--commit", row.Commit},
		{"--branch", row.Branch}} {
		if x[1] != "" {
			words = append(words, x[0], quote(x[1]))
		}
	}
	return strings.Join(append(words, quote(dir)), " ")
}

// addStored appends the run in dir unless it is there. What git says now is not what
// the run was made with.
func (r *historyEntry) addStored(stderr io.Writer, dir string) error {
	row, err := rowOf(dir)
	if err != nil {
		return err
	}
	row.AppVersion, row.Commit, row.Branch = r.version, r.commit, r.branch
	return r.append(stderr, row)
}

// append writes the row, unless the run is in the history. Damage that it found is told,
// and no error: the run is remembered.
func (r *historyEntry) append(stderr io.Writer, row history.Row) error {
	db, err := history.Open(r.file)
	if err != nil {
		return err
	}
	defer db.Close()
	id, added, err := db.AppendOnce(row)
	var damage *history.Damage
	if errors.As(err, &damage) {
		complain(stderr, damage.Error())
		err = nil
	}
	switch {
	case err != nil:
	case added:
		fmt.Fprintf(stderr, "history: #%d in %s\n", id, r.file)
	default:
		fmt.Fprintf(stderr, "history: %s is #%d in %s already\n", plain(row.Dir), id, r.file)
	}
	return err
}

// rowOf judges a stored run and makes its row.
func rowOf(dir string) (history.Row, error) {
	var c history.Collector
	in, err := scenarios.Read(dir, c.Add)
	if err != nil {
		return history.Row{}, err
	}
	row := c.Row(in.Run, in.Report)
	row.Dir = filepath.ToSlash(filepath.Clean(dir))
	return row, nil
}

// name fills in version, commit and branch: as the user says, as CI says, or as git does
// of the folder that we are in.
func (r *historyEntry) name(ctx context.Context, row *history.Row) {
	row.AppVersion = r.version
	row.Commit = firstOf(r.commit, os.Getenv("GITHUB_SHA"), os.Getenv("CI_COMMIT_SHA"),
		func() string { return git(ctx, "rev-parse", "HEAD") })
	ci := firstOf(os.Getenv("GITHUB_HEAD_REF"), os.Getenv("GITHUB_REF_NAME"), os.Getenv("CI_COMMIT_REF_NAME"), none)
	row.Branch = firstOf(r.branch, ci, "",
		func() string { return strings.TrimPrefix(git(ctx, "rev-parse", "--abbrev-ref", "HEAD"), "HEAD") })
}

func none() string { return "" }

func firstOf(a, b, c string, ask func() string) string {
	for _, s := range []string{a, b, c} {
		if s != "" {
			return s
		}
	}
	return ask()
}

// git is what git says in this folder, "" where it says nothing.
func git(ctx context.Context, args ...string) string {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "git", args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
