package scenarios_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// deaf is the chat behind a PID 1 that ignores SIGTERM and passes none on, as a
// shell script does: nothing but SIGKILL ends its container.
func deaf(t *testing.T) harness.App {
	t.Helper()
	file := filepath.Join(t.TempDir(), "compose.yml")
	text := "services:\n  chat:\n    image: " + fastapiImage + `
    entrypoint: ["sh", "-c", "trap '' TERM; python3 serve.py & while :; do sleep 1; done"]` + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	app := chat()
	app.Image, app.Compose = "", stack.Compose{File: file, Service: "chat"}
	app.Grace, app.Edge = 2*time.Second, streaming
	return app
}

// ofOurs lists the containers and networks that this process has started.
func ofOurs(t *testing.T) (list []string) {
	t.Helper()
	ours := fmt.Sprintf("label=io.github.streamproof.pid=%d", os.Getpid())
	for _, args := range [][]string{{"ps", "-a"}, {"network", "ls"}} {
		out, err := exec.Command("docker", append(args, "-q", "--filter", ours)...).CombinedOutput()
		if err != nil {
			t.Errorf("docker %s: %s %v", args[0], out, err)
		}
		list = append(list, strings.Fields(string(out))...)
	}
	return list
}

// TestContainerThatWillNotStop: one that is deaf to SIGTERM is killed when its
// grace is over, by the drain and by the end of the stack, and its streams are
// judged. One that would be waited for for ever leaves the scenario inconclusive.
func TestContainerThatWillNotStop(t *testing.T) {
	bynight.Only(t, "harness/play in memory; TestCausesOnDocker/docker_stop_out_of_grace")
	needDocker(t)
	for _, tc := range []struct {
		name  string
		grace time.Duration
		total time.Duration // of a stream
		want  verdict.Verdict
		why   string // part of the reason
		code  int    // of the exit; 0 for none
		cause string
	}{
		{"killed after its grace", time.Second, 0, verdict.Fail, "aborted", 137, diagnose.GraceTooShort},
		{"waited for", 10 * time.Minute, 3 * time.Second, verdict.Inconclusive, "was not done 3s after the streams were over", 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			sc := scenarios.Drain()
			sc.Fault = fault.Drain{Grace: tc.grace}
			dir := t.TempDir() + "/run"
			running := 0
			r, err := bounded(t, harness.Options{App: deaf(t), Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 10}, Total: tc.total, Dir: dir,
				Progress: func(p harness.Progress) {
					if p.Phase == "streams" && running == 0 {
						running = len(ofOurs(t))
					}
				}})
			if err != nil {
				t.Fatal(err)
			}
			if left := ofOurs(t); running == 0 || len(left) > 0 {
				t.Errorf("of %d containers and networks there is left: %v", running, left)
			}
			s := r.Scenarios[0]
			if s.Verdict != tc.want || !strings.Contains(s.Why, tc.why) {
				t.Errorf("%s: %s%s", s.Verdict, s.Why, listCauses(s.Causes))
			}
			if tc.cause != "" && (len(s.Causes) == 0 || s.Causes[0].Cause != tc.cause) {
				t.Errorf("want %s, named: %s", tc.cause, listCauses(s.Causes))
			}
			run, err := record.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(run.Events, func(e record.Event) bool {
				return e.Source == record.ProcessSource && e.Kind == record.KindExit && e.Pid == 1
			})
			if (i >= 0) != (tc.code != 0) || i >= 0 && run.Events[i].Code != tc.code {
				t.Errorf("the exit of PID 1 is event %d of %+v, want code %d", i, run.Events, tc.code)
			}
		})
	}
}
