package scenarios_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// A breakage is one classic way to break streams, built into the FastAPI app or
// its stack, and what the diagnosis must and must not say about it.
type breakage struct {
	name    string
	env     []string
	crowded []string // further environment at 50 streams
	edge    stack.Edge
	// trial is the scenario that shows it; control if nil.
	trial  func() harness.Scenario
	path   string // of the stream; the app's own if empty
	gzip   bool   // the client accepts it
	memory int64
	load   harness.Load
	bounds record.Thresholds // that turn a delay into a failure
	// streams are the numbers of concurrent streams, 1 and 50 if empty. Rows that
	// a single stream cannot show say why.
	streams []int

	want string
	// never are its look-alikes.
	never []string
	// says are parts of lines that the evidence must hold; "a|b" is either.
	says []string
	// night leaves the row to make nightly: by day harness/diagnose has the cause on
	// records, and here is what takes a container.
	night bool
	// unlogged is set where no log line can bear witness: a delay that only the
	// clients see.
	unlogged bool
}

const mib = 1 << 20

var (
	streaming = stack.Edge{Form: stack.EdgeStreaming}
	defaults  = stack.Edge{Form: stack.EdgeDefault}
)

// breakages is the table of classic stream killers.
var breakages = []breakage{
	{name: "generator outlives its resources", night: true, env: []string{"BREAK=closed-resource"}, edge: streaming,
		want: diagnose.OutlivesResources, never: []string{diagnose.AppError, diagnose.SilentTruncation}, says: []string{"app.log:"}},
	{name: "raises", night: true, env: []string{"BREAK=raise-mid-stream"}, edge: streaming,
		want: diagnose.AppError, never: []string{diagnose.WorkerKilled, diagnose.OutlivesResources, diagnose.GraceTooShort}, says: []string{"app.log:"}},
	{name: "raises behind the default edge", night: true, env: []string{"BREAK=raise-mid-stream"}, edge: defaults,
		want: diagnose.LaunderedByEdge, never: []string{diagnose.SilentTruncation, diagnose.LaunderedByApp, diagnose.WorkerKilled},
		says: []string{"the app raised an exception", "app.log:"}},
	{name: "worker killed behind the default edge", night: true, env: []string{"WORKERS=1"}, edge: defaults, trial: scenarios.LaunderedKill,
		want: diagnose.LaunderedByEdge, never: []string{diagnose.SilentTruncation, diagnose.LaunderedByApp, diagnose.MemoryKillWorker},
		says: []string{"pid"}},
	{name: "swallows the exception", night: true, env: []string{"BREAK=swallow"}, edge: streaming,
		want: diagnose.LaunderedByApp, never: []string{diagnose.LaunderedByEdge, diagnose.AppError}, says: []string{"app.log:"}},
	{name: "middleware ends the body cleanly", night: true, env: []string{"BREAK=middleware-launder"}, edge: streaming,
		want: diagnose.LaunderedByApp, never: []string{diagnose.LaunderedByEdge, diagnose.AppError, diagnose.SilentTruncation}, says: []string{"app.log:"}},
	{name: "nginx buffers", night: true, env: []string{"NO_ACCEL_HEADER=1"}, edge: defaults,
		want: diagnose.BufferedByEdge, never: []string{diagnose.BufferedByApp, diagnose.GzipByEdge, diagnose.JoinedByApp}, says: []string{"nginx_access.log:"}},
	{name: "nginx compresses", night: true, env: []string{"NO_ACCEL_HEADER=1"}, edge: stack.Edge{Form: stack.EdgeGzip}, gzip: true,
		want: diagnose.GzipByEdge, never: []string{diagnose.GzipByApp, diagnose.BufferedByApp}, says: []string{"nginx_access.log:"}},
	{name: "app compresses", night: true, env: []string{"BREAK=app-gzip"}, edge: streaming, gzip: true,
		want: diagnose.GzipByApp, never: []string{diagnose.GzipByEdge, diagnose.BufferedByEdge}, says: []string{"nginx_access.log:"}},
	{name: "middleware joins the body", night: true, env: []string{"BREAK=middleware-join"}, edge: streaming,
		want: diagnose.JoinedByApp, never: []string{diagnose.BufferedByEdge, diagnose.GzipByApp}, says: []string{"nginx_access.log:"}},
	// A sync worker serves one stream at a time: 50 need 25 workers to come in two turns.
	{name: "sync worker", night: true, env: []string{"BREAK=sync-worker"}, crowded: []string{"WORKERS=25"}, edge: streaming, path: "/chat?events=20&gap=400ms",
		want: diagnose.SyncWorkerTimeout, never: []string{diagnose.BlockedLoopTimeout, diagnose.WorkerRecycled, diagnose.WorkerKilled}, says: []string{"WORKER TIMEOUT"}},
	{name: "blocked loop up to the timeout", night: true, env: []string{"BREAK=blocked-loop"}, edge: streaming, path: "/chat?events=20&gap=100ms",
		want: diagnose.BlockedLoopTimeout, never: []string{diagnose.BlockedLoop, diagnose.SyncWorkerTimeout, diagnose.MemoryKillWorker, diagnose.WorkerRecycled},
		says: []string{"WORKER TIMEOUT"}},
	// One stream alone cannot tell a blocked loop from a slow model: it takes
	// unrelated streams that pause together. The pause is longer than what a machine
	// short of CPU makes of a gap.
	{name: "blocked loop", night: true, env: []string{"BREAK=blocked-loop-short", "BREAK_SECONDS=4", "WORKERS=1"}, edge: streaming,
		path: "/chat?events=20&gap=100ms", load: harness.Load{Ramp: time.Second},
		bounds: record.Thresholds{MaxGap: 2500 * time.Millisecond}, streams: []int{5, 50}, unlogged: true,
		want: diagnose.BlockedLoop, never: []string{diagnose.BlockedLoopTimeout, diagnose.StallInApp, diagnose.ThreadPool}},
	// Below 40 streams all is well: see TestBelowTheKneeOnDocker. An event takes a
	// second, beside which the waits of a machine short of CPU are nothing: what they
	// do to the rule is a matter of records (harness/diagnose).
	{name: "thread pool", night: true, env: []string{"BREAK=sync-generator", "WORKERS=1"}, edge: streaming, path: "/chat?events=6&gap=1s",
		bounds:  record.Thresholds{MaxGap: 1500 * time.Millisecond, FirstEvent: 1500 * time.Millisecond},
		streams: []int{80, 120}, unlogged: true,
		want: diagnose.ThreadPool, never: []string{diagnose.BlockedLoop, diagnose.StallInApp, diagnose.SlowFirstEvent}, says: []string{"a full pool of 40|knee at 40"}},
	// Requests are counted when they end, so that a lone stream is never in the
	// way: 10 stand for few.
	{name: "max-requests", night: true, env: []string{"BREAK=max-requests", "WORKERS=1", "MAX_REQUESTS=2", "TIMEOUT=2"}, edge: streaming, path: "/chat?events=50&gap=100ms",
		load: harness.Load{Ramp: 5 * time.Second}, streams: []int{10, 50},
		want: diagnose.WorkerRecycled, never: []string{diagnose.BlockedLoopTimeout, diagnose.SyncWorkerTimeout, diagnose.WorkerKilled}, says: []string{"Shutting down"}},
	{name: "graceful window", night: true, env: []string{"GRACEFUL_TIMEOUT=1"}, edge: streaming, trial: scenarios.Drain,
		want: diagnose.GraceTooShort, never: []string{diagnose.WorkerKilled, diagnose.MemoryKillWorker, diagnose.MemoryKillAll}, says: []string{"Handling signal: term"}},
	{name: "docker stop out of grace", edge: streaming, trial: shortStop,
		want: diagnose.GraceTooShort, never: []string{diagnose.WorkerKilled, diagnose.MemoryKillWorker, diagnose.MemoryKillAll}, says: []string{"Handling signal: term"}},
	// A process that creeps up to its limit reads its own code from disk again and
	// again before the kernel gives up on it; these go over in one step.
	{name: "memory, worker", env: []string{"BREAK=memory-hog", fmt.Sprintf("BREAK_BYTES=%d", 16*mib)},
		edge: streaming, memory: 192 * mib, path: "/chat?events=30&gap=50ms",
		want: diagnose.MemoryKillWorker, never: []string{diagnose.MemoryKillAll, diagnose.WorkerKilled, diagnose.BlockedLoopTimeout}, says: []string{"oom_kill", "signal 9"}},
	{name: "memory, container", env: []string{"BREAK=memory-hog", "SERVER=uvicorn", fmt.Sprintf("BREAK_BYTES=%d", 32*mib)},
		edge: streaming, memory: 160 * mib, path: "/chat?events=30&gap=50ms", load: harness.Load{Duration: 6 * time.Second},
		want:  diagnose.MemoryKillAll,
		never: []string{diagnose.MemoryKillWorker, diagnose.WorkerKilled, diagnose.GraceTooShort},
		says:  []string{"docker: oom", " s later"}, unlogged: true},
	{name: "proxy read timeout", night: true, env: []string{"BREAK=silent-pause"}, edge: stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: 2 * time.Second},
		want: diagnose.ProxyReadTimeout, never: []string{diagnose.BlockedLoopTimeout, diagnose.AppError, diagnose.StallInApp}, says: []string{"upstream timed out"}},
	{name: "disconnect not propagated", night: true, env: []string{"BREAK=ignore-disconnect"}, edge: streaming, trial: scenarios.ClientAbort,
		want: diagnose.NotPropagated, never: []string{diagnose.StallInApp}, says: []string{"client left"}},
}

