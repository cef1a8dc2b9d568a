package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
)

// flagError puts what pflag found wrong into one line with a fix.
func flagError(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &missing):
		f := missing.GetFlag()
		kind, _ := pflag.UnquoteUsage(f)
		return &harness.UsageError{Place: "--" + f.Name, Problem: "its value is missing",
			Fix: fmt.Sprintf("write --%s %s", f.Name, kind)}
	case errors.As(err, &invalid):
		return invalidFlag(invalid)
	}
	return &harness.UsageError{Place: cmd.CommandPath(), Problem: err.Error(), Fix: seeHelp(cmd)}
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name, fix := e.GetSpecifiedName(), seeHelp(cmd)
	if e.GetSpecifiedShortnames() != "" {
		if m, ok := letters[name]; ok && cmd.Flags().Lookup("url") != nil {
			fix = did(m)
		}
		return &harness.UsageError{Place: "-" + name, Problem: "unknown flag", Fix: fix}
	}
	if m := meant(name, cmd.Flags()); m != "" {
		fix = did(m)
	}
	return &harness.UsageError{Place: "--" + name, Problem: "unknown flag", Fix: fix}
}

func invalidFlag(e *pflag.InvalidValueError) error {
	place := "--" + e.GetFlag().Name
	var v *config.ValueError
	if errors.As(e, &v) {
		return &harness.UsageError{Place: place, Problem: v.Problem, Fix: v.Fix}
	}
	problem, fix := "no valid value", ""
	switch f := e.GetFlag(); f.Value.Type() {
	case "uint64":
		problem, fix = "no "+f.Name, "write a whole number from 1, such as --"+f.Name+" 42"
	case "bool":
		problem, fix = "neither true nor false", "write --"+f.Name+" alone"
	default:
		kind, _ := pflag.UnquoteUsage(f)
		fix = "write --" + f.Name + " " + kind
	}
	return &harness.UsageError{Place: place, Problem: fmt.Sprintf("%q is %s", e.GetValue(), problem), Fix: fix}
}

func seeHelp(cmd *cobra.Command) string { return "see '" + cmd.CommandPath() + " --help'" }
