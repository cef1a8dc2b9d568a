package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// unpastable says what of the commands and fixes in the run folders below dir
// cannot be pasted as it stands. Every run of the tests of this command is held to
// it.
func unpastable(dir string) (wrong []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != reports.JSONFile {
			return nil
		}
		text, err := os.ReadFile(path)
		var r verdict.Report
		if err == nil {
			err = json.Unmarshal(text, &r)
		}
		if err != nil {
			return nil // not a whole report: other tests see to that
		}
		for _, err := range paste.Report(&r, reports.IsCommand) {
			wrong = append(wrong, fmt.Sprintf("%s: %v", path, err))
		}
		for _, c := range commandsOf(&r) {
			if err := pastedOnce(c); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: %v: %s", path, err, c))
			}
		}
		return nil
	})
	return wrong
}

// pasted holds the answers of pastes: a script's folder is looked at after each command.
var pasted sync.Map

// pastedOnce is pastes, which starts a shell, once for each line.
func pastedOnce(line string) error {
	if err, ok := pasted.Load(line); ok {
		err, _ := err.(error)
		return err
	}
	err := pastes(line)
	pasted.Store(line, err)
	return err
}

// commandsOf are the commands that a report prints as code.
func commandsOf(r *verdict.Report) []string {
	all := []string{r.Repro}
	add := func(s string) {
		if reports.IsCommand(s) {
			all = append(all, s)
		}
	}
	for _, s := range r.Scenarios {
		for _, c := range s.Causes {
			add(c.Settle)
		}
		for _, d := range s.Doubts {
			add(d.Settle)
		}
	}
	return all
}

// pastes has a shell split a line, and the command read what is streamproof's own.
func pastes(line string) error {
	if strings.Contains(line, "…") {
		return fmt.Errorf("an ellipsis stands in a command")
	}
	script := `streamproof() { printf '%s\\0' "$@"; printf 'END\\0'; }` + "\n"
	for _, program := range []string{"apt-get", "docker", "make", "curl", "sysctl"} {
		script += program + "() { :; }\n"
	}
	out, err := exec.Command("bash", "-eu", "-c", "APP_URL=http://127.0.0.1:1\n"+strings.ReplaceAll(script, `\\0`, `\0`)+
		line).CombinedOutput()
	if err != nil {
		return fmt.Errorf("no shell takes it: %v: %s", err, out)
	}
	for _, words := range strings.Split(strings.TrimSuffix(string(out), "END\x00"), "END\x00") {
		args := strings.Split(strings.TrimSuffix(words, "\x00"), "\x00")
		if words == "" {
			continue
		}
		root := newRoot()
		root.SetOut(io.Discard)
		cmd, rest, err := root.Find(args)
		if err != nil || cmd == root && len(args) > 0 {
			return fmt.Errorf("no such command: %v", err)
		}
		if err := cmd.ParseFlags(rest); err != nil {
			return err
		}
		if err := cmd.Args(cmd, cmd.Flags().Args()); err != nil {
			return err
		}
	}
	return nil
}

// Tests of other packages cannot ask the command line, and ask package paste: it takes
// the commands, flags and arguments that the command line takes.
func TestPasteKnowsTheCommands(t *testing.T) {
	eachCommand(newRoot(), func(cmd *cobra.Command) {
		if cmd.Hidden {
			return // no text names it
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			line := cmd.CommandPath() + " --" + f.Name
			if err := paste.Command(line + "=?"); err == nil || strings.Contains(err.Error(), "unknown flag") ||
				strings.Contains(err.Error(), "does not know") {
				if f.Value.Type() != "string" && f.Value.Type() != "name" && !strings.HasPrefix(f.Value.Type(), "string") {
					t.Errorf("%s is not known, or takes anything: %v", line, err)
				}
			}
		})
		for n := range 4 {
			args := slices.Repeat([]string{"x"}, n)
			real := cmd.Args == nil || cmd.Args(cmd, args) == nil
			line := strings.Join(append([]string{cmd.CommandPath()}, args...), " ")
			if err := paste.Command(line); real != (err == nil) && n > 0 {
				t.Errorf("%s: the command line takes it: %t; package paste: %v", line, real, err)
			}
		}
	})
}

// The test of commands finds those that cannot be pasted.
func TestPastes(t *testing.T) {
	for line, ok := range map[string]bool{
		"streamproof run --streams 5   # why not":                             true,
		"streamproof diagnose --url http://127.0.0.1:1 --direct \"$APP_URL\"": true,
		"apt-get install nginx && streamproof run --scenario read-timeout":    true,
		"streamproof judge runs/latest":                                       true,
		"streamproof run --total-limits 5m":                                   false,
		"streamproof run --streams many":                                      false,
		"streamproof diagnose --ramp 2s":                                      false,
		"streamproof run --terminal '…'":                                      false,
		"streamproof run --body '${BODY}' \"$NOT_SET\"":                       false,
		"streamproof run --header 'X: it's'":                                  false,
		"streamproof runs":                                                    false,
	} {
		if err := pastes(line); (err == nil) != ok {
			t.Errorf("%s: %v", line, err)
		}
		if err := paste.Command(line); (err == nil) != ok {
			t.Errorf("package paste, of %s: %v", line, err)
		}
	}
}
