package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// runsCommands pastes each command that the report of a run prints into a shell, in
// the folder in which the run was started, while its server is still there. The one
// that repeats the run ends as the run did; each other one ends with a verdict.
func runsCommands(t *testing.T, work, dir, server string, code int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, reports.JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	var r verdict.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	path := filepath.Dir(program(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
	for i, line := range slices.Compact(slices.Sorted(slices.Values(commandsOf(&r)))) {
		if !strings.HasPrefix(line, "streamproof ") || strings.Contains(line, "apt-get") {
			continue
		}
		if i > 4 {
			t.Fatalf("a report with %d commands: run those of another case", i)
		}
		cmd := exec.Command("bash", "-eu", "-c", line)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "PATH="+path, "APP_URL="+server, "NO_COLOR=1", "GITHUB_ACTIONS=")
		out, err := cmd.CombinedOutput()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		got := cmd.ProcessState.ExitCode()
		switch {
		case line == r.Repro && got != code:
			t.Errorf("exit code %d of the command that repeats the run, whose code was %d: %s\n%s", got, code, line, out)
		case got != exitPass && got != exitFail && got != exitInconclusive:
			t.Errorf("exit code %d: %s\n%s", got, line, out)
		}
	}
}
