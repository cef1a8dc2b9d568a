package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

const about = `streamproof proves that every stream completes or fails cleanly.

It starts an app behind a proxy, sends concurrent streaming load, injects faults
while streams are in flight, judges every single stream, explains why the bad ones
went bad, and writes a report.`

const exitCodes = `Exit codes: 0 pass, 1 fail, 2 inconclusive (or interrupted), 3 internal error,
64 bad input.`

const firstSteps = `  streamproof run                      # the standard suite on the built-in server: no config needed
  streamproof run http://127.0.0.1:8000/chat -d '{"q": "hi"}'
  streamproof probe http://127.0.0.1:8000/chat
  streamproof init --command 'python3 app.py'
  streamproof run -f streamproof.yaml`

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:               "streamproof",
		Short:             "Prove that every stream completes or fails cleanly",
		Long:              about + "\n\n" + exitCodes,
		Example:           firstSteps,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           versionLine(),
		Args:              knownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetFlagErrorFunc(flagError)
	root.SetVersionTemplate("{{.Version}}\n")
	narrow(root)
	root.AddCommand(runCommand(), searchCommand(), probeCommand(), diagnoseCommand(), judgeCommand(), reportCommand(),
		compareCommand(), trendCommand(), shrinkCommand(), historyCommand(), scenariosCommand(), initCommand(),
		schemaCommand(), versionCommand(), workerCommand())
	return root
}

// knownCommand is asked only when no command was recognised.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return &harness.UsageError{Place: args[0], Problem: "unknown command", Fix: config.Suggest(args[0], names)}
}

// surplus says what to do with an argument too many that is clearly a body or a second
// URL; "" where nobody knows.
func surplus(cmd *cobra.Command, arg string) string {
	switch {
	case cmd.Flags().Lookup("url") == nil:
	case strings.HasPrefix(arg, "{") || strings.HasPrefix(arg, "["):
		return "a body goes with --body: --body " + quote(arg)
	case strings.Contains(arg, "://"):
		return "give one URL a run"
	}
	return ""
}

// takes checks the number of arguments in the words of the command.
func takes(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		place := cmd.CommandPath()
		switch {
		case len(args) < least:
			return &harness.UsageError{Place: place, Problem: what + " is missing",
				Fix: "write '" + strings.TrimSuffix(cmd.UseLine(), " [flags]") + "'"}
		case most >= 0 && len(args) > most:
			return &harness.UsageError{Place: cmd.Name(), Problem: fmt.Sprintf("unexpected argument %q", args[most]),
				Fix: cmp.Or(surplus(cmd, args[most]), "see '"+place+" --help'")}
		}
		return nil
	}
}
