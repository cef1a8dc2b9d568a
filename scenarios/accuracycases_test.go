package scenarios_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

// An accuracyCase is one drawn run and the cause that it must be given.
type accuracyCase struct {
	name      string
	want      string
	needsLogs bool
	options   harness.Options
}

// A family draws cases of one cause: load, gap, edge and replicas vary.
type family interface {
	draw(r *rand.Rand) *accuracyCase
}

// accuracyCases are all families that this machine can play: the FastAPI app as
// a command, the origin's sabotages, sound apps, and on Docker what needs a
// kernel to kill.
func accuracyCases(t *testing.T) []family {
	var pool []family
	for i := range chatFamilies {
		pool = append(pool, &chatFamilies[i])
		if i%4 == 0 {
			pool = append(pool, control{})
		}
	}
	for _, s := range scenarios.Sabotages() {
		if s.Cause != "" && !s.Direct {
			pool = append(pool, sabotaged{s})
		}
	}
	if exec.Command("docker", "image", "inspect", fastapiImage).Run() == nil {
		pool = append(pool, memoryFamily{}, memoryFamily{whole: true})
	} else {
		t.Log("no Docker here: memory kills are left out")
	}
	return pool
}

func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

func pickOne[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// localChat is the FastAPI app under its process manager, as a command.
func localChat(env ...string) harness.App {
	dir, err := filepath.Abs("../docker/fastapi")
	if err != nil {
		panic(err) // no working directory
	}
	a := chat(append([]string{"HOST=127.0.0.1", "PYTHONDONTWRITEBYTECODE=1"}, env...)...)
	a.Image, a.Port, a.Dir = "", 0, dir
	a.Command = []string{"/usr/bin/python3", "serve.py"}
	return a
}

// A chatFamily is one breakage of the FastAPI app on local processes.
type chatFamily struct {
	name   string
	env    []string
	want   string
	old    string // the cause behind an edge with its defaults, where it differs
	edges  []stack.Edge
	trial  func() harness.Scenario
	path   string // with %d for the gap in ms; empty for the app's own
	gaps   [2]int // ms
	n      [2]int // streams
	ramp   time.Duration
	bounds record.Thresholds
	gzip   bool
	needs  bool // logs
	single bool // one replica only
}

var bothEdges = []stack.Edge{streaming, defaults}

var chatFamilies = []chatFamily{
	{name: "closed resource", env: []string{"BREAK=closed-resource"}, want: diagnose.OutlivesResources, edges: bothEdges},
	{name: "raises", env: []string{"BREAK=raise-mid-stream"}, want: diagnose.AppError, old: diagnose.LaunderedByEdge, edges: bothEdges},
	{name: "swallows", env: []string{"BREAK=swallow"}, want: diagnose.LaunderedByApp, edges: bothEdges},
	{name: "middleware ends cleanly", env: []string{"BREAK=middleware-launder"}, want: diagnose.LaunderedByApp, edges: []stack.Edge{streaming}},
	{name: "worker killed behind defaults", want: diagnose.LaunderedByEdge, edges: []stack.Edge{defaults}, trial: scenarios.LaunderedKill, n: [2]int{8, 30}},
	{name: "nginx buffers", env: []string{"NO_ACCEL_HEADER=1"}, want: diagnose.BufferedByEdge, edges: []stack.Edge{defaults}},
	{name: "nginx compresses", env: []string{"NO_ACCEL_HEADER=1"}, want: diagnose.GzipByEdge, edges: []stack.Edge{{Form: stack.EdgeGzip}}, gzip: true},
	{name: "app compresses", env: []string{"BREAK=app-gzip"}, want: diagnose.GzipByApp, edges: bothEdges, gzip: true},
	{name: "joins the body", env: []string{"BREAK=middleware-join"}, want: diagnose.JoinedByApp, edges: bothEdges},
	{name: "sync worker", env: []string{"BREAK=sync-worker", "WORKERS=6"}, want: diagnose.SyncWorkerTimeout, edges: []stack.Edge{streaming},
		path: "/chat?events=20&gap=%dms", gaps: [2]int{350, 450}, n: [2]int{1, 6}},
	{name: "blocked loop to the end", env: []string{"BREAK=blocked-loop"}, want: diagnose.BlockedLoopTimeout, edges: []stack.Edge{streaming},
		path: "/chat?events=20&gap=%dms", gaps: [2]int{50, 150}, ramp: 300 * time.Millisecond},
	{name: "blocked loop", env: []string{"BREAK=blocked-loop-short", "WORKERS=1"}, want: diagnose.BlockedLoop, edges: bothEdges, path: "/chat?events=20&gap=%dms",
		gaps: [2]int{50, 120}, n: [2]int{5, 40}, ramp: 400 * time.Millisecond, bounds: record.Thresholds{MaxGap: time.Second}, single: true},
	{name: "thread pool", env: []string{"BREAK=sync-generator", "WORKERS=1"}, want: diagnose.ThreadPool, edges: []stack.Edge{streaming}, path: "/chat?events=15&gap=%dms",
		gaps: [2]int{200, 250}, n: [2]int{55, 75}, bounds: record.Thresholds{MaxGap: 400 * time.Millisecond, FirstEvent: 400 * time.Millisecond}, single: true},
	{name: "max-requests", env: []string{"BREAK=max-requests", "WORKERS=1", "MAX_REQUESTS=2", "TIMEOUT=2"}, want: diagnose.WorkerRecycled, edges: []stack.Edge{streaming},
		path: "/chat?events=40&gap=%dms", gaps: [2]int{100, 140}, n: [2]int{10, 40}, ramp: 5 * time.Second, single: true},
	{name: "graceful window", env: []string{"GRACEFUL_TIMEOUT=1"}, want: diagnose.GraceTooShort, edges: []stack.Edge{streaming}, trial: scenarios.Drain, n: [2]int{2, 30}, single: true},
	{name: "silent pause", env: []string{"BREAK=silent-pause"}, want: diagnose.ProxyReadTimeout,
		edges: []stack.Edge{{Form: stack.EdgeStreaming, ReadTimeout: 2 * time.Second}, {Form: stack.EdgeDefault, ReadTimeout: 2 * time.Second}}},
	{name: "ignores disconnects", env: []string{"BREAK=ignore-disconnect"}, want: diagnose.NotPropagated, edges: []stack.Edge{streaming}, trial: scenarios.ClientAbort, needs: true},
}

func (c *chatFamily) draw(r *rand.Rand) *accuracyCase {
	app := localChat(c.env...)
	app.Edge = c.edges[r.IntN(len(c.edges))]
	if app.Replicas = between(r, 1, 2); c.single {
		app.Replicas = 1
	}
	low, high := c.n[0], c.n[1]
	if high == 0 {
		low, high = 1, 50
	}
	n, gap := between(r, low, high), between(r, 40, 120)
	if c.gaps[1] > 0 {
		gap = between(r, c.gaps[0], c.gaps[1])
	}
	switch {
	case c.path != "":
		app.Stream.Path = fmt.Sprintf(c.path, gap)
	case c.trial == nil:
		app.Stream.Path = fmt.Sprintf("/chat?events=20&gap=%dms", gap)
	}
	if c.gzip {
		app.Stream.Headers = map[string]string{"Accept-Encoding": "gzip"}
	}
	want := c.want
	if c.old != "" && app.Edge.Form == stack.EdgeDefault {
		want = c.old
	}
	sc := scenarios.Control()
	if c.trial != nil {
		sc = c.trial()
	}
	return &accuracyCase{name: describe(c.name, &app, n, gap), want: want, needsLogs: c.needs, options: harness.Options{App: app,
		Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: n, Ramp: c.ramp}, Thresholds: c.bounds}}
}

