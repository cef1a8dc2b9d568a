package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/shrink"
	"github.com/streamproof/streamproof/harness/stack/settings"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

const shrinkLong = `Take a run that failed down to the fewest scenarios and faults, the fewest streams and the
shortest time that still fail in the same way: by one of the same checks, and one of the same
causes. What is left is written as a file for 'streamproof run', as a test of Go, and as the
one line that runs it. Without RUNDIR it is the run that began last, runs/latest.

The run is read from its command line, so that shrink starts in the folder where the run was
started, with the same file and the same environment variables. What can be left out is tried
by ddmin (Zeller 2002), numbers by halving; each candidate is a run with the same seed, and
counts as failing when 2 of 3 fail (--confirm). A run that does not fail again is not made
smaller: shrink then ends inconclusive.`

const shrinkExamples = `  streamproof shrink
  streamproof shrink runs/20260301-101500-42 --scenario cut
  streamproof shrink runs/latest --runs 200 --confirm 3/5`

// shrinkFlags are those of shrink.
type shrinkFlags struct {
	scenario, out, confirm string
	runs                   config.Count
	quiet, asJSON          bool
}

func shrinkCommand() *cobra.Command {
	f := shrinkFlags{runs: 100, confirm: "2/3"}
	cmd := &cobra.Command{
		Use: "shrink [RUNDIR] [flags]", Short: "Make a failed run as small as it can be and still fail",
		Long: shrinkLong + "\n\nExit codes: 0 a smaller run was found, or there is none; 2 the run did not fail again, " +
			"or the runs ran out;\n3 internal error, 64 bad input, such as a run that passed.",
		Example: shrinkExamples, Args: takes(0, 1, ""), ValidArgsFunction: completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := namedRun(cmd.CommandPath(), args)
			if err != nil {
				return err
			}
			return f.shrink(cmd.Context(), dir, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&f.scenario, "scenario", "s", "",
		"shrink the failure of the scenario `ID` (default: the first that failed)")
	fs.Var(&f.runs, "runs", "make at most `N` runs")
	fs.StringVar(&f.confirm, "confirm", f.confirm, "a candidate fails when `K/N` of its runs do")
	fs.StringVarP(&f.out, "out", "o", "", "write to `DIR` (default: beside the run, with -shrunk at its end)")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "print the result and the line that repeats it only")
	fs.BoolVar(&f.asJSON, "json", false, "print shrink.json on stdout instead of the text")
	return cmd
}

// confirms reads K/N.
func (f *shrinkFlags) confirms() (agree, of int, err error) {
	k, n, ok := strings.Cut(f.confirm, "/")
	agree, err1 := strconv.Atoi(k)
	of, err2 := strconv.Atoi(n)
	if !ok || err1 != nil || err2 != nil || agree < 1 || of < agree {
		return 0, 0, &harness.UsageError{Place: "--confirm", Problem: fmt.Sprintf("%q is no K/N with 1 ≤ K ≤ N", f.confirm),
			Fix: "write --confirm 2/3"}
	}
	return agree, of, nil
}

// A shrinking is one search under way.
type shrinking struct {
	shrinkFlags
	dir    string // of the run that failed
	failed shrink.Failure
	words  []string // of the line that repeats what is left, without the file
	stderr io.Writer

	played int
	kept   []string // folders of the smallest that failed so far
	open   []string // of the candidate that is being played
	good   string   // of them: the last that failed
}

