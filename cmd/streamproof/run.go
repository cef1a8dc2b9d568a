package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

const runLong = `Run scenarios against an app, judge every stream, and write a report.

With no arguments it runs the standard suite on the built-in server. An app of
your own comes as a URL that already runs (--url), or from a file (-f) that names
a command, an image, a Dockerfile or a compose service. Only localhost is tested
unless you pass --allow-host.

Header values and bodies may contain environment variables as ${NAME}; their values
are never written to disk.

` + suitesHelp + `

` + eventsHelp + `

` + limitsHelp + `

One stream goes alone before the load. Where no fault delays streams, the run fails
if a tenth of them, and at least 2, wait 5 times as long as that one for their first
event, or in a silence, and 1 s longer (--slowdown).`

// eventsHelp is what run and diagnose say about expressions and places.
const eventsHelp = `A generic dialect needs to know what the last event of a complete response looks
like. --terminal says it with tests, joined by 'and' and 'or':
  data == [DONE]                 the event's data, or the line
  event == done                  the event's name; id likewise
  json .done == true             a value in the data
  json .type in (stop, done)     one of several
  json .usage exists             any value but null
  .progress >= 100               a size: < <= > >=; json may be left out before a dot
  .type startsWith response.     also contains, endsWith
  status: finished               as JSON and YAML write it; any path without its dot
--error says in the same way which events report a failure, where the dialect does
not know them; events named error, and JSON with an error in it, it knows.
A feed that never ends has no such event: --endless 10s,5 reads each stream for
10 s, wants 5 events in that time and no silence beyond --gap-limit, and hangs up.
Values with spaces are quoted; != ~ !~ work too, the latter two with a regular
expression.

Where events have a number, --order says where: a place in their JSON (.seq,
.choices[0].index, ["any name"]), or id for the ID of SSE. Numbers begin anywhere
and increase by 1, in one sequence per stream. --owner says where events echo the ID of
their request, which is sent as X-Request-ID and in place of {nonce} in path,
headers and body. Events without either say nothing.`

// limitsHelp is what they say about their bounds.
const limitsHelp = `A stream is stalled, and is ended, when one of three limits is reached:
  --first-event      no content event since the request, whatever heartbeats came
  --gap-limit        no byte, once the answer has begun
  --progress-limit   bytes, but no content event: heartbeats whose producer died, or
                     an event that is never completed. Off by default, since an answer
                     that takes long looks the same; --total-limit ends it then.
A stream that completes is late when its first event took longer than
thresholds.first_event of the file, and gappy when it was silent for longer than
thresholds.max_gap; without these, --gap-limit is the bound of both. Both fail the
scenarios whose checks name them, such as control.`

const runExamples = `  streamproof run
  streamproof run --scenario control,cut --streams 100
  streamproof run -f streamproof.yaml --seed 42
  streamproof run --url http://127.0.0.1:8000/chat --dialect openai-chat --header 'Authorization: Bearer ${API_KEY}' --body @question.json
  streamproof run --url http://127.0.0.1:8000/events --dialect sse-generic --terminal 'event == done' --rate 20/s --duration 30s`

func runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run [URL] [flags]",
		Short:   "Run scenarios and write a report",
		Long:    runLong + "\n\n" + exitCodes,
		Example: runExamples,
		Args:    takes(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := &input{runFlags: f, given: cmd.Flags(), from: &config.File{}, answers: cmd.InOrStdin()}
			if err := in.target(args); err != nil {
				return err
			}
			return in.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd)
	f.registerSuite(cmd.Flags())
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "with --fleet: print the Job that would be created, and "+
		"the Role that allows it, as YAML; start nothing")
	f.registerHistory(cmd.Flags())
	f.team.register(cmd.Flags())
	f.complete(cmd)
	return cmd
}

func (in *input) run(ctx context.Context, stdout, stderr io.Writer) error {
	if in.suite.name != "" && !in.given.Changed("history") {
		in.remember.file = defaultHistory
	}
	if err := in.idle(); err != nil {
		return err
	}
	if in.suite.list {
		return in.listing(stdout)
	}
	if in.dryRun {
		return in.place(in.manifests(stdout))
	}
	o, err := in.prepare(ctx, stderr, nil)
	if err != nil {
		return in.place(err)
	}
	if err := in.team.serve(stderr); err != nil {
		return err
	}
	defer in.team.close()
	o.Suite = in.chosen
	plan := in.planned(&o)
	live := newLive(stderr, in.quiet, in.noColor)
	live.begin(o, plan)
	o.Retry = live.retry
	for _, w := range composeWarnings(ctx, o.App.Compose) {
		live.warning(filepath.Base(o.App.Compose.File), w)
	}
	o.Progress, o.Warn = remembering(o.Dir, func() { keepBodies(o.Dir, in.given) }, in.team.watch(live.update)), live.warn
	stop := context.AfterFunc(ctx, live.interrupted)
	report, err := scenarios.Execute(ctx, o)
	stop()
	live.done()
	live.took(plan, report)
	return in.finish(ctx, stdout, stderr, o, report, in.place(err))
}

