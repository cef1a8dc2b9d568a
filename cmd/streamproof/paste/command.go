package paste

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/stream"
)

// program is how our own commands begin.
const program = "streamproof"

// readers are the variables that a command may leave to whoever pastes it, each of which
// stands in the text that explains the command.
var readers = []string{"APP_URL=http://127.0.0.1:1"}

// Command checks a line that is set as a command: a shell must be able to read it, and
// what of it is ours must be a command with flags and values that it takes.
func Command(line string) error {
	if strings.Contains(line, "…") {
		return fmt.Errorf("an ellipsis stands in a command: %s", line)
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(line), "")
	if err != nil {
		return fmt.Errorf("no shell reads it (%w): %s", err, line)
	}
	var errs []error
	syntax.Walk(file, func(n syntax.Node) bool {
		if s, ok := n.(*syntax.Stmt); ok && s.Background {
			errs = append(errs, fmt.Errorf("an & outside of quotes cuts the command in two: %s", line))
		}
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		words, err := expand.Fields(&expand.Config{Env: expand.ListEnviron(readers...), NoUnset: true}, call.Args...)
		if err == nil && len(words) > 0 && words[0] == program {
			err = arguments(words[1:])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%w: %s", err, line))
		}
		return true
	})
	return errors.Join(errs...)
}

// arguments reads those of a command of ours.
func arguments(words []string) error {
	name := program
	known, err := commands()
	if err != nil {
		return err
	}
	for len(words) > 0 && known[name+" "+words[0]] != nil {
		name, words = name+" "+words[0], words[1:]
	}
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	for flag, kind := range known[name] {
		if err := kind.add(set, flag); err != nil {
			return err
		}
	}
	if err := set.Parse(words); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	of := strings.TrimPrefix(strings.TrimPrefix(name, program), " ")
	if most, limited := positional[of]; limited && set.NArg() > most {
		return fmt.Errorf("%s: no such command or argument: %s", name, set.Arg(most))
	}
	if set.NArg() < fewest[of] {
		return fmt.Errorf("%s: an argument is missing", name)
	}
	set.Visit(func(f *pflag.Flag) {
		for _, v := range valuesOf(f) {
			if e := meaning(f.Name, v); e != nil && err == nil {
				err = fmt.Errorf("--%s %q: %w", f.Name, v, e)
			}
		}
	})
	return err
}

func valuesOf(f *pflag.Flag) []string {
	if many, ok := f.Value.(pflag.SliceValue); ok {
		return many.GetSlice()
	}
	return []string{f.Value.String()}
}

// positional is how many arguments beside its flags a command takes at most; others take
// any number.
var positional = map[string]int{
	"": 0, "run": 1, "probe": 1, "diagnose": 1, "search": 1, "judge": 1, "shrink": 1,
	"init": 1, "schema": 1, "version": 0, "trend": 0,
	"history": 0, "history export": 0, "history list": 0, "history prune": 0,
}

// fewest is how many it needs, where it needs any.
var fewest = map[string]int{"compare": 2}

// A kind is the type of a flag's value, as pflag names it, and its short form.
type kind struct{ value, short string }

// add registers a flag of that kind.
func (k kind) add(set *pflag.FlagSet, name string) error {
	switch k.value {
	case "bool":
		set.BoolP(name, k.short, false, "")
	case "string", "name": // a dialect of the file's own has any name
		set.StringP(name, k.short, "", "")
	case "stringArray":
		set.StringArrayP(name, k.short, nil, "")
	case "stringSlice":
		set.StringSliceP(name, k.short, nil, "")
	case "uint64":
		set.Uint64P(name, k.short, 0, "")
	default:
		v := valueOf(k.value)
		if v == nil {
			return fmt.Errorf("package paste does not know values of the type %q of --%s: add it there", k.value, name)
		}
		set.VarP(v, name, k.short, "")
	}
	return nil
}

// valueOf is a value of a type of the configuration's.
func valueOf(name string) pflag.Value {
	for _, v := range []pflag.Value{new(config.Duration), new(config.Rate), new(config.Size), new(config.Count),
		new(config.Factor), new(config.Share), new(config.Arrivals), new(config.Stages), new(config.Retries),
		new(config.Flaky), new(config.Shard), new(config.Think)} {
		if v.Type() == name {
			return v
		}
	}
	return nil
}

// meaning reads a value that is a text for its flag and something else for the program.
func meaning(flag, value string) (err error) {
	switch flag {
	case "terminal", "error":
		_, err = stream.ParseTerminal(value)
	case "order", "owner":
		_, err = stream.ParsePlace(value)
	case "slo":
		_, err = slo.Parse(value)
	case "resolve":
		_, _, err = harness.ParseResolve(value)
	case "header":
		if name, _, ok := strings.Cut(value, ":"); !ok || strings.TrimSpace(name) == "" {
			err = errors.New("no name and value")
		}
	case "path":
		if !strings.HasPrefix(value, "/") {
			err = errors.New("no path")
		}
	case "log":
		if kind, _, ok := strings.Cut(value, "="); ok && !strings.ContainsAny(kind, "/.") {
			if bad := config.LogKind(kind); bad != nil {
				err = bad
			}
		}
	}
	return err
}