func (f *shrinkFlags) shrink(ctx context.Context, dir string, stdout, stderr io.Writer) error {
	agree, of, err := f.confirms()
	if err != nil {
		return err
	}
	in, err := scenarios.Read(dir, nil)
	if err != nil {
		return err
	}
	s := &shrinking{shrinkFlags: *f, dir: dir, stderr: stderr}
	if s.failed, err = failureOf(dir, in.Report, f.scenario); err != nil {
		return err
	}
	if s.out == "" {
		s.out = filepath.Clean(dir) + "-shrunk"
	}
	if _, err := os.Stat(s.out); err == nil {
		return &harness.UsageError{Place: "--out", Problem: s.out + " is already there", Fix: "name another folder"}
	}
	o, err := s.replan(ctx, &in.Run.Plan)
	if err != nil {
		return err
	}
	if o, err = s.written(o); err != nil {
		return err
	}
	task := shrink.Task{
		Options: o, Failure: s.failed, Play: s.play,
		Agree: agree, Of: of, Budget: int(f.runs), Told: s.told,
	}
	if !s.quiet {
		n := 0
		task.Told = func(t shrink.Trial) {
			n++
			fmt.Fprintln(stderr, reports.ShrinkTrial(n, t))
			s.told(t)
		}
	}
	result, err := shrink.Find(ctx, task)
	if err != nil && (result.Runs == 0 || ctx.Err() == nil) {
		return err
	}
	return s.conclude(ctx, result, stdout)
}

// failureOf is the failure of a run; a run without one is bad input.
func failureOf(dir string, r *verdict.Report, id string) (shrink.Failure, error) {
	found, ok := shrink.FailureOf(r, id)
	if ok {
		return found, nil
	}
	var failed, all []string
	for _, s := range r.Scenarios {
		all = append(all, s.ID)
		if s.Verdict == verdict.Fail {
			failed = append(failed, s.ID)
		}
	}
	switch {
	case id != "" && !slices.Contains(all, id):
		return found, &harness.UsageError{Place: "--scenario",
			Problem: fmt.Sprintf("no scenario %q was played in %s", id, dir), Fix: config.Suggest(id, all)}
	case id != "" && len(failed) > 0:
		return found, &harness.UsageError{Place: "--scenario", Problem: fmt.Sprintf("%s did not fail in %s", id, dir),
			Fix: "failed: " + strings.Join(failed, ", ")}
	case r.Verdict == verdict.Pass:
		return found, &harness.UsageError{Place: dir, Problem: "this run passed, so that nothing can be made smaller",
			Fix: "name a run that failed"}
	}
	return found, &harness.UsageError{Place: dir,
		Problem: fmt.Sprintf("no scenario of this run failed: it is %s", r.Verdict), Fix: "name a run that failed"}
}

// commandLine reads the line that repeats a run. Nothing is started.
func commandLine(line string) (*input, error) {
	words, err := settings.Words(line)
	if err != nil || len(words) < 2 || words[0] != "streamproof" || words[1] != "run" {
		return nil, errors.New("it is not a line of 'streamproof run'")
	}
	return argued(words[2:])
}

// argued is the input of run with these arguments.
func argued(words []string) (*input, error) {
	in := &input{from: &config.File{}}
	cmd := &cobra.Command{Use: "run"}
	in.register(cmd)
	in.registerSuite(cmd.Flags())
	in.registerHistory(cmd.Flags())
	if err := cmd.ParseFlags(words); err != nil {
		return nil, err
	}
	in.given = cmd.Flags()
	in.remember = historyEntry{}
	return in, in.target(cmd.Flags().Args())
}

// replan makes the options of a stored run anew, and makes sure that they are those of
// the run.
func (s *shrinking) replan(ctx context.Context, was *record.Plan) (o harness.Options, err error) {
	bad := func(problem, fix string) (harness.Options, error) {
		return o, &harness.UsageError{Place: s.dir, Problem: problem, Fix: fix}
	}
	in, err := commandLine(was.Repro)
	if err != nil {
		return bad("only runs of 'streamproof run' can be made smaller, and this one is repeated by: "+was.Repro,
			"run the same scenarios with 'streamproof run' first")
	}
	in.seed, in.out = was.Seed, filepath.Join(s.out, "first")
	if o, err = in.prepare(ctx, s.stderr, nil); err != nil {
		return o, in.place(err)
	}
	plan, err := harness.NewPlan(o)
	if err != nil {
		return o, in.place(err)
	}
	if what := unlike(was, plan.Record(was.Started)); what != "" {
		return bad(what+" is not what it was when the run was made",
			"restore the file and the folder that it was started in, or run it anew and shrink that")
	}
	s.words = carried(in)
	return o, nil
}

