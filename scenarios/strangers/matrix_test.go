//go:build linux

package strangers

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	planted  = flag.Int("planted", 0, "planted runs of TestStrangers")
	sound    = flag.Int("sound", 0, "sound runs of TestStrangers, two thirds of them diagnose")
	seed     = flag.Uint64("seed", 1, "seed of TestStrangers")
	parallel = flag.Int("at-once", 3, "stacks of TestStrangers that run at a time")
	merged   = flag.Bool("merged", false, "give the logs of a stack of TestStrangers as one file")
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

// few are the cases that 'make test' plays: one of each area, with causes that no
// busy machine hides, and two sound stacks.
func few() []*Case {
	plain := func(server, edge, shape, command string, streams int) *Case {
		c := &Case{Spec: Spec{Server: server, Edge: edge}, Shape: shape, Streams: streams, Command: command, Logs: true, Kinds: true}
		c.Spec.App = map[string]string{"SHAPE": shape, "EVENTS": "20-40", "GAP": "15-30", "AT": "6"}
		return c
	}
	wrong := func(kind string, c *Case, bug string) *Case {
		c.Plant, c.Spec.App["BUG"] = plantNamed(kind), bug
		return c
	}
	timer := plain("node", "caddy", sse, "diagnose", 8)
	timer.Spec.Options.Timeout, timer.Spec.App["SECONDS"] = time.Second, "3"
	crash := plain("go", "nginx", openai, "diagnose", 8)
	crash.Spec.Options.Defaults, crash.Merged = true, true
	return []*Case{
		wrong("exception mid-stream", plain("aiohttp", "haproxy", ndjson, "diagnose", 8), "raise"),
		wrong("edge idle timer that launders", timer, "stall"),
		wrong("crash laundered by HTTP/1.0 (nginx defaults)", crash, "raise"),
		wrong("error inside the stream", plain("jdk", "caddy", openai, "run", 4), "inband"),
		plain("node", "varnish", openai, "diagnose", 8),
		plain("uvicorn", "goproxy", sse, "run", 8),
	}
}

func plantNamed(kind string) *Plant {
	return Plants[mustIndex(kind, slices.IndexFunc(Plants, func(p *Plant) bool { return p.Kind == kind }))]
}

// A few strangers in every run of the tests.
func TestFewStrangers(t *testing.T) {
	for i, c := range few() {
		c.N = i
		t.Run(fmt.Sprintf("%s %s %s", c.Command, &c.Spec, c.Kind()), func(t *testing.T) {
			t.Parallel()
			a := c.Play(t.Context(), t.TempDir())
			if a.Skipped != "" {
				t.Skip(a.Skipped)
			}
			if wrong := a.wrong(); wrong != "" {
				t.Errorf("%s\n%s: %s\n%s", wrong, a.Verdict, a.Why, a.Line)
			}
		})
	}
}

// The answer sheet names what the diagnosis knows, and each plant can grow.
func TestPlantsAreSound(t *testing.T) {
	for _, p := range Plants {
		if len(p.First) == 0 || len(p.Layers) == 0 || len(p.Loads) == 0 || len(p.Commands) == 0 || len(p.Shapes) == 0 {
			t.Errorf("%s: something is empty", p.Kind)
		}
		for _, name := range p.Servers {
			for _, edge := range p.Edges {
				if ServerNamed(name).FastCGI && !EdgeNamed(edge).FastCGI {
					t.Errorf("%s: %s cannot stand before %s", p.Kind, edge, name)
				}
			}
		}
	}
	a, b := Draw(7, len(Plants), 20), Draw(7, len(Plants), 20)
	for i := range a {
		if a[i].String() != b[i].String() {
			t.Errorf("one seed, two cases: %s, %s", a[i], b[i])
		}
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
	until := t.Context()
	if end, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		until, cancel = context.WithDeadline(until, end.Add(-10*time.Second))
		defer cancel()
	}
	for _, c := range cases {
		// A test that runs into its own deadline would leave its stacks behind.
		if end, ok := t.Deadline(); ok && time.Until(end) < runLimit/2 {
			t.Errorf("out of time before #%d", c.N)
			break
		}
		if !matching.MatchString(fmt.Sprintf("#%d %s", c.N, c)) {
			continue
		}
		c.Merged = *merged
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			of := filepath.Join(dir, fmt.Sprintf("%03d", c.N))
			os.RemoveAll(of)
			if err := os.MkdirAll(of, 0o755); err != nil {
				t.Error(err)
				return
			}
			a := c.Play(until, of)
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