// shortStop is a deploy that gives the app a second.
func shortStop() harness.Scenario {
	s := scenarios.Drain()
	s.Fault = fault.Drain{Grace: time.Second}
	return s
}

// TestCausesOnDocker is the proof: each classic killer of streams, in a real app
// on a real stack, is named first, with evidence that the logs hold, and its
// look-alikes are not named. By day what takes a container, with as few streams as
// show it.
func TestCausesOnDocker(t *testing.T) {
	needDocker(t)
	t.Parallel()
	for i := range breakages {
		b := &breakages[i]
		if b.night && !*nightly {
			continue
		}
		streams := b.streams
		if streams == nil {
			streams = []int{1, 50}
		}
		if !*nightly {
			streams = streams[:1]
		}
		for _, n := range streams {
			t.Run(fmt.Sprintf("%s/%d", b.name, n), func(t *testing.T) {
				t.Parallel()
				o := b.options(n)
				o.Dir = t.TempDir() + "/run"
				b.check(t, play(t, o), o.Dir)
			})
		}
	}
}

// TestBelowTheKneeOnDocker sends fewer streams of a sync generator than the pool
// has threads: nothing is wrong with them.
func TestBelowTheKneeOnDocker(t *testing.T) {
	bynight.Only(t, "harness/verdict has TestSlowdown")
	needDocker(t)
	t.Parallel()
	i := slices.IndexFunc(breakages, func(b breakage) bool { return b.name == "thread pool" })
	r := play(t, breakages[i].options(20))
	if r.Verdict != verdict.Pass || len(r.Scenarios[0].Causes) > 0 {
		t.Errorf("%s: %s%s", r.Verdict, r.Why, listCauses(r.Scenarios[0].Causes))
	}
}

