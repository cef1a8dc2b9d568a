package reports

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	made "github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// stored writes the run of in to disk and reads it back.
func stored(t *testing.T, run *record.Run) *record.Run {
	t.Helper()
	got, err := record.Open(made.Store(t, run))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// judged is the failing run with the verdict and causes that the project itself
// finds in what was stored of it.
func judged(t *testing.T) Input {
	t.Helper()
	run := stored(t, failing().Run)
	scopes := verdict.Scopes(run)
	return Input{Run: run, Report: diagnose.ReportScopes(run, scopes), Scopes: scopes}
}

// TestStoredRun goes the whole right-hand half of the road: a stored run is read,
// graded, judged, diagnosed and reported, and every figure agrees with the run.
func TestStoredRun(t *testing.T) {
	in := judged(t)
	dir := t.TempDir()
	if err := WriteAll(dir, in); err != nil {
		t.Fatal(err)
	}
	var got verdict.Report
	text, err := os.ReadFile(filepath.Join(dir, JSONFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range got.Outcomes {
		sum += n
	}
	if sum != len(in.Run.Streams) || got.Started != sum {
		t.Errorf("outcomes add up to %d of %d started; %d streams ran", sum, got.Started, len(in.Run.Streams))
	}
	if got.Verdict == verdict.Pass {
		t.Fatal("a run with truncated streams passes")
	}
	page, err := os.ReadFile(filepath.Join(dir, HTMLFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{shout(got.Verdict), thousands(sum), "truncated"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if all := suites(t, in); all.Failures+all.Errors == 0 {
		t.Error("junit is green")
	}
}

// TestTornRun: a run that was killed yields a report that says so.
func TestTornRun(t *testing.T) {
	run := *failing().Run
	run.Finished, run.Streams = record.Never, run.Streams[:60]
	in := Input{Run: &run, Report: diagnose.Report(&run)}
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "junit": JUnit, "markdown": Markdown, "html": HTML} {
		if !strings.Contains(string(rendered(t, write, in)), "the record has no end: the run was killed") {
			t.Errorf("%s does not say that the run was killed", name)
		}
	}
}

// BenchmarkReport10000x100 is the promise as a user meets it: a stored run in
// memory is graded, judged, diagnosed and rendered.
func BenchmarkReport10000x100(b *testing.B) {
	in := tenThousand()
	dir := b.TempDir()
	b.ReportAllocs()
	for b.Loop() {
		scopes := verdict.Scopes(in.Run)
		report := diagnose.ReportScopes(in.Run, scopes)
		if err := WriteAll(dir, Input{Run: in.Run, Report: report, Scopes: scopes}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/report")
}
