package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

const diagnoseLong = `Test each layer separately: send the same small load to the app directly, through
the upstream link, through the edge and through the whole chain, ask for one answer
not streamed where the app can, and compare. Reports where and why streams break or
are held back, what to do first, how the timers of all layers are set, and what the
edge does to a stream that is cut behind it.

Whether a hop holds events back shows in how they arrive there, against the app
asked directly. At each hop one stream asks for compression as browsers do: some
layers hold events back only then.

A server that already runs has its own edge. --direct names the app behind it, so
that both can be asked.

With --from it sends nothing, and explains the stored run in that folder.

` + eventsHelp + `

` + limitsHelp

const diagnoseExamples = `  streamproof diagnose -f streamproof.yaml
  streamproof diagnose http://127.0.0.1:8080/chat --direct http://127.0.0.1:8000 --dialect openai-chat --log nginx_error=/var/log/nginx/error.log
  streamproof diagnose --from
  streamproof diagnose --sabotage no-accel-header`

// peelStreams are sent in at each hop unless asked otherwise: enough to see what
// all streams share, few enough to be harmless.
const peelStreams = 8

func diagnoseCommand() *cobra.Command {
	var f runFlags
	var stored string
	cmd := &cobra.Command{
		Use:     "diagnose [URL] [flags]",
		Short:   "Test each layer separately and report where and why streams break",
		Long:    diagnoseLong + "\n\n" + exitCodes,
		Example: diagnoseExamples,
		Args:    takes(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := &input{runFlags: f, given: cmd.Flags(), from: &config.File{}, peel: true, answers: cmd.InOrStdin()}
			if stored != "" {
				return in.explain(cmd, stored, args)
			}
			if err := in.target(args); err != nil {
				return err
			}
			return in.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&stored, "from", "", "explain the stored run in `RUNDIR` (default runs/latest) and send nothing")
	fs.Lookup("from").NoOptDefVal = newest
	f.registerApp(fs)
	describe(fs, "url", "diagnose the server that runs at `URL`; --url may be left out",
		"direct", "`URL` of the app itself, behind the proxy that --url names: both get the same load and are compared")
	fs.VarP(&f.streams, "streams", "c", "send `N` streams in at each hop (default 8)")
	f.registerTrial(fs)
	f.registerOutput(fs)
	f.export.register(fs)
	f.team.register(fs)
	f.complete(cmd)
	return cmd
}

// newest is --from without a folder.
const newest = "latest"

// explain shows why the streams of a stored run ended as they did.
func (in *input) explain(cmd *cobra.Command, stored string, args []string) error {
	if stored != newest {
		args = append([]string{stored}, args...)
	}
	if len(args) > 1 {
		return &harness.UsageError{Place: "--from", Problem: "more than one run folder", Fix: "name one"}
	}
	var idle []string
	in.given.Visit(func(f *pflag.Flag) {
		if !slices.Contains([]string{"from", "quiet", "no-color", "json"}, f.Name) {
			idle = append(idle, "--"+f.Name)
		}
	})
	if len(idle) > 0 {
		return &harness.UsageError{Place: idle[0],
			Problem: "it has no effect with --from, which sends nothing and writes nothing",
			Fix:     "leave it out, or use 'streamproof judge' to write the reports again"}
	}
	dir, err := namedRun(cmd.CommandPath()+" --from", args)
	if err != nil {
		return err
	}
	was, err := scenarios.Read(dir, nil)
	if err != nil {
		return err
	}
	out := printer{cmd.OutOrStdout(), in.quiet, in.noColor, in.asJSON}
	if err := out.print(dir, was.Report); err != nil && !unheard(err) {
		return err
	}
	out.where(cmd.ErrOrStderr(), "run: "+dir)
	return endedBy(was.Report)
}
