package scenarios_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// fastapi is the chat of docker/fastapi under uvicorn, as a command on this host.
func fastapi(t *testing.T, env ...string) harness.App {
	t.Helper()
	const python = "/usr/bin/python3" // Debian's, which has Debian's packages
	if err := exec.Command(python, "-c", "import fastapi, uvicorn").Run(); err != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_FASTAPI") != "" {
			t.Fatal("FastAPI and uvicorn are required here and are not installed")
		}
		t.Skip("no FastAPI and uvicorn for " + python + ": 'make setup' installs them")
	}
	dir, err := filepath.Abs("../docker/fastapi")
	if err != nil {
		t.Fatal(err)
	}
	return harness.App{
		Command: []string{python, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "{port}"},
		Dir:     dir, Health: "/healthz", Env: append([]string{"PYTHONDONTWRITEBYTECODE=1"}, env...),
		Stream: harness.Stream{Path: "/chat?events=10&gap=50ms", Dialect: "openai-chat"},
	}
}

func TestFastAPI(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, tc := range []struct {
		name    string
		env     []string
		edge    stack.EdgeForm
		verdict verdict.Verdict
		cause   string
		night   bool // make nightly has it
	}{
		{"fixed", nil, stack.EdgeStreaming, verdict.Pass, "", true},
		{"fixed behind the default edge", nil, stack.EdgeDefault, verdict.Pass, "", false},
		{"raises mid-stream", []string{"BREAK=raise-mid-stream"}, stack.EdgeStreaming, verdict.Fail, diagnose.AppError, false},
		{"raises behind the default edge", []string{"BREAK=raise-mid-stream"}, stack.EdgeDefault, verdict.Fail, diagnose.LaunderedByEdge, true},
	} {
		if tc.night && !*nightly {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			app := fastapi(t, tc.env...)
			app.Edge.Form = tc.edge
			report := play(t, harness.Options{App: app, Scenarios: []harness.Scenario{scenario(t, "control")}, Load: harness.Load{Streams: 6}})
			if report.Verdict != tc.verdict {
				if report.Verdict == verdict.Inconclusive {
					busy.Excuse(t, &report.Scenarios[0])
				}
				t.Errorf("verdict %s (%s), want %s", report.Verdict, report.Why, tc.verdict)
			}
			checkCause(t, report, tc.cause)
			if tc.cause == "" && len(report.Scenarios[0].Causes) > 0 {
				t.Errorf("a sound app is blamed: %+v", report.Scenarios[0].Causes)
			}
		})
	}
}
