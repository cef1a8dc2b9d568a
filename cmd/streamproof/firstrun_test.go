//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An app of a newcomer: how it is started, what is asked of it, and what one command
// must find out.
type newcomer struct {
	name, program string
	start         func(t *testing.T, port string) *exec.Cmd
	path          string
	args          []string // beside the URL
	env           string
	code          int
	want          []string
}

// TestFirstRun is the newcomer's way, with nothing but a URL: the built program as a
// process of its own, against apps that know nothing of it.
func TestFirstRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts Python, Node and Go programs")
	}
	t.Parallel()
	streamproof := program(t)
	for _, n := range []newcomer{
		{name: "a FastAPI app, asked without its key", program: python, start: keyed, path: "/chat",
			args: []string{"-d", `{"q": "hi"}`}, code: exitUsage,
			want: []string{"401", "the header X-API-Key is missing or wrong", "--header 'X-Api-Key: ${API_KEY}'"}},
		{name: "a FastAPI app", program: python, start: keyed, path: "/chat",
			args: []string{"-d", `{"q": "hi"}`, "-H", "X-API-Key: ${KEY}"}, env: "KEY=sesame", code: exitPass,
			want: []string{"recognised: sse-generic", "data == [DONE]", "PASS"}},
		{name: "a server of OpenAI's API, which takes POST alone", program: python, start: completions,
			path: "/v1/chat/completions", code: exitPass,
			want: []string{"GET was answered with 405", `"model": "small-chat"`, "recognised: openai-chat", "--body @", "PASS"}},
		{name: "a Go server of NDJSON", program: "go", start: lines, path: "/v1/generate",
			code: exitPass, want: []string{"recognised: ndjson-generic", "json .status == finished", "PASS"}},
		{name: "a Node server with a rare bug", program: "node", start: flaky, path: "/events",
			args: []string{"-n", "600", "-c", "50"}, code: exitFail, want: []string{"recognised: sse-generic", "event == finish",
				"FAIL", "truncated"}},
	} {
		t.Run(n.name, func(t *testing.T) {
			if _, err := exec.LookPath(n.program); err != nil {
				t.Skipf("no %s on this host", n.program)
			}
			port := freePort(t)
			serve(t, n.start(t, port), port)
			args := append([]string{"run", "http://127.0.0.1:" + port + n.path, "--seed", "1"}, n.args...)
			dir := t.TempDir()
			out, code := invoke(t, streamproof, dir, n.env, args...)
			for _, body := range regexp.MustCompile(`--body @(\S+)`).FindAllStringSubmatch(out, -1) {
				if _, err := os.Stat(filepath.Join(dir, body[1])); err != nil {
					t.Errorf("the line that repeats the run names a file that is not there: %v", err)
				}
			}
			if code != n.code {
				t.Errorf("exit code %d, want %d", code, n.code)
			}
			for _, w := range n.want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not said", w)
				}
			}
			if strings.Contains(out, "sesame") {
				t.Error("the key is printed")
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// TestInitThenRun is the other way: a file first, of an app that streamproof starts,
// and then a run of that file as it is.
func TestInitThenRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Go program")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go on this host")
	}
	t.Parallel()
	streamproof, dir := program(t), t.TempDir()
	if out, code := invoke(t, streamproof, dir, "", "init", "--command", built(t)+" {port}",
		"--path", "/v1/generate"); code != exitPass || strings.Contains(out, "set stream") {
		t.Fatalf("init: exit code %d\n%s", code, out)
	}
	out, code := invoke(t, streamproof, dir, "", "run", "-f", "streamproof.yaml", "--scenario", "control,cut",
		"--streams", "8")
	if code != exitPass {
		t.Errorf("run: exit code %d, want %d\n%s", code, exitPass, out)
	}
}

// invoke runs the program as a shell would, and returns all that it said.
func invoke(t *testing.T, program, dir, env string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "NO_COLOR=1", env)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

const python = "/usr/bin/python3" // Debian's, which has Debian's packages

func keyed(t *testing.T, port string) *exec.Cmd { return fastapi(t, "keyed", port) }

func completions(t *testing.T, port string) *exec.Cmd { return fastapi(t, "completions", port) }

func fastapi(t *testing.T, app, port string) *exec.Cmd {
	t.Helper()
	if exec.Command(python, "-c", "import fastapi, uvicorn").Run() != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_FASTAPI") != "" {
			t.Fatal("FastAPI and uvicorn are required here and are not installed")
		}
		t.Skip("no FastAPI and uvicorn for " + python + ": 'make setup' installs them")
	}
	return exec.Command(python, "testdata/apps/"+app+".py", port)
}

func flaky(_ *testing.T, port string) *exec.Cmd {
	return exec.Command("node", "testdata/apps/flaky.js", port)
}

func lines(t *testing.T, port string) *exec.Cmd { return exec.Command(built(t), port) }

// built is the program of testdata/apps/lines.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "lines")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/apps/lines").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// serve starts an app and waits until it listens; it ends with the test.
func serve(t *testing.T, cmd *exec.Cmd, port string) {
	t.Helper()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	until(t, "the app's port", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
