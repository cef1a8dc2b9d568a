package main

import (
	"encoding/json"
	"math"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/harnesstest/queue"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/reports"
)

// searched runs the program's search, in a folder of its own, and reads search.json.
func searched(t *testing.T, bound time.Duration, args ...string) (page reports.Search, code int) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "search")
	args = append([]string{"search", "-q", "--seed", "1", "-o", dir}, args...)
	cmd := exec.CommandContext(t.Context(), program(t), args...)
	cmd.WaitDelay = time.Second
	kill := time.AfterFunc(bound, func() { _ = cmd.Cancel() }) // the test then misses its result
	defer kill.Stop()
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "search.json"))
	if err == nil {
		err = json.Unmarshal(text, &page)
	}
	if err != nil {
		t.Fatal(err)
	}
	return page, cmd.ProcessState.ExitCode()
}

// edgeOf is between the hardest value that holds and the easiest that does not.
func edgeOf(t *testing.T, p *reports.Search) float64 {
	t.Helper()
	at := func(said string) float64 {
		i := slices.IndexFunc(p.Points, func(x reports.SearchPoint) bool { return x.Said == said })
		if i < 0 {
			t.Fatalf("no run was made at %q: %s", said, p.Says)
		}
		return p.Points[i].Value
	}
	return math.Sqrt(at(p.Holds) * at(p.Breaks))
}

// TestSearchFindsTheQueuesKnee: the program, against an app that is the queue M/M/8, finds
// the rate at which theory has 5 % of the streams beyond the objective, within 10 %, in 12
// runs at most.
func TestSearchFindsTheQueuesKnee(t *testing.T) {
	bynight.Only(t, "harness/harnesstest/queue, without sockets")
	app := &queue.App{System: queue.System{Workers: 8, Service: 40 * time.Millisecond}, Seed: 5}
	server := httptest.NewServer(app)
	defer server.Close()
	page, code := searched(t, 15*time.Minute, server.URL+"/v1/chat/completions", "--dialect", "openai-chat", "--over",
		"rate=15/s..800/s", "--rate", "15/s", "--arrivals", "poisson", "--duration", "24s", "--slo", "first_event p95 < 200ms", "--width", "5%")
	knee := app.Knee(0.95, 200*time.Millisecond)
	if at := edgeOf(t, &page); math.Abs(at-knee) > 0.1*knee || len(page.Points) > 12 || code != exitPass {
		t.Errorf("edge at %.1f/s after %d runs, exit code %d; theory says %.1f/s", at, len(page.Points), code, knee)
	}
}

// TestSearchFindsTheCapacity: of an app that has room for 137 streams at once it finds that
// number within 2 %, in 12 runs at most.
func TestSearchFindsTheCapacity(t *testing.T) {
	bynight.Only(t, "harness/search")
	answer := origin.DefaultAnswer
	answer.Gap = 100 * time.Millisecond
	s, err := origin.New(origin.Options{Answer: answer, Conduct: origin.Conduct{Capacity: 137}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	page, code := searched(t, 10*time.Minute, server.URL+"/stream", "--dialect", "origin", "--over", "streams=10..5000")
	if at := edgeOf(t, &page); math.Abs(at-137) > 0.02*137 || len(page.Points) > 12 || code != exitPass {
		t.Errorf("edge at %.1f streams after %d runs, exit code %d; the app has room for 137", at, len(page.Points), code)
	}
}
