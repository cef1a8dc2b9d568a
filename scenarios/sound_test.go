package scenarios_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/scenarios"
)

// A soundApp is an app in the most ordinary form of its language, which knows
// nothing of us: no stamps, no headers, no shape to be asked for.
type soundApp struct {
	name    string
	needs   []string // programs, or modules of Python as python:NAME
	command []string
	path    string
	method  string
	body    string
	dialect string
	end     string // terminal expression
}

const (
	debianPython = "/usr/bin/python3"            // which has Debian's packages
	debianNode   = "NODE_PATH=/usr/share/nodejs" // for a Node.js that is not Debian's
)

func soundApps() []soundApp {
	return []soundApp{
		{name: "FastAPI text", needs: []string{"python:fastapi", "python:uvicorn"}, path: "/chat", dialect: "text",
			command: []string{debianPython, "-m", "uvicorn", "fastapi_text:app", "--host", "127.0.0.1", "--port", "{port}"}},
		{name: "FastAPI OpenAI, two workers", needs: []string{"python:fastapi", "python:uvicorn"}, path: "/v1/chat/completions", body: "{}", dialect: "openai-chat",
			command: []string{debianPython, "-m", "uvicorn", "fastapi_openai:app", "--host", "127.0.0.1", "--port", "{port}", "--workers", "2"}},
		{name: "Flask under gunicorn", needs: []string{"python:flask", "gunicorn"}, path: "/chat", dialect: "text",
			command: []string{"gunicorn", "flask_text:app", "-k", "gthread", "--threads", "40", "--bind", "127.0.0.1:{port}"}},
		{name: "aiohttp", needs: []string{"python:aiohttp"}, path: "/chat", dialect: "sse-generic", end: "event == done",
			command: []string{debianPython, "aiohttp_sse.py", "{port}"}},
		{name: "Node", needs: []string{"node"}, path: "/chat", dialect: "text", command: []string{"node", "node_text.js"}},
		{name: "Go", needs: []string{"go"}, path: "/chat", dialect: "sse-generic", end: "data == [DONE]", command: []string{"{go}"}},
		{name: "JDK", needs: []string{"java", "javac"}, path: "/chat", dialect: "text", command: []string{"java", "Chat.java"}},
		{name: "Puma", needs: []string{"puma"}, path: "/chat", dialect: "text",
			command: []string{"puma", "-t", "40:40", "-b", "tcp://127.0.0.1:{port}", "config.ru"}},
	}
}

const soundDir = "testdata/sound"

// app is the app as the harness starts it; the test skips where its software is
// not there.
func (a soundApp) app(t *testing.T) harness.App {
	t.Helper()
	needSoftware(t, a.needs...)
	dir, err := filepath.Abs(soundDir)
	if err != nil {
		t.Fatal(err)
	}
	command := append([]string(nil), a.command...)
	if command[0] == "{go}" {
		command[0] = built(t, "./"+soundDir+"/goserver")
	}
	return harness.App{Command: command, Dir: dir, Env: []string{"PYTHONDONTWRITEBYTECODE=1"}, Start: time.Minute,
		Stream: harness.Stream{Path: a.path, Method: a.method, Body: a.body, Dialect: a.dialect, Terminal: a.end}}
}

// needSoftware skips a test where software is missing: programs, or modules of
// Python as python:NAME, of Node.js as node:NAME.
func needSoftware(t *testing.T, names ...string) {
	t.Helper()
	for _, n := range names {
		module, isModule := strings.CutPrefix(n, "python:")
		_, err := exec.LookPath(n)
		if isModule {
			err = exec.Command(debianPython, "-c", "import "+module).Run()
		} else if module, ok := strings.CutPrefix(n, "node:"); ok {
			cmd := exec.Command("node", "-e", "require('"+module+"')")
			cmd.Env = append(os.Environ(), debianNode)
			err = cmd.Run()
		}
		if err != nil {
			if os.Getenv("STREAMPROOF_REQUIRE_FASTAPI") != "" {
				t.Fatalf("%s is required here and is not installed", n)
			}
			t.Skipf("no %s here", n)
		}
	}
}

var builds sync.Map // package to the function that builds it once

// built builds a program of ours once for all tests and returns its path.
func built(t *testing.T, pkg string) string {
	t.Helper()
	build, _ := builds.LoadOrStore(pkg, sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "streamproof-built-")
		if err != nil {
			return "", err
		}
		path := filepath.Join(dir, filepath.Base(pkg))
		if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
		leftoversMu.Lock()
		leftovers = append(leftovers, dir)
		leftoversMu.Unlock()
		return path, nil
	}))
	path, err := build.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// leftovers are folders that end with the test binary.
var (
	leftoversMu sync.Mutex
	leftovers   []string
)

// byDay are the sound apps of make test, which has them by way of init and run: the
// program as a whole. make nightly has them all, three times each, both ways.
var byDay = map[string]bool{"FastAPI text": true}

// TestSoundAppsPass runs the one line of the README on ordinary apps: what they
// cannot play is skipped, and all else passes.
func TestSoundAppsPass(t *testing.T) {
	if !*nightly {
		t.Skip("make nightly runs it; TestInitAndRunPass plays the same by day")
	}
	needNginx(t)
	for _, a := range soundApps() {
		for n := range times(a.name) {
			t.Run(fmt.Sprintf("%s/%d", a.name, n), func(t *testing.T) {
				scenarios.Run(t, a.app(t), scenarios.Standard()...)
			})
		}
	}
}

// TestInitAndRunPass writes a file with init, which reads the dialect off an
// answer, and runs it as it is.
func TestInitAndRunPass(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, a := range soundApps() {
		for n := range times(a.name) {
			t.Run(fmt.Sprintf("%s/%d", a.name, n), func(t *testing.T) { initAndRun(t, a) })
		}
	}
}

func initAndRun(t *testing.T, a soundApp) {
	app, bin := a.app(t), built(t, "../cmd/streamproof")
	dir := t.TempDir() // the file stands beside the app
	if err := os.CopyFS(dir, os.DirFS(soundDir)); err != nil {
		t.Fatal(err)
	}
	args := []string{"init", "--path", a.path, "--command", strings.Join(app.Command, " ")}
	if a.body != "" {
		args = append(args, "--body", a.body)
	}
	run := []string{"run", "-f", "streamproof.yaml"}
	if !*nightly {
		run = append(run, "--scenario", "control,latency,drain") // the origin plays the suite by day
	}
	for _, args := range [][]string{args, run} {
		cmd := exec.Command(bin, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), app.Env...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("streamproof %s: %v\n%s", args[0], err, out)
		}
	}
}

func times(name string) int {
	switch {
	case *nightly:
		return 3
	case byDay[name] && !testing.Short():
		return 1
	}
	return 0
}