// unlike names the first thing in which two plans differ that a failure may depend on.
func unlike(a *record.Plan, b record.Plan) string {
	switch {
	case a.App != b.App:
		return "the app"
	case a.Request.URL != b.Request.URL, a.Request.Method != b.Request.Method, a.Request.Body != b.Request.Body:
		return "the request"
	case a.Sabotage != b.Sabotage:
		return "the sabotage"
	case len(a.Scenarios) != len(b.Scenarios):
		return "the list of scenarios"
	}
	for i, s := range a.Scenarios {
		t := b.Scenarios[i]
		x, errX := json.Marshal(s.Load)
		y, errY := json.Marshal(t.Load)
		if s.ID != t.ID || s.Fault != t.Fault || s.Edge != t.Edge ||
			errors.Join(errX, errY) != nil || string(x) != string(y) {
			return "the scenario " + s.ID
		}
	}
	return ""
}

// onlyFlags are the flags of what a file cannot say.
var onlyFlags = []string{"stack", "sabotage", "prompts", "load-prompts"}

// carried are those that were given, and the files of prompts that a file names.
func carried(in *input) (words []string) {
	in.given.Visit(func(f *pflag.Flag) {
		if slices.Contains(onlyFlags, f.Name) {
			for _, v := range valuesOf(f) {
				words = append(words, "--"+f.Name, v)
			}
		}
	})
	for flag, path := range map[string]string{"prompts": in.from.PromptsFile(), "load-prompts": in.from.RequestsFile()} {
		if path != "" && !in.given.Changed(flag) {
			words = append(words, "--"+flag, path)
		}
	}
	return words
}

// shrunkFile is what is left, and shrunkTest the same as a test of Go.
const shrunkFile, shrunkTest, shrunkJSON = "streamproof.yaml", "shrunk_test.go", "shrink.json"

// written is o as it comes back from the file that will be written in the end: so what a
// file cannot say is lost before anything is tried, and what is found can be repeated by
// the file. Scenarios of the catalogue get names of their own.
func (s *shrinking) written(o harness.Options) (harness.Options, error) {
	o.Scenarios = slices.Clone(o.Scenarios)
	for i := range o.Scenarios {
		sc := &o.Scenarios[i]
		if _, known := scenarios.Lookup(sc.ID); known {
			own := sc.ID + "-shrunk"
			if s.failed.Scenario == sc.ID {
				s.failed.Scenario = own
			}
			sc.ID = own
		}
	}
	text, err := s.encode(o)
	if err != nil {
		return o, &harness.UsageError{Place: s.dir, Problem: err.Error(),
			Fix: "write the scenario in streamproof.yaml, and run that"}
	}
	in, err := argued(s.words)
	if err != nil {
		return o, err
	}
	path := filepath.Join(s.out, shrunkFile)
	if in.from, err = config.Parse(path, text); err != nil {
		return o, fmt.Errorf("read again what was written: %w", err)
	}
	for _, sc := range o.Scenarios { // a sabotage would choose another one
		in.scenarios = append(in.scenarios, sc.ID)
	}
	in.seed, in.out = o.Seed, s.out
	again, err := in.options()
	if err != nil {
		return o, fmt.Errorf("read again what was written: %w", err)
	}
	again.App.Stream.Headers = o.App.Stream.Headers
	again.Load.Requests, again.Load.Prompts = o.Load.Requests, o.Load.Prompts
	again.Repro = s.line()
	return again, again.Validate()
}

// encode writes options without the secrets in their headers.
func (s *shrinking) encode(o harness.Options) ([]byte, error) {
	o.App.Stream.Headers = publicHeaders(o.App.Stream.Headers)
	o.Load.Prompts = ""
	return config.Encode(o, s.out)
}

