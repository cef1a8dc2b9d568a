package scenarios_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

var (
	accuracyRuns = flag.Int("accuracy", 0, "randomised runs of TestAccuracy")
	accuracySeed = flag.Uint64("seed", 1, "seed of TestAccuracy")
	accuracyOnly = flag.String("cause", "", "play only the runs of TestAccuracy whose true cause begins so")
)

// Targets of the diagnosis, as shares of the runs that can meet them.
const (
	targetFirst = 0.95 // right cause first, with logs
	targetBlind = 0.99 // right cause among the candidates, from client data alone
	targetFalse = 0.01 // control runs in which somebody is blamed
)

// none is the cause of a control run.
const none = "none (control)"

// A finding is what the diagnosis said about one run.
type finding struct {
	Run        int
	Case       string
	Want       string
	First      string   // with all evidence; "" for none
	Candidates []string // from client data alone
	NeedsLogs  bool     // client data cannot know
}

// TestAccuracy is 'make accuracy': randomised runs of known causes and of sound
// apps, and how often the diagnosis is right about them.
func TestAccuracy(t *testing.T) {
	if *accuracyRuns == 0 {
		t.Skip("it takes half an hour: 'make accuracy' runs it")
	}
	needNginx(t)
	var mu sync.Mutex
	var all []finding
	t.Run("runs", func(t *testing.T) {
		r := rand.New(rand.NewPCG(*accuracySeed, 0))
		pool := accuracyCases(t)
		for i := range *accuracyRuns {
			c := pool[i%len(pool)].draw(r)
			if !strings.HasPrefix(c.want, *accuracyOnly) {
				continue
			}
			t.Run(fmt.Sprintf("%d %s", i, c.name), func(t *testing.T) {
				t.Parallel()
				f := c.find(t, i)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, f)
			})
		}
	})
	slices.SortFunc(all, func(a, b finding) int { return a.Run - b.Run })
	score := scoreOf(all)
	text := score.table(all)
	t.Log("\n" + text)
	if err := keepAccuracy(text, all); err != nil {
		t.Error(err)
	}
	if score.first < targetFirst || score.blind < targetBlind || score.wrong > targetFalse {
		t.Errorf("targets missed: first %.3f, blind %.3f, false blame %.3f", score.first, score.blind, score.wrong)
	}
}

// find plays one run and asks twice what was wrong.
func (c *accuracyCase) find(t *testing.T, i int) finding {
	dir := t.TempDir() + "/run"
	c.options.Dir, c.options.Seed = dir, *accuracySeed<<16+uint64(i)
	report, err := scenarios.Execute(t.Context(), c.options)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	pastable(t, report)
	f := finding{Run: i, Case: c.name, Want: c.want, NeedsLogs: c.needsLogs, First: firstBlamed(report)}
	run, err := record.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, cause := range diagnose.Report(clientAlone(run)).Scenarios[0].Causes {
		f.Candidates = append(f.Candidates, cause.Names()...)
	}
	if f.First != f.Want && c.want != none || c.want == none && f.First != "" ||
		c.want != none && !c.needsLogs && !slices.Contains(f.Candidates, f.Want) {
		kept := filepath.Join(accuracyDir(), strconv.Itoa(i))
		t.Logf("%s: named %q, want %q (%s)%s; kept in %s", c.name, f.First, f.Want, report.Why,
			listCauses(report.Scenarios[0].Causes), kept)
		if err := errors.Join(os.RemoveAll(kept), os.CopyFS(kept, os.DirFS(dir))); err != nil {
			t.Error(err)
		}
	}
	return f
}

// firstBlamed is the first cause that accuses somebody else than us.
func firstBlamed(r *verdict.Report) string {
	for _, c := range r.Scenarios[0].Causes {
		if !strings.HasPrefix(c.Cause, diagnose.InjectedFault) {
			return c.Cause
		}
	}
	return ""
}

// clientAlone takes away all that a client by itself would not know: logs,
// events of processes and containers, the server's accounts, what the stack is
// made of. What is left are the streams and our own faults.
func clientAlone(run *record.Run) *record.Run {
	r := *run
	r.Logs, r.Events, r.Notes, r.Hops, r.Ledgers, r.Edges = nil, nil, nil, nil, nil, nil
	r.Plan.App = record.App{Kind: record.AppURL, Name: "http://127.0.0.1:8000/chat"}
	r.Plan.Scenarios = slices.Clone(run.Plan.Scenarios)
	for i := range r.Plan.Scenarios {
		r.Plan.Scenarios[i].Layers = nil
	}
	return &r
}

// A score sums findings up.
type score struct{ first, blind, wrong float64 }

func scoreOf(all []finding) score {
	var causes, first, seen, blind, controls, wrong float64
	for _, f := range all {
		if f.Want == none {
			controls++
			wrong += count(f.First != "")
			continue
		}
		causes++
		first += count(f.First == f.Want)
		if !f.NeedsLogs {
			seen++
			blind += count(slices.Contains(f.Candidates, f.Want))
		}
	}
	return score{first / max(causes, 1), blind / max(seen, 1), wrong / max(controls, 1)}
}

func count(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// table is the confusion matrix as a reader wants it: a line for each true cause
// with what it was taken for.
func (s score) table(all []finding) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "true cause\truns\tnamed first\tclient alone\ttaken for")
	byCause := map[string][]finding{}
	for _, f := range all {
		byCause[f.Want] = append(byCause[f.Want], f)
	}
	for _, cause := range slices.Sorted(maps.Keys(byCause)) {
		fs := byCause[cause]
		first, blind, seen := 0, 0, 0
		taken := map[string]int{}
		for _, f := range fs {
			right := f.First == f.Want || f.Want == none && f.First == ""
			if first += int(count(right)); !right {
				taken[f.First]++
			}
			if !f.NeedsLogs && f.Want != none {
				seen++
				blind += int(count(slices.Contains(f.Candidates, f.Want)))
			}
		}
		alone := fmt.Sprintf("%d of %d", blind, seen)
		if seen == 0 {
			alone = "–"
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%s\n", cause, len(fs), first, alone, confused(taken))
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%d runs, seed %d: right cause first with logs %.1f %%; among the candidates from client data alone %.1f %%; false blame on control runs %.1f %%\n",
		len(all), *accuracySeed, 100*s.first, 100*s.blind, 100*s.wrong)
	return b.String()
}

func confused(taken map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(taken)) {
		parts = append(parts, fmt.Sprintf("%d × %s", taken[name], orNothing(name)))
	}
	return strings.Join(parts, ", ")
}

func orNothing(name string) string {
	if name == "" {
		return "nothing"
	}
	return name
}

// accuracyDir is where the table stands, and the folder of each run that went wrong:
// below $STREAMPROOF_DIR, or beside the other runs.
func accuracyDir() string {
	dir := os.Getenv("STREAMPROOF_DIR")
	if dir == "" {
		dir = "../runs"
	}
	return filepath.Join(dir, fmt.Sprintf("accuracy-%d", *accuracySeed))
}

// keepAccuracy writes the table and every finding.
func keepAccuracy(text string, all []finding) error {
	dir := accuracyDir()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep accuracy: %w", err)
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return fmt.Errorf("keep accuracy: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "accuracy.txt"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("keep accuracy: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "accuracy.json"), data, 0o644)
}
