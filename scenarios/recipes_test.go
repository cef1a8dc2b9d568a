package scenarios_test

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
)

const recipesDir = "recipes"

// A recipe is what the file of that name needs.
type recipe struct {
	file  string
	needs []string
	env   []string
	build string // package of Go that becomes ./server
	night bool   // make nightly runs it; by day its file is only listed
}

func recipes() []recipe {
	python := []string{"python:fastapi", "python:uvicorn", "uvicorn"}
	return []recipe{
		{file: "fastapi.yaml", needs: python},
		{file: "llamaindex.yaml", night: true, needs: python},
		{file: "express.yaml", night: true, needs: []string{"node", "node:express"}, env: []string{debianNode}},
		{file: "gohttp.yaml", build: "./recipes/gohttp"},
		{file: "litellm.yaml", night: true, needs: []string{"python:aiohttp"}, env: []string{"LITELLM_KEY=sk-1234"}},
		{file: "vllm.yaml", night: true, needs: python},
	}
}

// TestRecipes runs each recipe as it is: it passes, and its fault was seen. By day two,
// one in Python and one in Go.
func TestRecipes(t *testing.T) {
	needNginx(t)
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(recipesDir, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := recipes()
	for _, f := range files {
		if !slices.ContainsFunc(all, func(r recipe) bool { return r.file == filepath.Base(f) }) {
			t.Errorf("%s is not tested", f)
		}
	}
	page, err := os.ReadFile(filepath.Join(recipesDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, pkg := range []string{"../cmd/streamproof", "./recipes/gohttp"} {
		built(t, pkg) // one after another, before the recipes run beside each other
	}
	for _, r := range all {
		if !strings.Contains(string(page), "[`"+r.file+"`]("+r.file+")") {
			t.Errorf("README.md does not list %s", r.file)
		}
		if r.night && !*nightly {
			continue
		}
		t.Run(strings.TrimSuffix(r.file, ".yaml"), func(t *testing.T) {
			t.Parallel()
			r.play(t)
		})
	}
}

func (r recipe) play(t *testing.T) {
	needSoftware(t, r.needs...)
	bin, dir := built(t, "../cmd/streamproof"), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(recipesDir)); err != nil {
		t.Fatal(err)
	}
	if r.build != "" {
		if err := os.Symlink(built(t, r.build), filepath.Join(dir, "server")); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(bin, "run", "-f", r.file, "--seed", "7", "-o", "run")
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1"), r.env...)
	text, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	report := new(verdict.Report)
	b, err := os.ReadFile(filepath.Join(dir, "run", "verdict.json"))
	if err == nil {
		err = json.Unmarshal(b, report)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, s := range report.Scenarios {
		if s.Verdict != verdict.Pass {
			t.Errorf("%s: %s (%s)", s.ID, s.Verdict, s.Why)
		}
	}
	if len(report.Scenarios) < 2 || report.Verdict != verdict.Pass {
		t.Errorf("%d scenarios, %s", len(report.Scenarios), report.Verdict)
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}
