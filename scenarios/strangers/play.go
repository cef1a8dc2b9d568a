//go:build linux

package strangers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// runLimit is how long one run may take.
const runLimit = 3 * time.Minute

// An Answer is what streamproof said about a case.
type Answer struct {
	N       int      `json:"n"`
	Case    string   `json:"case"`
	Kind    string   `json:"kind"`
	Stack   string   `json:"stack"`
	Command string   `json:"command"`
	Line    string   `json:"line"` // the command line
	Logs    bool     `json:"logs"`
	Busy    bool     `json:"busy"`
	Verdict string   `json:"verdict"` // "" where there was none
	Why     string   `json:"why"`
	First   string   `json:"first"` // the first cause that blames somebody, "" for none
	Layer   string   `json:"layer"`
	Says    string   `json:"says"`  // its summary
	Names   []string `json:"names"` // all causes and their candidates
	Seconds float64  `json:"seconds"`
	Dir     string   `json:"dir"`
	Skipped string   `json:"skipped,omitempty"`
	Broken  string   `json:"broken,omitempty"` // the matrix or streamproof itself failed

	plant         *Plant
	first, layers []string // accepted
}

// Play runs the case's stack, asks streamproof about it, and keeps run, logs and
// configuration in dir.
func (c *Case) Play(ctx context.Context, dir string) *Answer {
	a := &Answer{N: c.N, Case: c.String(), Kind: c.Kind(), Stack: c.Spec.String(), Command: c.Command, Logs: c.Logs,
		Busy: c.Busy, Dir: dir, plant: c.Plant}
	if c.Plant != nil {
		a.first, a.layers = c.Plant.accepted(ServerNamed(c.Spec.Server), EdgeNamed(c.Spec.Edge))
	}
	if a.Skipped = c.Spec.Lacks(); a.Skipped != "" {
		return a
	}
	begun := time.Now()
	err := c.play(ctx, dir, a)
	if a.Seconds = time.Since(begun).Seconds(); err != nil {
		a.Broken = err.Error()
	}
	return a
}

// accepted are the names and layers of p in a server behind an edge. Where one of
// them makes a complete response of a broken one, that may be named.
func (p *Plant) accepted(s *Server, e *Edge) (first, layers []string) {
	first, layers = slices.Clone(p.First), slices.Clone(p.Layers)
	if p.Cut && e.Launders {
		first, layers = append(first, diagnose.LaunderedByEdge), append(layers, atEdge)
	}
	if p.Raises && s.Launders {
		first = append(first, diagnose.LaunderedByApp, diagnose.SilentTruncation)
	}
	return first, layers
}

func (c *Case) play(ctx context.Context, dir string, a *Answer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	s, err := Start(ctx, c.Spec)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.KeepLogs(filepath.Join(dir, "stack")), s.Close()) }()
	if c.Busy {
		defer burn(ctx)()
	}
	var wait sync.WaitGroup
	var happened error
	defer func() { // what was to happen and did not makes the case void
		wait.Wait()
		err = errors.Join(err, happened)
	}()
	if c.Logs && c.Merged {
		all := filepath.Join(dir, "all.log")
		end, merr := merge(ctx, s.Logs, all)
		if merr != nil {
			return merr
		}
		defer func() { err = errors.Join(err, end()) }()
		s.Logs = map[string]string{"auto": all}
	}
	during, stop := context.WithCancel(ctx)
	defer stop()
	if c.During != nil {
		wait.Go(func() { happened = c.During(during, s) }) // ends with the run at the latest
	}
	argv := c.argv(s, dir)
	a.Line = "streamproof " + strings.Join(quoted(argv), " ")
	cmd := exec.CommandContext(ctx, s.Spec.built.streamproof, argv...)
	out, err := cmd.CombinedOutput()
	if err := os.WriteFile(filepath.Join(dir, "output.txt"), out, 0o644); err != nil {
		return err
	}
	if code := cmd.ProcessState.ExitCode(); code > 2 || code < 0 {
		return fmt.Errorf("streamproof ended with %d: %s", code, strings.TrimSpace(string(out)))
	}
	return a.read(filepath.Join(dir, "run", "verdict.json"))
}

// argv is what a user would type.
func (c *Case) argv(s *Stack, dir string) []string {
	path := c.Path
	if path == "" {
		path = map[bool]string{true: "/v1/chat/completions", false: "/stream"}[c.Shape == openai]
	}
	argv := []string{c.Command, "-o", filepath.Join(dir, "run"), "--no-color", "--url", s.URL + path, "--streams",
		fmt.Sprint(c.Streams)}
	switch c.Shape {
	case openai:
		argv = append(argv, "--dialect", "openai-chat", "--body",
			`{"model":"small-1","stream":true,"messages":[{"role":"user","content":"hi"}]}`)
	case sse:
		argv = append(argv, "--dialect", "sse-generic", "--terminal", "event == done")
	case ndjson:
		argv = append(argv, "--dialect", "ndjson-generic", "--terminal", "json .done == true")
	case text:
		argv = append(argv, "--dialect", "text")
	}
	if s.Direct != "" && s.URL != s.Direct && (c.Command == "diagnose" || c.Direct && runTakesDirect()) &&
		c.Spec.Replicas < 2 {
		argv = append(argv, "--direct", s.Direct)
	}
	if c.Logs {
		for _, kind := range s.kinds() {
			log := s.Logs[kind]
			if c.Kinds {
				log = kind + "=" + log
			}
			argv = append(argv, "--log", log)
		}
	}
	return append(argv, c.Flags...)
}

// runTakesDirect reports whether run can be told of the app behind the edge.
var runTakesDirect = sync.OnceValue(func() bool {
	p, err := build()
	if err != nil {
		return false
	}
	out, _ := exec.Command(p.streamproof, "run", "--help").Output()
	return strings.Contains(string(out), "--direct URL")
})

func quoted(argv []string) []string {
	var q []string
	for _, a := range argv {
		if strings.ContainsAny(a, " {\"") {
			a = "'" + a + "'"
		}
		q = append(q, a)
	}
	return q
}

func (a *Answer) read(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read verdict: %w", err)
	}
	var r verdict.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("read verdict: %w", err)
	}
	a.Verdict, a.Why = string(r.Verdict), r.Why
	// The worst scenario speaks first.
	for _, v := range []verdict.Verdict{verdict.Fail, verdict.Inconclusive, verdict.Pass} {
		for _, sc := range r.Scenarios {
			if sc.Verdict != v {
				continue
			}
			for _, cause := range sc.Causes {
				a.Names = append(a.Names, cause.Names()...)
				if a.First == "" && blames(cause) {
					a.First, a.Layer, a.Says = cause.Cause, cause.Layer, cause.Summary
				}
			}
		}
	}
	return nil
}

// blames reports whether a cause accuses somebody else than the harness.
func blames(c verdict.Cause) bool { return c.Layer != "harness" }

// burn keeps about half a core busy until it is stopped.
func burn(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			for end := time.Now().Add(20 * time.Millisecond); time.Now().Before(end); {
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return func() { cancel(); wait.Wait() }
}
