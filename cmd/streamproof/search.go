package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/play"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/search"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

const searchLong = `Find the largest load at which the verdict and the objectives of --slo still hold, or
the edge of any other number: streams, rate, gap, size, memory, timeout, or a key of
streamproof.yaml with a number in it (load.total, shape.events, limits.gap, fault.delay).

Each value is a run of its own, with the same seed. The range is crossed in a few large
steps, then narrowed down, and both sides of the edge are confirmed: two of three runs
must agree (RFC 9971, MLRsearch). Where runs near the edge disagree as chance has it, as those
of a queue near its limit do, the result is the range in which they do, if its ends are within
20 % of each other; longer runs make it narrower. Where the load generator cannot keep up the search ends
there, inconclusive: that is no limit of the app.

Without --scenario it is control, a load without a fault.`

const searchExamples = `  streamproof search --over streams=10..5000 http://127.0.0.1:8000/chat
  streamproof search --over rate=1/s..200/s --duration 20s --slo 'first_event p95 < 1s, complete >= 99%'
  streamproof search --over memory=64MiB..1GiB -f streamproof.yaml --width 10%`

// searchFlags are those that run does not have.
type searchFlags struct {
	over  string
	runs  config.Count
	width config.Share
}

func searchCommand() *cobra.Command {
	var f runFlags
	var s searchFlags
	cmd := &cobra.Command{
		Use: "search --over NAME=A..B [URL] [flags]", Short: "Find the largest load that still holds",
		Long: searchLong + "\n\n" + exitCodes, Example: searchExamples, Args: takes(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := &input{runFlags: f, given: cmd.Flags(), from: &config.File{}, answers: cmd.InOrStdin()}
			if err := in.target(args); err != nil {
				return err
			}
			return in.search(cmd.Context(), s, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&s.over, "over", "", "search the edge in the range `NAME=A..B`, such as streams=10..5000, "+
		"rate=1/s..200/s, memory=64MiB..1GiB")
	s.runs, s.width = 12, 0.02
	cmd.Flags().Var(&s.runs, "runs", "send at most `N` runs")
	cmd.Flags().Var(&s.width, "width", "stop when both sides of the edge are within this `SHARE` of each other")
	f.registerRuns(cmd)
	describe(cmd.Flags(), "url", "send the load to the server that runs at `URL`; --url may be left out. Unless "+
		"scenarios are chosen, control runs")
	f.complete(cmd)
	return cmd
}

// A searching is one search under way.
type searching struct {
	*input
	base   harness.Options
	param  parameter
	slo    slo.SLO
	stderr io.Writer
	page   reports.Search
}

func (in *input) search(ctx context.Context, f searchFlags, stdout, stderr io.Writer) error {
	if f.over == "" {
		return &harness.UsageError{Place: "--over", Problem: "it is missing", Fix: "write --over streams=10..5000"}
	}
	if in.file != "" {
		file, err := config.Read(in.file)
		if err != nil {
			return err
		}
		in.from = file
	}
	if len(in.scenarios) == 0 && len(in.from.Scenarios) == 0 && len(in.from.Define) == 0 {
		in.scenarios = []string{"control"}
		if err := in.given.Set("scenario", "control"); err != nil { // for the line that repeats a run
			return err
		}
	}
	// Looked at before anything is asked: a range that cannot be searched starts nothing.
	o, err := in.options()
	if err != nil {
		return in.place(err)
	}
	if o.Load.Rate > 0 || strings.HasPrefix(f.over, "rate=") || strings.HasPrefix(f.over, "load.rate=") {
		in.duration = config.Duration(max(time.Duration(in.duration), o.Load.Duration))
		if in.duration == 0 && o.Load.Total == 0 && len(o.Load.Stages) == 0 {
			in.duration = config.Duration(10 * time.Second)
			if err := in.given.Set("duration", "10s"); err != nil {
				return err
			}
		}
		o.Load.Duration = time.Duration(in.duration)
	}
	param, span, err := over(f.over, &o)
	if err != nil {
		return err
	}
	s := &searching{input: in, base: o, param: param, stderr: stderr}
	if err := s.possible(span); err != nil {
		return err
	}
	// A run without any value of the range may be one that cannot be: poisson arrivals
	// need the rate that is searched.
	if o, err = in.prepare(ctx, stderr, func(o *harness.Options) { s.param.assign(o, easy(span)) }); err != nil {
		return in.place(err)
	}
	s.base = o
	if _, err := os.Stat(filepath.Join(o.Dir, "search.json")); err == nil {
		return &harness.UsageError{Place: "--out", Problem: o.Dir + " holds a search already", Fix: "name another folder"}
	}
	if o.SLO != "" {
		if s.slo, err = slo.Parse(o.SLO); err != nil {
			return err
		}
	}
	s.page = reports.Search{
		Over: param.name, Kind: unitOf(param.kind), App: o.App.String(), SLO: s.slo.String(),
		From: param.kind.say(span.From), To: param.kind.say(span.To), Seed: o.Seed,
	}
	result, err := search.Find(ctx, search.Options{Range: span, Width: float64(f.width), Budget: int(f.runs)}, s.probe)
	if len(result.Trials) == 0 {
		return err
	}
	concluded := s.conclude(ctx, result, stdout)
	if err != nil && ctx.Err() == nil {
		return err // which is said, and not the verdict on half a search
	}
	return errors.Join(concluded, err)
}

func unitOf(k paramKind) string {
	return map[paramKind]string{perSecond: "streams per second", duration: "seconds", bytesOf: "bytes"}[k]
}

// possible refuses a range whose ends no run can have, before the first of them is made.
func (s *searching) possible(span search.Range) error {
	base := s.base.Validate()
	for _, x := range []float64{span.From, span.To} {
		o := s.with(x)
		err := o.Validate()
		if err == nil {
			err = play.Room(&o)
		}
		var bad *harness.UsageError
		switch {
		case err == nil:
		case base != nil && base.Error() == err.Error(): // the value has nothing to do with it
			return s.place(err)
		case errors.As(err, &bad):
			return &harness.UsageError{Place: "--over", Problem: s.param.name + " = " + s.param.kind.say(x) + ": " + bad.Problem,
				Fix: bad.Fix}
		default:
			return err
		}
	}
	return nil
}

// easy is the end of the range that is tried first.
func easy(r search.Range) float64 {
	if r.Down {
		return r.To
	}
	return r.From
}

// with are the options of a run that has the value.
func (s *searching) with(x float64) harness.Options {
	o := s.base
	o.Scenarios = slices.Clone(o.Scenarios)
	s.param.assign(&o, x)
	return o
}

// probe is one run.
func (s *searching) probe(ctx context.Context, x float64) (search.Outcome, error) {
	o, n := s.with(x), len(s.page.Points)+1
	name := strings.NewReplacer("/", "-per-", " ", "").Replace(s.param.kind.say(x))
	o.Dir = filepath.Join(s.base.Dir, fmt.Sprintf("%02d-%s", n, name))
	o.Repro = s.line(x, o.Dir)
	if err := o.Validate(); err != nil {
		return search.Outcome{}, err
	}
	live := newLive(s.stderr, s.quiet, s.noColor)
	if !s.quiet {
		fmt.Fprintf(s.stderr, "run %d: %s = %s\n", n, s.param.name, s.param.kind.say(x))
	}
	o.Progress = keeping(func() { keepBodies(o.Dir, s.given) }, live.update)
	stop := context.AfterFunc(ctx, live.interrupted)
	report, err := scenarios.Execute(ctx, o)
	stop()
	live.done()
	point := reports.SearchPoint{Value: x, Said: s.param.kind.say(x), Dir: filepath.Base(o.Dir)}
	var start *stack.StartError
	switch {
	case err != nil && errors.As(err, &start) && s.param.down:
		// Too little for the app to start is the edge's other side, and no bad input.
		point.Why = "the app does not start: " + firstLine(start)
		s.page.Points = append(s.page.Points, point)
		return search.Outcome{Why: point.Why}, nil
	case err != nil:
		return search.Outcome{}, err
	case ctx.Err() != nil:
		return search.Outcome{}, ctx.Err()
	}
	m := slo.New(s.slo)
	if _, err := scenarios.Read(o.Dir, func(scopes []verdict.Scope) {
		for i := range scopes {
			m.Merge(scopes[i].Measure(s.slo))
		}
	}); err != nil {
		return search.Outcome{}, err
	}
	out := judgedAs(report, m, s.allowUnable || s.from.AllowUnable)
	if !out.Holds && out.Unknown == "" {
		out.Aim = s.aim(m)
	}
	point.Verdict, point.Why = "holds", out.Why
	switch {
	case out.Unknown != "":
		point.Verdict, point.Why = "cannot be told", out.Unknown
	case !out.Holds:
		point.Verdict = "does not hold"
	}
	point.Measure(m)
	s.page.Points = append(s.page.Points, point)
	return out, nil
}

// line repeats the run in dir that had the value.
func (s *searching) line(x float64, dir string) string {
	return repro("run", s.given, dir, s.leftOut()...) + s.flagFor(x)
}

// leftOut are the flags that have no part in a run of its own: those of the search, and
// those that the value takes the place of.
func (s *searching) leftOut() []string {
	left := []string{"over", "runs", "width"}
	if s.param.name == "load.streams" || s.param.name == "load.rate" {
		left = append(left, "streams", "rate")
	}
	return left
}

// flagFor is what a run of its own needs for the value.
func (s *searching) flagFor(x float64) string {
	switch s.param.name {
	case "load.streams":
		return " --streams " + wholeNumber.exactly(x)
	case "load.rate":
		return " --rate " + perSecond.exactly(x)
	}
	return " --set " + s.param.name + "=" + s.param.kind.exactly(x)
}

// aim is where a run that did not hold puts the edge: at as many streams, or as high a
// rate, as it served well.
func (s *searching) aim(m *slo.Measure) float64 {
	switch s.param.name {
	case "load.streams":
		if s.base.Load.Duration == 0 && s.base.Load.Total == 0 {
			return float64(m.Good())
		}
	case "load.rate":
		if good, ok := m.Figure("goodput", 0); ok {
			return good
		}
	}
	return 0
}

// judgedAs is what a run says about its value. A run that is only short of streams to show
// an objective by itself holds as far as it was seen; any other doubt leaves it open. With
// able, scenarios that this machine cannot run have no part in it.
func judgedAs(r *verdict.Report, m *slo.Measure, able bool) search.Outcome {
	seen := !slices.ContainsFunc(m.Judge(), func(x slo.Result) bool { return !x.Seen })
	out := search.Outcome{Holds: true}
	skipped := 0
	for _, sc := range r.Scenarios {
		if able && sc.Verdict == verdict.Inconclusive && sc.Unable() {
			skipped++
			continue
		}
		if sc.Verdict == verdict.NotApplicable {
			return search.Outcome{Unknown: sc.ID + " does not apply: " + sc.Why}
		}
		// Whatever failed: a load that was not sent as asked shows no limit of the app.
		if i := slices.IndexFunc(sc.Checks, shortOfLoad); i >= 0 {
			return search.Outcome{Unknown: sc.Checks[i].Name + ": " + sc.Checks[i].Why}
		}
		for _, c := range sc.Checks {
			switch {
			case c.Verdict == verdict.Fail:
				return search.Outcome{Why: c.Why}
			case c.Verdict != verdict.Inconclusive:
			case c.Name == "objectives met" && m.Complete() > 0 && slices.ContainsFunc(m.Judge(), unmeasured):
				return search.Outcome{Unknown: c.Why}
			case c.Name == "objectives met" && seen:
			case c.Name == "objectives met" && sc.Verdict == verdict.Inconclusive && m.Streams() > 0 &&
				(c.Fact == nil || c.Fact.Kind != verdict.FactBut):
				out = search.Outcome{Why: c.Why}
			case out.Unknown == "":
				out = search.Outcome{Unknown: c.Why}
			}
		}
	}
	if skipped > 0 && skipped == len(r.Scenarios) {
		return search.Outcome{Unknown: "this machine can run none of the scenarios"}
	}
	return out
}

// unmeasured reports whether nothing was seen of what an objective is about, such as
// tokens that the server does not count.
func unmeasured(r slo.Result) bool {
	return r.Verdict == slo.TooFew && (math.IsNaN(r.Value) || r.Counted() && r.N == 0)
}

// shortOfLoad reports whether a check found that our own side fell short.
func shortOfLoad(c verdict.Check) bool {
	return c.Verdict == verdict.Inconclusive && slices.Contains([]string{"generator kept up", "load reached"}, c.Name)
}

// conclude says what was found, and keeps it beside the runs.
func (s *searching) conclude(ctx context.Context, r search.Result, stdout io.Writer) error {
	say := func(x float64) string {
		if math.IsNaN(x) {
			return ""
		}
		return s.param.kind.say(x)
	}
	p := &s.page
	p.Holds, p.Breaks, p.Confirmed, p.Edge = say(r.Holds), say(r.Breaks), r.Confirmed, string(r.Edge)
	limit := "largest"
	if s.param.down {
		limit = "least"
	}
	var end error
	switch r.Edge {
	case search.Found:
		p.Says = fmt.Sprintf("%s is the %s %s that holds; %s does not: %s", p.Holds, limit, s.param.name, p.Breaks, r.Why)
	case search.Noisy:
		p.Says = fmt.Sprintf("the edge is between %s, up to which every run holds, and %s, from which on none does: %s; "+
			"runs in between disagree", p.Holds, p.Breaks, r.Why)
	case search.Wide:
		p.Says = fmt.Sprintf("%s holds and %s does not, and %s did not narrow it down further",
			orDash(p.Holds), orDash(p.Breaks), plural.Of(len(r.Trials), "run"))
		if math.IsNaN(r.Breaks) {
			p.Says = fmt.Sprintf("%s holds, and %s did not get as far as a value that does not",
				orDash(p.Holds), plural.Of(len(r.Trials), "run"))
		}
		if math.IsNaN(r.Holds) {
			p.Says = fmt.Sprintf("%s at %s disagree: %s", plural.Of(len(r.Trials), "run"), p.Breaks, r.Why)
		}
		end = judged{exitInconclusive}
	case search.Saturated:
		p.Says = fmt.Sprintf("%s holds, and beyond it nothing can be told (%s): that is no limit of the app",
			orDash(p.Holds), r.Why)
		if math.IsNaN(r.Holds) {
			p.Says = fmt.Sprintf("%s: nothing can be told (%s): that is no limit of the app", p.Breaks, r.Why)
		}
		end = judged{exitInconclusive}
	case search.AllHold:
		p.Says = fmt.Sprintf("%s..%s has no edge in it: all of it holds", p.From, p.To)
		end = &harness.UsageError{Place: "--over", Problem: p.Says,
			Fix: "search further, as in --over " + s.param.name + "=" + s.widened(r.Holds)}
	case search.NoneHolds:
		p.Says = fmt.Sprintf("%s..%s has no edge in it: not even %s holds: %s", p.From, p.To, p.Breaks, r.Why)
		end = &harness.UsageError{Place: "--over", Problem: p.Says,
			Fix: "begin with an easier value, or look at " + s.firstReport()}
	}
	if ctx.Err() != nil {
		p.Says = "INTERRUPTED: " + p.Says
		end = judged{exitInconclusive}
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(s.base.Dir, "search.json"), append(text, '\n'), 0o644)
	}
	page := filepath.Join(s.base.Dir, "search.html")
	if err == nil {
		err = p.WriteHTML(page)
	}
	if err != nil {
		return fmt.Errorf("write search: %w", err)
	}
	if s.asJSON {
		fmt.Fprintln(stdout, string(text))
	} else {
		p.Text(stdout, s.quiet)
		fmt.Fprintln(stdout, "report: "+page)
	}
	return end
}

func (s *searching) widened(x float64) string {
	if s.param.down {
		return s.param.kind.say(x/10) + ".." + s.param.kind.say(x)
	}
	return s.param.kind.say(x) + ".." + s.param.kind.say(x*10)
}

func (s *searching) firstReport() string {
	return filepath.Join(s.base.Dir, s.page.Points[0].Dir, reports.HTMLFile)
}

func orDash(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