func describe(name string, app *harness.App, n, gap int) string {
	return fmt.Sprintf("%s, %d streams, %d ms, %s, %d replicas", name, n, gap, app.Edge.Form, max(app.Replicas, 1))
}

// A control is a sound app: nobody may be blamed.
type control struct{}

func (control) draw(r *rand.Rand) *accuracyCase {
	app := localChat(fmt.Sprintf("WORKERS=%d", between(r, 1, 3)))
	if r.IntN(3) == 0 {
		app = harness.App{Workers: between(r, 1, 3)}
	}
	app.Replicas = between(r, 1, 2)
	sc := pickOne(r, scenarios.Control, scenarios.Buffering, scenarios.Latency, scenarios.Stall, scenarios.ReadTimeout, scenarios.WorkerTimeout)()
	n := between(r, 2, 50)
	if sc.Edge.ReadTimeout == 0 && sc.Fault == nil {
		app.Edge = pickOne(r, streaming, defaults)
	}
	return &accuracyCase{name: describe("sound, "+sc.ID, &app, n, 0), want: none,
		options: harness.Options{App: app, Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: n}}}
}

// sabotaged is one of the origin's sabotages, among honest streams.
type sabotaged struct{ scenarios.Sabotage }

func (s sabotaged) draw(r *rand.Rand) *accuracyCase {
	sc, ok := scenarios.Lookup(s.Scenario)
	if !ok {
		panic("no scenario " + s.Scenario)
	}
	app := harness.App{Workers: between(r, 1, 2), Replicas: between(r, 1, 2)}
	n := between(r, 6, 50)
	return &accuracyCase{name: describe("origin "+s.Name, &app, n, 0), want: s.Cause, needsLogs: s.Cause == diagnose.NotPropagated,
		options: harness.Options{App: app, Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: n},
			Sabotage: harness.Sabotage{Name: s.Name, Share: s.Share}}}
}

// memoryFamily has the kernel kill on Docker.
type memoryFamily struct{ whole bool }

func (m memoryFamily) draw(r *rand.Rand) *accuracyCase {
	size, want, limit := between(r, 16, 32), diagnose.MemoryKillWorker, 192
	env := []string{"BREAK=memory-hog", fmt.Sprintf("BREAK_BYTES=%d", size*mib)}
	if m.whole {
		env, want, limit = append(env, "SERVER=uvicorn"), diagnose.MemoryKillAll, 160
	}
	app := chat(env...)
	app.Edge, app.Memory = streaming, int64(limit*mib)
	n, gap := between(r, 1, 30), between(r, 40, 120)
	app.Stream.Path = fmt.Sprintf("/chat?events=30&gap=%dms", gap)
	return &accuracyCase{name: describe("memory", &app, n, gap), want: want,
		options: harness.Options{App: app, Scenarios: []harness.Scenario{scenarios.Control()}, Load: harness.Load{Streams: n}}}
}