// options are a run of b with n streams.
func (b *breakage) options(n int) harness.Options {
	env := slices.Clone(b.env)
	if n >= 50 {
		env = append(env, b.crowded...)
	}
	app := chat(env...)
	app.Edge, app.Memory = b.edge, b.memory
	if b.path != "" {
		app.Stream.Path = b.path
	}
	if b.gzip {
		app.Stream.Headers = map[string]string{"Accept-Encoding": "gzip"}
	}
	sc := scenarios.Control()
	if b.trial != nil {
		sc = b.trial()
	}
	l := b.load
	l.Streams = n
	return harness.Options{App: app, Scenarios: []harness.Scenario{sc}, Load: l, Thresholds: b.bounds}
}

// check holds the judgement to what the row says.
func (b *breakage) check(t *testing.T, r *verdict.Report, dir string) {
	t.Helper()
	causes := r.Scenarios[0].Causes
	if r.Verdict != verdict.Fail {
		busy.Excuse(t, &r.Scenarios[0])
		t.Errorf("verdict %s (%s), want fail", r.Verdict, r.Why)
	}
	if len(causes) == 0 || causes[0].Cause != b.want {
		t.Fatalf("named first: %s\nwant: %s", listCauses(causes), b.want)
	}
	for _, c := range causes {
		if slices.Contains(b.never, c.Cause) {
			t.Errorf("look-alike named: %s", listCauses(causes))
		}
	}
	evidence := fmt.Sprint(causes[0].Evidence)
	for _, part := range b.says {
		either := strings.Split(part, "|")
		if !slices.ContainsFunc(either, func(p string) bool { return strings.Contains(evidence, p) }) {
			t.Errorf("evidence does not say %q:\n%s", part, evidence)
		}
	}
	if n := checkEvidence(t, dir, causes[0].Evidence); n == 0 && !b.unlogged {
		t.Errorf("no line of a log bears witness:\n%s", evidence)
	}
}

