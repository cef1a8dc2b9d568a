package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
)

// TestFlagsOfTextsExist: a flag that a report, an error, the help or a page names is
// one of ours, or known to be another program's.
func TestFlagsOfTextsExist(t *testing.T) {
	t.Parallel()
	ours := map[string]bool{}
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		cmd.InitDefaultVersionFlag()
		cmd.Flags().VisitAll(func(f *pflag.Flag) { ours["--"+f.Name] = true })
	})
	read := 0
	userText(t, func(place, text string) {
		if strings.Contains(place, ".tmpl") {
			return // custom properties of CSS look the same
		}
		for _, m := range paste.Flag.FindAllStringSubmatch(text, -1) {
			read++
			if !ours[m[1]] && !slices.Contains(paste.Others, m[1]) {
				t.Errorf("%s: no command has the flag %s\n\t%.160q", place, m[1], text)
			}
		}
	})
	if read < 200 {
		t.Errorf("only %d flags were read", read)
	}
}

func eachCommand(cmd *cobra.Command, yield func(*cobra.Command)) {
	yield(cmd)
	for _, c := range cmd.Commands() {
		eachCommand(c, yield)
	}
}

// verb is a place of a format string, and what may stand there.
var verb = regexp.MustCompile(`%[0-9.]*[a-z]`)

// addition is a flag with its value, to add to a run.
var addition = regexp.MustCompile(`^--[a-z][a-z-]+ ('[^']*'|\S+)$`)

// TestFlagsToAddParse: texts that are flags to add to a run, and commands of ours that
// stand whole in the sources, are taken by the command line.
func TestFlagsToAddParse(t *testing.T) {
	t.Parallel()
	read := 0
	userText(t, func(place, text string) {
		line, _, _ := strings.Cut(strings.TrimSpace(text), "   #")
		line = verb.ReplaceAllString(line, "1")
		switch {
		case !strings.Contains(place, ".go:"), strings.ContainsAny(line, "\n;…"), strings.HasSuffix(text, " "):
			return // no source, several lines, or the beginning of a command
		case addition.MatchString(line):
			line = "streamproof run " + line
		case strings.HasPrefix(line, "streamproof run -"), strings.HasPrefix(line, "streamproof diagnose -"):
		default:
			return
		}
		for _, f := range paste.Others {
			if strings.Contains(line, f+" ") {
				return
			}
		}
		read++
		if err := pastes(line); err != nil {
			t.Errorf("%s: %v\n\t%s", place, err, line)
		}
	})
	if read < 10 {
		t.Errorf("only %d were read", read)
	}
}
