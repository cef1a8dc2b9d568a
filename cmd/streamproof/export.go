package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports/rows"
)

// exportAlone is --export without a target: streams.jsonl in the run folder.
const exportAlone = "jsonl"

// An exportFlag says where the rows of a run go; "" for nowhere.
type exportFlag struct{ target string }

func (e *exportFlag) register(fs *pflag.FlagSet) {
	fs.StringVar(&e.target, "export", "", "write rows of streams, events and faults to `FILE` (.csv or .parquet, "+
		"beside it FILE.events and FILE.faults), or into a folder, as --export=DIR; .jsonl holds streams alone")
	fs.Lookup("export").NoOptDefVal = exportAlone
}

// exported joins --export and the file behind it. A flag that may stand alone takes its
// value only behind "=", but what ends like a table is meant as one: neither a URL nor a
// run folder does.
func exported(args []string) []string {
	args = slices.Clone(args)
	for i := 0; i+1 < len(args) && args[i] != "--"; i++ {
		if args[i] == "--export" && slices.Contains(rows.Formats, strings.ToLower(filepath.Ext(args[i+1]))) &&
			!strings.Contains(args[i+1], "://") && !strings.HasPrefix(args[i+1], "-") {
			args[i] += "=" + args[i+1]
			args = slices.Delete(args, i+1, i+2)
		}
	}
	return args
}

// to is where the rows of the run in dir go.
func (e *exportFlag) to(dir string) (rows.Target, error) {
	target := e.target
	if target == exportAlone {
		target = filepath.Join(dir, "streams.jsonl")
	}
	t, err := rows.Parse(target)
	var ending *rows.EndingError
	if errors.As(err, &ending) {
		return t, &harness.UsageError{Place: "--export", Problem: fmt.Sprintf("no format for the ending %s of %s",
			ending.Ending, target),
			Fix: "write FILE.csv, FILE.parquet or FILE.jsonl, or --export=DIR for a folder"}
	}
	return t, err
}

// only refuses rows of several runs, whose streams have the same numbers.
func (e *exportFlag) only(history string, runs []string) error {
	if e.target == "" || history == "" && len(runs) <= 1 {
		return nil
	}
	return &harness.UsageError{Place: "--export", Problem: "it takes the rows of one run", Fix: "name one run folder"}
}

// check refuses a target that cannot be written, before anything starts.
func (e *exportFlag) check(dir string) error {
	if e.target == "" {
		return nil
	}
	t, err := e.to(dir)
	if err != nil {
		return err
	}
	if err := t.Writable(); err != nil {
		return &harness.UsageError{Place: "--export", Problem: "cannot write to " + e.target + ": " + harness.Reason(err),
			Fix: "name a place that can be written"}
	}
	return nil
}

// write writes the rows of the run in dir, and says where they are.
func (e *exportFlag) write(w io.Writer, dir string) error {
	if e.target == "" {
		return nil
	}
	t, err := e.to(dir)
	if err != nil {
		return err
	}
	parts, err := record.OpenParts(dir)
	if err != nil {
		return fmt.Errorf("open run: %w", err)
	}
	defer parts.Close()
	x, err := rows.Create(t, parts.Run)
	if err != nil {
		return err
	}
	for p, err := range parts.All() {
		if err == nil {
			err = x.Add(verdict.ScopesOf(p))
		}
		if err != nil {
			return errors.Join(err, x.Abandon())
		}
	}
	if err := x.Close(); err != nil {
		return err
	}
	what := "rows: "
	if e.target == exportAlone {
		what = "streams: "
	}
	fmt.Fprintln(w, what+strings.Join(x.Paths(), ", "))
	return nil
}
