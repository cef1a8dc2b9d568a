//go:build linux

package strangers

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
)

var (
	planted  = flag.Int("planted", 0, "planted runs of TestStrangers")
	sound    = flag.Int("sound", 0, "sound runs of TestStrangers, two thirds of them diagnose")
	seed     = flag.Uint64("seed", 1, "seed of TestStrangers")
	parallel = flag.Int("at-once", 3, "stacks of TestStrangers that run at a time")
	only     = flag.String("only", "", "play only the cases of TestStrangers that match")
)

// What the diagnosis must reach on software that it does not know.
const (
	targetFirst = 0.90
	targetLayer = 0.95
	targetAmong = 0.98
	targetBlame = 0.01
)

// TestStrangers is 'make strangers': stacks of strangers, each with one cause or
// none, and how often the diagnosis is right about them.
func TestStrangers(t *testing.T) {
	if *planted+*sound == 0 {
		t.Skip("it takes half an hour: 'make strangers' runs it")
	}
	dir := matrixDir(t)
	all := playAll(t, Draw(*seed, *planted, *sound), dir)
	table := Table(all)
	t.Log("\n" + table)
	if err := keep(dir, table, all); err != nil {
		t.Error(err)
	}
	s := Count(all)
	if share(s.First, s.Planted) < targetFirst || share(s.Layer, s.Planted) < targetLayer || share(s.Among, s.Known) < targetAmong {
		t.Errorf("targets missed: %s", s)
	}
	for _, command := range both {
		if n := s.Sound[command]; n > 0 && float64(s.Blamed[command]) > max(1, targetBlame*float64(n)) {
			t.Errorf("%s blames sound stacks: %d of %d", command, s.Blamed[command], n)
		}
	}
	if s.Broken > 0 {
		t.Errorf("%d runs broke", s.Broken)
	}
}

// matrixDir is where runs are kept: below $STREAMPROOF_DIR, or beside the other
// runs.
func matrixDir(t *testing.T) string {
	base := os.Getenv("STREAMPROOF_DIR")
	if base == "" {
		base = "../../runs"
	}
	dir, err := filepath.Abs(filepath.Join(base, fmt.Sprintf("strangers-%d", *seed)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// playAll plays cases, some at a time, and keeps the runs of those that went wrong.
func playAll(t *testing.T, cases []*Case, dir string) []*Answer {
	matching := regexp.MustCompile(*only)
	var all []*Answer
	var mu sync.Mutex
	var wait sync.WaitGroup
	slots := make(chan struct{}, *parallel)
	for _, c := range cases {
		if !matching.MatchString(fmt.Sprintf("#%d %s", c.N, c)) {
			continue
		}
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			of := filepath.Join(dir, fmt.Sprintf("%03d", c.N))
			os.RemoveAll(of)
			if err := os.MkdirAll(of, 0o755); err != nil {
				t.Error(err)
				return
			}
			a := c.Play(t.Context(), of)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, a)
			t.Logf("#%d %s (%.1f s): %s %s", c.N, c, a.Seconds, a.Verdict, orRight(a.wrong()))
			if a.wrong() == "" && *only == "" {
				os.RemoveAll(of)
			}
		})
	}
	wait.Wait()
	slices.SortFunc(all, func(a, b *Answer) int { return a.N - b.N })
	return all
}

func orRight(wrong string) string {
	if wrong == "" {
		return "right"
	}
	return wrong
}

func keep(dir, table string, all []*Answer) error {
	data, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "strangers.json"), data, 0o644)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "strangers.txt"), []byte(table), 0o644)
	}
	if err != nil {
		return fmt.Errorf("keep matrix: %w", err)
	}
	return nil
}