func listCauses(causes []verdict.Cause) string {
	var b strings.Builder
	for _, c := range causes {
		fmt.Fprintf(&b, "\n  %s (%s, %d streams): %s", c.Cause, c.Confidence, c.Count, c.Summary)
		for _, e := range c.Evidence {
			fmt.Fprintf(&b, "\n      %s", e)
		}
	}
	return b.String()
}

// checkEvidence looks every cited line up in the run folder, and returns how
// many there were.
func checkEvidence(t *testing.T, dir string, evidence []record.Evidence) int {
	t.Helper()
	n := 0
	for _, e := range evidence {
		if e.Log == "" {
			continue
		}
		n++
		if got := logLine(t, dir, e.Log, e.Line); !strings.HasPrefix(got, e.Text) {
			t.Errorf("evidence %q\nthe log holds %q", e, got)
		}
	}
	return n
}

// logLine is the n-th line of a log of the run's only scenario.
func logLine(t *testing.T, dir, name string, n int) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "logs", "*", name))
	if err != nil || len(files) != 1 {
		t.Fatalf("find log %s: %v %v", name, files, err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, mib)
	for i := 1; lines.Scan(); i++ {
		if i == n {
			return lines.Text()
		}
	}
	t.Fatalf("log %s has no line %d", name, n)
	return ""
}

// owed is what the fixed app must pass: the standard suite, and what makes the
// classic killers strike. The killed worker behind an edge with its defaults is
// not among them: that one is the edge's to mend.
func owed() []harness.Scenario {
	return append(scenarios.Standard(), scenarios.WorkerTimeout(), scenarios.MemoryKill(), scenarios.MemoryKillContainer(),
		scenarios.NotStreaming(), scenarios.ClientAbort())
}

// fixedByDay are those of them that do something to a container, or through one, and
// that no other play stands for: TestReplicasOnDocker asks replicas to stop, and the rest
// of the links and of what befalls processes is in harness/stack/container.
var fixedByDay = []string{"memory-kill"}

// TestFixedAppOnDocker plays them against the app as it should be; by night all, three
// times in a row.
func TestFixedAppOnDocker(t *testing.T) {
	needDocker(t)
	t.Parallel()
	rounds := uint64(1)
	if *nightly {
		rounds = 3
	}
	for round := range rounds {
		for _, sc := range owed() {
			if !*nightly && !slices.Contains(fixedByDay, sc.ID) {
				continue
			}
			t.Run(fmt.Sprintf("%d/%s", round+1, sc.ID), func(t *testing.T) {
				t.Parallel()
				r := play(t, harness.Options{App: chat(), Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 10}, Seed: round + 1})
				if r.Verdict == verdict.Inconclusive {
					busy.Excuse(t, &r.Scenarios[0])
				}
				if r.Verdict != verdict.Pass {
					t.Errorf("%s: %s%s", r.Verdict, r.Why, listCauses(r.Scenarios[0].Causes))
				}
				for _, c := range r.Scenarios[0].Causes {
					if !strings.HasPrefix(c.Cause, diagnose.InjectedFault) {
						t.Errorf("a sound app is blamed: %s", listCauses(r.Scenarios[0].Causes))
					}
				}
			})
		}
	}
}
