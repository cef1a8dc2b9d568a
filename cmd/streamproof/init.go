package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/config"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/scenarios/recipes"
)

const initLong = `Write a commented streamproof.yaml, and beside it the schema that lets editors
complete it. Without a URL, --image or --command it is for the built-in server.
For an app of yours, say what is asked for (--path, --body). Where you do not say
how the answer is read (--dialect), init starts the app, or goes to its URL on
this machine, asks it and reads it off the answer; --no-ask leaves that out.
What is still open is marked in the file. --recipe writes a ready file for a common
stack instead, and beside it the small app that it starts.`

func initCommand() *cobra.Command {
	var s config.Start
	var out string
	var force, noAsk bool
	var headers []string
	var text, recipe string
	cmd := &cobra.Command{
		Use:   "init [URL] [flags]",
		Short: "Write a first streamproof.yaml",
		Long:  initLong,
		Example: "  streamproof init http://127.0.0.1:8000/chat\n" +
			"  streamproof init --command 'python3 app.py --port {port}' --path /chat\n" +
			"  streamproof init --recipe fastapi\n  streamproof run -f streamproof.yaml",
		Args: takes(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := targetOf(args, cmd.Flags(), &s.URL); err != nil {
				return err
			}
			if recipe != "" {
				return writeRecipe(cmd.OutOrStdout(), recipe, out, force, cmd.Flags())
			}
			err := errors.Join(oneApp(s), unasked(s, cmd.Flags()))
			if err == nil && text != "" {
				s.Body, err = body("--body", text)
			}
			var variables []string
			if err == nil {
				s.Headers, variables, err = written(headers)
			}
			if err != nil {
				return err
			}
			if !noAsk && (s.Open() || mayPost(s)) && askable(s) {
				if err := asked(cmd.Context(), &s, headers, out, cmd.ErrOrStderr()); err != nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "streamproof: "+unsettled(err, &s))
				}
			}
			if err := writeStart(out, s, force); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "wrote %s%s; next: %s%sstreamproof run -f %s\n", out, toKeep(s), toSet(s),
				toExport(variables), quote(out))
			return nil
		},
	}
	cmd.Flags().StringVar(&s.URL, "url", "", "for a server that already runs at `URL`")
	cmd.Flags().StringVar(&s.Image, "image", "", "for the container image `NAME`")
	cmd.Flags().StringVar(&s.Command, "command", "", "for the program `'PROGRAM ARGS'`")
	cmd.Flags().StringVar(&recipe, "recipe", "", "for a common stack, with a small app that runs as it is: `NAME` is "+
		strings.Join(recipes.Names(), ", "))
	cmd.Flags().StringVar(&s.Path, "path", "", "what every stream asks for: `PATH` and query")
	cmd.Flags().Var(&s.Dialect, "dialect", "read answers as `NAME`: "+strings.Join(config.Dialects(), ", "))
	cmd.Flags().StringVar(&s.Terminal, "terminal", "",
		"`EXPR` matches the last event of a complete response, see 'streamproof run --help'")
	cmd.Flags().StringVarP(&s.Method, "method", "m", "", "use this HTTP `METHOD` (default GET, or POST with a body)")
	cmd.Flags().StringVarP(&text, "body", "d", "", "send this body, `TEXT|@FILE`, by POST")
	cmd.Flags().StringArrayVarP(&headers, "header", "H", nil,
		"send the header `'K: V'`, repeatable; a value that may be secret is written as a ${VARIABLE}")
	cmd.Flags().BoolVar(&noAsk, "no-ask", false, "do not ask the app how it answers")
	cmd.Flags().StringVarP(&out, "out", "o", "streamproof.yaml", "write to `FILE`")
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there")
	for name, list := range map[string]func() []string{"recipe": recipes.Names, "dialect": config.Dialects} {
		if err := cmd.RegisterFlagCompletionFunc(name, choices(list)); err != nil {
			panic(err) // the flag is there, and is completed once
		}
	}
	return cmd
}

