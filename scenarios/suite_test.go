package scenarios_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/cmd/streamproof/paste"
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

// needNginx skips a test that is about nginx where there is none, and fails it
// where the machine promised one.
func needNginx(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_NGINX") != "" {
			t.Fatal("nginx is required here and is not installed")
		}
		t.Skip("no nginx on this host: 'make setup' installs one")
	}
}

// TestStandardSuitePasses is the main job, as a user of package testing runs it: a few
// scenarios one after another, beside the others.
func TestStandardSuitePasses(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for list := range slices.Chunk(scenarios.Standard(), 2) {
		t.Run(list[0].ID+" and on", func(t *testing.T) {
			t.Parallel()
			scenarios.Run(t, harness.App{}, list...)
		})
	}
}

// TestEveryScenarioHasItsPapers keeps the catalogue whole.
func TestEveryScenarioHasItsPapers(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios.All() {
		if s.ID == "" || s.Title == "" || s.Doc == "" {
			t.Errorf("scenario %+v lacks an ID, a title or a sentence", s)
		}
		if s.Symptom == "" || s.LookAlike == "" {
			t.Errorf("%s does not say how a broken promise shows, or what that is taken for", s.ID)
		}
		if seen[s.ID] {
			t.Errorf("two scenarios are called %s", s.ID)
		}
		seen[s.ID] = true
		if s.Fault != nil && s.Policy.MinInBody == 0 {
			t.Errorf("%s injects a fault and asks for no victims in their body", s.ID)
		}
		if s.Edge.Form == "" {
			t.Errorf("%s does not say which edge it runs behind", s.ID)
		}
	}
	if _, ok := scenarios.Lookup("control"); !ok {
		t.Error("control cannot be looked up")
	}
}

// play runs one scenario and returns the report.
func play(t *testing.T, o harness.Options) *verdict.Report {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir() + "/run"
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	t.Cleanup(func() { keepFailed(t, o.Dir) })
	report, err := scenarios.Execute(t.Context(), o)
	if err != nil {
		t.Fatalf("execute: %v", err)
	}
	checkSum(t, report)
	pastable(t, report)
	return report
}

// keepFailed copies the run of a test that failed to a folder of $STREAMPROOF_FAILED, where
// that is set: one that failed once in many times tells why by its record alone.
func keepFailed(t *testing.T, dir string) {
	to := os.Getenv("STREAMPROOF_FAILED")
	if to == "" || !t.Failed() {
		return
	}
	to = filepath.Join(to, strings.ReplaceAll(t.Name(), "/", "_"))
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Errorf("keep %s: %v", dir, err)
	}
}

// pastable holds every report of these tests to the rule that what it prints for pasting
// can be pasted.
func pastable(t *testing.T, r *verdict.Report) {
	t.Helper()
	for _, err := range paste.Report(r, reports.IsCommand) {
		t.Error(err)
	}
}

// checkSum holds every run of these tests to the rule that each stream has
// exactly one outcome.
func checkSum(t *testing.T, r *verdict.Report) {
	t.Helper()
	sum := 0
	for _, n := range r.Outcomes {
		sum += n
	}
	if sum != r.Started || r.Started == 0 && !idle(r) {
		t.Errorf("%d streams started, outcomes sum up to %d: %v", r.Started, sum, r.Outcomes)
	}
}

func scenario(t *testing.T, id string) harness.Scenario {
	t.Helper()
	s, ok := scenarios.Lookup(id)
	if !ok {
		t.Fatalf("no scenario %s", id)
	}
	return s
}

// idle reports whether no scenario of r sent a stream because none applies to the
// app.
func idle(r *verdict.Report) bool {
	return !slices.ContainsFunc(r.Scenarios, func(s verdict.ScenarioReport) bool {
		return !slices.ContainsFunc(s.Checks, func(c verdict.Check) bool { return c.Name == "scenario applies" && c.Verdict != verdict.Pass })
	})
}
