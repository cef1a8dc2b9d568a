package scenarios

import (
	"cmp"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// Run plays each scenario against app in a subtest of its own. A verdict other
// than pass fails the subtest with its reason, its causes and a line that
// repeats it; inconclusive never passes. Artefacts go to t.ArtifactDir, or below
// $STREAMPROOF_DIR where that is set; $STREAMPROOF_SEED repeats a run.
func Run(t *testing.T, app harness.App, list ...harness.Scenario) {
	t.Helper()
	if len(list) == 0 {
		list = Standard()
	}
	for _, sc := range list {
		t.Run(sc.ID, func(t *testing.T) { runOne(t, app, sc) })
	}
}

func runOne(t *testing.T, app harness.App, sc harness.Scenario) {
	dir := artefacts(t)
	report, err := Execute(t.Context(), harness.Options{App: app, Scenarios: []harness.Scenario{sc}, Dir: dir,
		Seed: seed(t), Tool: "go test", Repro: "go test -run '^" + t.Name() + "$'"})
	var usage *harness.UsageError
	switch {
	case errors.As(err, &usage):
		t.Fatalf("%v", err)
	case err != nil:
		t.Fatalf("the harness broke: %v (artefacts in %s)", err, dir)
	case report.Verdict != verdict.Pass:
		var text strings.Builder
		run := reports.Input{Report: report}
		if err := reports.Text(&text, run); err != nil {
			t.Error(err)
		}
		t.Errorf("%s\nrepeat it with STREAMPROOF_SEED=%d; report: %s", text.String(), report.Seed, filepath.Join(dir, "report.html"))
	}
}

// artefacts is an empty folder for the run.
func artefacts(t *testing.T) string {
	base := cmp.Or(os.Getenv("STREAMPROOF_DIR"), t.ArtifactDir())
	dir := filepath.Join(base, strings.ReplaceAll(t.Name(), "/", "-"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// seed is the user's, or one that belongs to the test's name, so that a test
// repeats itself.
func seed(t *testing.T) uint64 {
	if s := os.Getenv("STREAMPROOF_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("STREAMPROOF_SEED: %v", err)
		}
		return n
	}
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return h.Sum64()
}