// written are headers as a file may have them, and the variables that stand for
// their values.
func written(headers []string) (list []config.Header, variables []string, err error) {
	for _, h := range headers {
		public := publicHeader(h)
		name, value, err := header(public)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, config.Header{Name: name, Value: value})
		if public != h {
			variables = append(variables, variableName(name))
		}
	}
	return list, variables, nil
}

// toKeep says that the file holds a key.
func toKeep(s config.Start) string {
	if secret.PublicURL(s.URL) == s.URL && secret.PublicURL(s.Path) == s.Path {
		return ""
	}
	return ", which contains the key of the URL: keep it out of version control"
}

// toExport is what the environment needs before the file can be run.
func toExport(variables []string) string {
	if len(variables) == 0 {
		return ""
	}
	return "export " + strings.Join(variables, " ") + ", then "
}

// toSet names what the written file still only guesses.
func toSet(s config.Start) string {
	var keys []string
	if s.Path == "" && s.Image+s.Command != "" {
		keys = append(keys, "stream.path")
	}
	if s.Open() && s.Dialect != "" && s.Own() {
		keys = append(keys, "stream.terminal")
	}
	if len(keys) == 0 {
		return ""
	}
	return "set " + strings.Join(keys, " and ") + " in it, then "
}

func oneApp(s config.Start) error {
	n := 0
	for _, v := range []string{s.URL, s.Image, s.Command} {
		if v != "" {
			n++
		}
	}
	if n > 1 {
		return &harness.UsageError{Place: "init", Problem: "more than one of --url, --image and --command", Fix: "name one"}
	}
	return nil
}

// unasked refuses flags that the file for the built-in server has no place for.
func unasked(s config.Start, given *pflag.FlagSet) error {
	if s.Own() {
		return nil
	}
	for _, name := range []string{"method", "body", "header", "terminal"} {
		if given.Changed(name) {
			return &harness.UsageError{Place: "--" + name, Problem: "the built-in server takes none",
				Fix: "name your app with --url, --image or --command, or leave it out"}
		}
	}
	return nil
}

// writeStart writes the file and its schema. What it wrote is read back first,
// so that a command with an open quote is refused here and not at the first run.
func writeStart(path string, s config.Start, force bool) error {
	s.File = filepath.ToSlash(path)
	text, err := config.Template(s)
	if err != nil {
		return err
	}
	if _, err := config.Parse(path, []byte(text)); err != nil {
		return err
	}
	schema, err := json.MarshalIndent(config.Schema(), "", "  ")
	if err != nil {
		return fmt.Errorf("encode schema: %w", err)
	}
	if err := writeNew(path, []byte(text), force); err != nil {
		return err
	}
	// The schema is ours: an older one is replaced.
	return writeNew(filepath.Join(filepath.Dir(path), config.SchemaFile), append(schema, '\n'), true)
}

func writeNew(path string, data []byte, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if !force {
		mode |= os.O_EXCL
	}
	f, err := os.OpenFile(path, mode, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &harness.UsageError{Place: path, Problem: "is already there", Fix: "name another with -o, or add --force"}
	case err != nil:
		return &harness.UsageError{Place: path, Problem: "cannot write it: " + harness.Reason(err),
			Fix: "name another with -o"}
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// unsettled says what the app's answer, if there was one, leaves for the user to set in the
// file, and puts into it what can be said.
func unsettled(err error, s *config.Start) string {
	open := &recognise.OpenEnd{}
	if !errors.As(err, &open) {
		return "the dialect was not recognised, so the first run will try again: " + plain(firstLine(err))
	}
	s.Dialect, s.Asked = config.Dialect(open.Finding.Dialect), true
	if len(open.Proposals) == 0 {
		return plain(open.Problem) + "; say in the file under terminal: what a last event looks like"
	}
	s.Terminal = open.Proposals[0]
	return plain(open.Problem) + "; the file has terminal: " + plain(s.Terminal) +
		", so check that every answer ends with such an event"
}