// idle refuses flags that would do nothing beside the others.
func (in *input) idle() error {
	switch {
	case in.dryRun && in.suite.list:
		return &harness.UsageError{Place: "--list", Problem: "it prints scenarios, and --dry-run a Job",
			Fix: "leave one of them out"}
	case in.dryRun && in.asJSON:
		return &harness.UsageError{Place: "--json", Problem: "--dry-run prints YAML", Fix: "leave it out"}
	case in.remember.file != "" || in.given.Changed("history"):
		return nil
	}
	for _, name := range []string{"app-version", "commit", "branch"} {
		if in.given.Changed(name) {
			return &harness.UsageError{Place: "--" + name, Problem: "it is written into a history, and none is named",
				Fix: "add --history " + defaultHistory + ", or leave it out"}
		}
	}
	return nil
}

// manifests prints what a fleet would create.
func (in *input) manifests(stdout io.Writer) error {
	if err := in.read(); err != nil {
		return err
	}
	o, err := in.options()
	if err == nil {
		err = o.ValidFleet() // no stream is sent, so that nothing else matters
	}
	if err != nil {
		return err
	}
	f, err := scenarios.LoadFleet(&o)
	switch {
	case err != nil:
		return err
	case f == nil:
		return &harness.UsageError{Place: "--dry-run", Problem: "it prints what a fleet would create, and the load is " +
			"sent from this machine", Fix: "add --fleet kubernetes, or leave --dry-run out"}
	}
	text, err := f.Manifests()
	if err == nil {
		_, err = io.WriteString(stdout, text)
	}
	return err
}

// read reads the file of -f, where one is named.
func (in *input) read() error {
	if in.file == "" {
		return nil
	}
	f, err := config.Read(in.file)
	if err == nil {
		in.from = f
	}
	return err
}

// prepare reads and checks all input. Nothing is started, but where no dialect is
// given: then the app is asked once how it answers. with, unless nil, puts into the options
// what the flags leave to each run.
func (in *input) prepare(ctx context.Context, told io.Writer, with func(*harness.Options)) (o harness.Options,
	err error) {
	if err = in.read(); err != nil {
		return o, err
	}
	options := func() (harness.Options, error) {
		o, err := in.options()
		if err == nil && with != nil {
			with(&o)
		}
		return o, err
	}
	if o, err = options(); err != nil {
		return o, err
	}
	if err = in.recognise(ctx, o, told); err != nil {
		return o, err
	}
	// once chosen, they stay: the line that repeats the run names files of its folder
	in.seed, in.out = o.Seed, o.Dir
	if o, err = options(); err != nil { // with what was recognised
		return o, err
	}
	if err = o.Validate(); err != nil {
		return o, err
	}
	if err = errors.Join(in.remember.check(), in.export.check(o.Dir), in.team.check(o)); err != nil {
		return o, err
	}
	return o, preflight(ctx, o)
}

// finish prints what came out and where it lies. An interrupted run ends
// inconclusive whatever it had found, for it did not look at the rest.
func (in *input) finish(ctx context.Context, stdout, stderr io.Writer, o harness.Options, report *verdict.Report,
	err error) error {
	if report == nil || neverStarted(report, err) {
		return err
	}
	dir := o.Dir
	out := printer{w: stdout, quiet: in.quiet, noColor: in.noColor, asJSON: in.asJSON}
	if ctx.Err() != nil {
		out.where(stderr, interrupted(report, len(o.Scenarios)))
	}
	if perr := out.print(dir, report); err == nil && !unheard(perr) {
		err = perr
	}
	if herr := in.remember.add(ctx, stderr, dir); err == nil {
		err = herr
	}
	if aerr := inActions(out.aside(stderr), dir, report); err == nil {
		err = aerr
	}
	if err == nil {
		err = in.export.write(out.aside(stderr), dir)
	}
	if terr := in.team.tell(ctx, out.aside(stderr), stderr, dir); err == nil {
		err = terr
	}
	out.where(stderr, "report: "+filepath.Join(dir, reports.HTMLFile))
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return judged{exitInconclusive}
	}
	return endedBy(report)
}

// interrupted says first of all that what follows is not the whole of it.
func interrupted(r *verdict.Report, planned int) string {
	ran := 0
	for _, s := range r.Scenarios {
		if s.Started > 0 {
			ran++
		}
	}
	return fmt.Sprintf("INTERRUPTED: you stopped the run; %d of %s had started, and what follows is judged from %s",
		ran, plural.Of(planned, "scenario"), plural.Of(r.Started, "stream"))
}

// neverStarted is true of a run that ended before its first stream, as where an
// image is not to be had: a report on no streams would bury the one line that
// helps.
func neverStarted(report *verdict.Report, err error) bool {
	return report.Started == 0 && err != nil
}
