package main

import (
	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
)

const diagnoseLong = `Peel the layers: send the same small load to the app directly, through the
upstream link, through the edge and through the whole chain, ask for one answer not
streamed where the app can, and compare. Says where and why streams die or are
held back, what to do first, how the timers of all layers are set, and what the
edge does to a stream that is cut behind it.

Whether a hop holds events back shows in how they arrive there, against the app
asked directly. At each hop one stream asks for compression as browsers do: some
layers hold events back only then.

A server that already runs has its own edge. --direct names the app behind it, so
that both can be asked.`

const diagnoseExamples = `  streamproof diagnose -f streamproof.yaml
  streamproof diagnose --url http://127.0.0.1:8080/chat --direct http://127.0.0.1:8000 --dialect openai-chat --log nginx_error=/var/log/nginx/error.log
  streamproof diagnose --sabotage no-accel-header`

// peelStreams are sent in at each hop unless asked otherwise: enough to see what
// all streams share, few enough to be harmless.
const peelStreams = 8

func diagnoseCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "diagnose [flags]",
		Short:   "Peel the layers and say where and why streams die",
		Long:    diagnoseLong + "\n\n" + exitCodes,
		Example: diagnoseExamples,
		Args:    takes(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			in := &input{runFlags: f, given: cmd.Flags(), from: &config.File{}, peel: true}
			return in.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.registerApp(fs)
	fs.Var(&f.streams, "streams", "send `N` streams in at each hop (default 8)")
	f.registerTrial(fs)
	f.registerOutput(fs)
	return cmd
}
