package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/verdict"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema [config|verdict|streams]",
		Short:     "Print the JSON Schema of streamproof.yaml, verdict.json or streams.jsonl",
		Example:   "  streamproof schema > streamproof.schema.json\n  streamproof schema verdict",
		Args:      takes(0, 1, ""),
		ValidArgs: []string{"config", "verdict", "streams"},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "config"
			if len(args) > 0 {
				name = args[0]
			}
			switch w := cmd.OutOrStdout(); name {
			case "config":
				return writeJSON(w, config.Schema())
			case "verdict":
				return write(w, verdict.VerdictSchema)
			case "streams":
				return write(w, verdict.StreamsSchema)
			}
			return &harness.UsageError{Place: cmd.CommandPath(), Problem: fmt.Sprintf("unknown schema %q", name),
				Fix: config.Suggest(name, cmd.ValidArgs)}
		},
	}
}

func write(w io.Writer, b []byte) error {
	_, err := w.Write(b)
	return err
}
