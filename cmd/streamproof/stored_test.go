package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/verdict"
)

// TestStoredRuns opens and judges run folders that older versions wrote, as they lie
// in testdata/stored: each gives the outcomes, verdicts and causes that it gave then.
// The folder local was written by the local stack of commit ae4af20, with four
// scenarios on a sabotaged origin; its paths are made neutral.
func TestStoredRuns(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join("testdata", "stored", "*", "plan.json"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no stored run: %v", err)
	}
	for _, plan := range dirs {
		dir := filepath.Dir(plan)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			runs, err := openAll([]string{dir})
			if err != nil {
				t.Fatal(err)
			}
			got, path := results(runs[0].Report), dir+".txt"
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s is judged in another way than before (-before +now):\n%s", dir, diff)
			}
		})
	}
}

// results are what a judgement comes down to, without its sentences.
func results(r *verdict.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d streams\n", r.Verdict, r.Started)
	for _, s := range r.Scenarios {
		fmt.Fprintf(&b, "\n%s: %s\n", s.ID, s.Verdict)
		for _, o := range slices.Sorted(maps.Keys(s.Outcomes)) {
			if n := s.Outcomes[o]; n > 0 {
				fmt.Fprintf(&b, "  outcome %s: %d\n", o, n)
			}
		}
		for _, f := range slices.Sorted(maps.Keys(s.Flags)) {
			fmt.Fprintf(&b, "  flag %s: %d\n", f, s.Flags[f])
		}
		for _, c := range s.Checks {
			fmt.Fprintf(&b, "  check %s: %s\n", c.Name, c.Verdict)
		}
		for _, c := range s.Causes {
			fmt.Fprintf(&b, "  cause %s: %s, %s, %d streams %v\n", c.Cause, c.Layer, c.Confidence, c.Count, c.Streams)
		}
	}
	return b.String()
}
