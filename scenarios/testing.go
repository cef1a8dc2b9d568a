package scenarios

import (
	"cmp"
	"errors"
	"flag"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/recognise"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
)

// Run plays each scenario against app in a subtest of its own. A verdict other
// than pass fails the subtest with its reason, its causes and a line that
// repeats it; inconclusive never passes. A scenario about something that the app
// has not got is skipped with the reason, unless [Require] makes it obligatory.
// Artefacts go to t.ArtifactDir, or below
// $STREAMPROOF_DIR where that is set; $STREAMPROOF_SEED repeats a run.
func Run(t *testing.T, app harness.App, list ...harness.Scenario) {
	t.Helper()
	if len(list) == 0 {
		list = Standard()
	}
	app = recognised(t, app)
	for _, sc := range list {
		t.Run(sc.ID, func(t *testing.T) { runOne(t, app, sc) })
	}
}

// recognised is app with the dialect that it answers in, where the caller names none. A
// server that is not there, that this machine does not trust, or that turns the request
// away ends the test before any load.
func recognised(t *testing.T, app harness.App) harness.App {
	t.Helper()
	o := harness.Options{App: app}
	if app.IsOrigin() {
		return app
	}
	var f *recognise.Finding
	err := recognise.Reach(t.Context(), o)
	if err == nil {
		o.Opener, err = Opener(app)
	}
	if err == nil {
		f, err = recognise.Fill(t.Context(), &o, func(p *recognise.Posted) { t.Logf("%s", p) })
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	if f != nil {
		t.Logf("recognised: %s", f)
	}
	return o.App
}

// RunOptions does the same for options as a whole, all scenarios in one run: with a load,
// limits and a seed of their own. Where they name no folder, it is one of the test's.
func RunOptions(t *testing.T, o harness.Options) {
	t.Helper()
	o.App = recognised(t, o.App)
	execute(t, o)
}

func runOne(t *testing.T, app harness.App, sc harness.Scenario) {
	execute(t, harness.Options{App: app, Scenarios: []harness.Scenario{sc}})
}

func execute(t *testing.T, o harness.Options) {
	dir, sc := cmp.Or(o.Dir, artefacts(t)), o.Scenarios[0]
	o.Dir, o.Tool, o.Repro = dir, "go test", "STREAMPROOF_SEED={seed} go test -run '^"+t.Name()+"$'"
	if o.Seed == 0 || os.Getenv("STREAMPROOF_SEED") != "" {
		o.Seed = seed(t)
	}
	report, err := Execute(t.Context(), o)
	var usage *harness.UsageError
	var start *stack.StartError
	switch {
	case errors.As(err, &usage):
		t.Fatalf("%v", err)
	case errors.As(err, &start):
		t.Fatalf("%v\n%s", err, strings.Join(start.Tail, "\n"))
	case err != nil:
		t.Fatalf("internal error: %v (artefacts in %s)", err, dir)
	case len(o.Scenarios) == 1 && passedOver(&report.Scenarios[0], sc.Required):
		t.Skipf("%s: %s", sc.ID, report.Scenarios[0].Why)
	case report.Verdict != verdict.Pass:
		var text strings.Builder
		if err := reports.Text(&text, reports.Input{Report: report}); err != nil {
			t.Error(err)
		}
		t.Errorf("%s\nreport: %s", text.String(), filepath.Join(dir, reports.HTMLFile))
	default:
		t.Logf("%s", report.Why)
	}
}

// passedOver reports whether a scenario is to be skipped: the app has nothing that
// it could be about, or this machine cannot play it. Nobody asked for it by name.
func passedOver(s *verdict.ScenarioReport, required bool) bool {
	return !required && (s.Verdict == verdict.NotApplicable || s.Unable())
}

// artefacts is a folder for the run that does not exist yet.
func artefacts(t *testing.T) string {
	name := strings.ReplaceAll(t.Name(), "/", "-")
	if base := os.Getenv("STREAMPROOF_DIR"); base != "" {
		dir := filepath.Join(base, name)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if kept := flag.Lookup("test.artifacts"); kept != nil && kept.Value.String() == "true" {
		return filepath.Join(t.ArtifactDir(), name)
	}
	base, err := os.MkdirTemp("", "streamproof-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			os.RemoveAll(base)
		}
	})
	return filepath.Join(base, name)
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