// publicHeaders are headers without their secrets, see [publicHeader].
func publicHeaders(headers map[string]string) map[string]string {
	public := map[string]string{}
	for name, value := range headers {
		_, public[name], _ = strings.Cut(publicHeader(name+": "+value), ": ")
	}
	return public
}

// line repeats what is left.
func (s *shrinking) line() string {
	words := []string{"streamproof run -f " + quote(filepath.Join(s.out, shrunkFile))}
	for i := 0; i+1 < len(s.words); i += 2 {
		words = append(words, s.words[i]+" "+quote(s.words[i+1]))
		if s.words[i] == "--sabotage" {
			words = append(words, "--scenario "+quote(s.failed.Scenario))
		}
	}
	return strings.Join(words, " ")
}

// play plays a candidate.
func (s *shrinking) play(ctx context.Context, o harness.Options) (*verdict.Report, error) {
	s.played++
	o.Dir = filepath.Join(s.out, fmt.Sprintf("try-%03d", s.played))
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s.open = append(s.open, o.Dir)
	r, err := scenarios.Execute(ctx, o)
	if err == nil && s.failed.Again(r) {
		s.good = o.Dir
	}
	return r, err
}

// told keeps the folders of the smallest candidate that fails, and removes those of all
// others.
func (s *shrinking) told(t shrink.Trial) {
	gone := s.open
	if t.Fails {
		gone, s.kept = s.kept, s.open
	}
	for _, dir := range gone {
		_ = os.RemoveAll(dir) // one that stays is in nobody's way
	}
	s.open = nil
}

// conclude writes what is left, and says it.
func (s *shrinking) conclude(ctx context.Context, r shrink.Result, stdout io.Writer) error {
	page := reports.NewShrink(s.dir, s.failed, r)
	if ctx.Err() != nil {
		page.Says = "INTERRUPTED: " + page.Says
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return fmt.Errorf("write what is left: %w", err)
	}
	if page.Again {
		if err := s.keep(&page, r.Options); err != nil {
			return fmt.Errorf("write what is left: %w", err)
		}
	}
	text, err := json.MarshalIndent(page, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.out, shrunkJSON), append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write what is left: %w", err)
	}
	if s.asJSON {
		fmt.Fprintln(stdout, string(text))
	} else {
		page.Text(stdout, s.quiet)
	}
	if !page.Again || page.Spent || ctx.Err() != nil {
		return judged{exitInconclusive}
	}
	return nil
}

// keep writes the file, the test and the run that are left. They may hold a body with
// secrets, as the run's own folder does: they are for their owner's eyes.
func (s *shrinking) keep(page *reports.Shrink, o harness.Options) error {
	comment := reports.ShrinkComment(*page)
	text, err := s.encode(o)
	if err != nil {
		return err
	}
	page.File = filepath.Join(s.out, shrunkFile)
	var head strings.Builder
	for l := range strings.Lines(comment) {
		head.WriteString("# " + l)
	}
	if err := os.WriteFile(page.File, append([]byte(head.String()), text...), 0o600); err != nil {
		return err
	}
	page.Repro = s.line() + " --seed " + strconv.FormatUint(o.Seed, 10)
	public := o
	public.App.Stream.Headers = publicHeaders(o.App.Stream.Headers)
	if source, err := shrink.GoTest(public, "streams_test", comment); err != nil {
		page.NoGoTest = err.Error()
	} else {
		page.GoTest = filepath.Join(s.out, shrunkTest)
		if err := os.WriteFile(page.GoTest, source, 0o600); err != nil {
			return err
		}
	}
	if s.good != "" {
		for _, dir := range s.kept {
			if dir != s.good {
				_ = os.RemoveAll(dir)
			}
		}
		run := filepath.Join(s.out, "run")
		if err := os.Rename(s.good, run); err != nil {
			return err
		}
		page.Report = filepath.Join(run, reports.HTMLFile)
	}
	return nil
}
