package main

import (
	"fmt"

	"github.com/invopop/jsonschema"
	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

// schemas are what the schema command can print.
var schemas = map[string]func() *jsonschema.Schema{
	"config":  config.Schema,
	"verdict": verdictSchema,
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "schema [config|verdict]",
		Short:     "Print the JSON Schema of streamproof.yaml or verdict.json",
		Example:   "  streamproof schema > streamproof.schema.json\n  streamproof schema verdict",
		Args:      takes(0, 1, ""),
		ValidArgs: []string{"config", "verdict"},
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "config"
			if len(args) > 0 {
				name = args[0]
			}
			schema, ok := schemas[name]
			if !ok {
				return &harness.UsageError{Place: cmd.CommandPath(), Problem: fmt.Sprintf("unknown schema %q", name),
					Fix: config.Suggest(name, cmd.ValidArgs)}
			}
			return writeJSON(cmd.OutOrStdout(), schema())
		},
	}
}
