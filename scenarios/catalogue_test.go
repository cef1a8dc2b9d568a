package scenarios_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

var nightly = flag.Bool("nightly", false, "run the trials of the whole catalogue")

// onStack plays the whole catalogue elsewhere than where each trial says.
var onStack = flag.String("stack", "", "with -nightly, play the trials of the catalogue on this stack: local or docker")

// sideBySide is how many scenarios are played at once. They mostly wait.
const sideBySide = 8

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		flag.Set("test.parallel", fmt.Sprint(sideBySide))
	}
	code := m.Run()
	for _, dir := range leftovers {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// A trial holds one scenario of the catalogue against an origin that keeps its
// promise, one that is spoilt for just that scenario, and a load or a fault that
// proves nothing.
type trial struct {
	id string

	night string                 // the plays that are too long for make test, or all of them: [everyPlay]
	stack string                 // "docker" for a trial that needs containers
	needs func(*testing.T)       // what spoiling needs of the host; nil for nothing
	keep  func(*harness.Options) // makes the chain keep its promise; nil where it does by itself
	spoil func(*harness.Options) // makes the chain break its promise
	check string                 // that must fail then
	cause string                 // that must be named then, "" where the check says it all

	disarm func(*harness.Options) // takes the trial out of the scenario
	doubt  string                 // obligation that must stay open then
}

// The checks and obligations that trials name.
const (
	must      = "streams complete or fail cleanly"
	untouched = "untouched streams complete"
	recovered = "recovered in time"
	faultSeen = "fault seen in effect"
	enough    = "streams to judge"
	provable  = "completeness provable"
	paced     = "answer written in pieces"
	refusals  = "refusals seen"
)

// A playing is one way to play a scenario.
type playing struct {
	name string
	run  func(*trial, *testing.T)
}

var plays = []playing{{"kept", (*trial).kept}, {"broken", (*trial).broken}, {"disarmed", (*trial).disarmed}}

const everyPlay = "kept broken disarmed"

// byNight reports whether a play is left to make nightly.
func (tr *trial) byNight(play string) bool { return slices.Contains(strings.Fields(tr.night), play) }

// where is the stack that the trial runs on.
func (tr *trial) where() string { return cmp.Or(*onStack, tr.stack, "local") }

func flagged(f verdict.Flag) string { return "no stream is " + string(f) }

var trials = []trial{
	{id: "control", spoil: sabotage("silent-truncation"), check: must, cause: diagnose.SilentTruncation, disarm: plainText, doubt: provable},
	{id: "direct", spoil: sabotage("close-delimited"), check: must, cause: diagnose.SilentTruncation, disarm: plainText, doubt: provable},
	{id: "not-streaming", spoil: func(o *harness.Options) { o.App.Stream.PlainPath = "/stream?stream=false&size=40" }, check: verdict.SameText,
		disarm: streamedOnly, doubt: verdict.SameText},
	{id: "soak", spoil: args("--sabotage", "silent-truncation", "--sabotage-share", "0.03"), check: must, cause: diagnose.SilentTruncation,
		disarm: load(harness.Load{Streams: 10, Duration: 300 * time.Millisecond}), doubt: enough},

	{id: "buffering", spoil: sabotage("no-accel-header"), check: flagged(verdict.Buffered), cause: diagnose.BufferedByEdge, disarm: oneEvent, doubt: paced},
	{id: "gzip-buffering", spoil: sabotage("no-accel-header"), check: flagged(verdict.Buffered), cause: diagnose.GzipByEdge,
		disarm: header("Accept-Encoding", "identity"), doubt: "compressed answer seen"},
	{id: "cache-buffering", spoil: args("--cacheable"), check: must, cause: diagnose.ForeignEvent, disarm: once, doubt: "same answer asked for again"},
	{id: "http10-upstream", spoil: sabotage("incomplete-body"), check: must, cause: diagnose.LaunderedByEdge, disarm: oneEvent, doubt: paced},
	{id: "middleware-buffering", spoil: sabotage("buffering"), check: flagged(verdict.Buffered), cause: diagnose.BufferedByApp, disarm: oneEvent, doubt: paced},
	{id: "tiny-packets", spoil: sabotage("corrupt-byte"), check: must, cause: diagnose.CorruptContent, disarm: disarmed, doubt: faultSeen},

	{id: "read-timeout", spoil: sabotage("no-heartbeat"), check: must, cause: diagnose.ProxyReadTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "idle-timeout", spoil: sabotage("no-heartbeat"), check: must, cause: diagnose.IdleTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "send-timeout", spoil: func(o *harness.Options) { o.Sabotage = harness.Sabotage{Name: "silent-truncation", At: 2} }, check: must,
		cause: diagnose.SilentTruncation, disarm: quickClients, doubt: "slow clients cut"},
	{id: "deadline", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "worker-timeout", needs: needGunicorn, spoil: syncWorkers, check: must, cause: diagnose.SyncWorkerTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "keepalive-race", spoil: sabotage("no-headers"), check: untouched, disarm: disarmed, doubt: faultSeen},

	{id: "latency", spoil: readTimeout(700 * time.Millisecond), check: must, cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "jitter", spoil: readTimeout(700 * time.Millisecond), check: must, cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "bandwidth", spoil: sabotage("lost-event"), check: must, cause: diagnose.LostEvent, disarm: disarmed, doubt: faultSeen},
	{id: "stall", spoil: sabotage("lost-event"), check: must, cause: diagnose.LostEvent, disarm: disarmed, doubt: faultSeen},
	{id: "slow-start", spoil: sabotage("slow-first-event"), check: flagged(verdict.Late), cause: diagnose.SlowFirstEvent, disarm: disarmed, doubt: faultSeen},
	{id: "slow-close", spoil: sabotage("linger"), check: flagged(verdict.Lingering), cause: diagnose.OpenAfterAnswer, disarm: disarmed, doubt: faultSeen},

	{id: "cut", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "reset", night: "broken", spoil: fragile, check: recovered, cause: diagnose.Overloaded, disarm: disarmed, doubt: faultSeen},
	{id: "fin", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "truncate", spoil: form(stack.EdgeDefault), check: must, disarm: disarmed, doubt: faultSeen},
	{id: "blackhole", spoil: readTimeout(30 * time.Second), check: must, disarm: disarmed, doubt: faultSeen},
	{id: "partition", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "refused", night: "broken", spoil: fragile, check: recovered, cause: diagnose.Overloaded, disarm: disarmed, doubt: faultSeen},

	{id: "worker-kill", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "memory-kill", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "memory-kill-container", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "worker-kill-default-edge", keep: form(stack.EdgeStreaming), spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge,
		disarm: disarmed, doubt: faultSeen},
	{id: "memory-squeeze", night: everyPlay, stack: "docker", spoil: hoarder, check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "slow-reader", spoil: sabotage("lost-event"), check: must, cause: diagnose.LostEvent, disarm: quickClients, doubt: "clients that hold back"},
	{id: "leak", spoil: args("--hoard", "1048576"), check: "memory back to where it began", disarm: disarmed, doubt: faultSeen},

	{id: "drain", spoil: args("--grace", "700ms"), check: must, cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "crash", spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "pause", spoil: readTimeout(700 * time.Millisecond), check: must, cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "rolling-deploy", night: everyPlay, spoil: args("--grace", "700ms"), check: must, cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "scale-in", spoil: args("--grace", "700ms"), check: must, cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "scale-out", night: "broken", spoil: args("--sabotage", "silent-truncation", "--sabotage-share", "1", "--sabotage-from", "1"), check: must,
		cause: diagnose.SilentTruncation, disarm: disarmed, doubt: faultSeen},
	{id: "edge-reload", spoil: func(o *harness.Options) { o.App.Edge.ShutdownTimeout = 300 * time.Millisecond }, check: must,
		cause: diagnose.EdgeReloaded, disarm: disarmed, doubt: faultSeen},
	{id: "worker-recycle", spoil: args("--grace", "100ms"), check: must, cause: diagnose.WorkerRecycled,
		disarm: args("--max-requests", "100000"), doubt: "recycled under streams"},
	{id: "herd", night: "broken", spoil: fragile, check: recovered, cause: diagnose.Overloaded, disarm: disarmed, doubt: faultSeen},

	{id: "blocked-loop", spoil: args("--block", "4s"), check: must, cause: diagnose.BlockedLoop,
		disarm: load(harness.Load{Streams: 3}), doubt: "streams side by side"},
	{id: "client-abort", spoil: sabotage("leak"), check: flagged(verdict.Leaked), cause: diagnose.NotPropagated,
		disarm: neverAbort, doubt: "server's account of our hang-ups"},
	{id: "overload", spoil: args("--overflow", "truncate"), check: must, cause: diagnose.SilentTruncation,
		disarm: args("--capacity", "1000"), doubt: refusals},
	{id: "rate-limited", spoil: laxEdge("--capacity", "6", "--overflow", "truncate"), check: must, cause: diagnose.SilentTruncation,
		disarm: laxEdge(), doubt: refusals},
}

// TestCatalogue plays each scenario as it should pass, as it should fail, and as
// it should not be able to tell. What takes long is left to the night.
func TestCatalogue(t *testing.T) {
	needNginx(t)
	for _, tr := range trials {
		t.Run(tr.id, func(t *testing.T) {
			t.Parallel()
			for _, p := range plays {
				if *nightly || !tr.byNight(p.name) {
					t.Run(p.name, func(t *testing.T) { t.Parallel(); p.run(&tr, t) })
				}
			}
		})
	}
}

func (tr *trial) options(t *testing.T) harness.Options {
	if tr.where() == "docker" {
		needDocker(t)
	}
	return harness.Options{App: harness.App{Stack: tr.where()}, Scenarios: []harness.Scenario{scenario(t, tr.id)}, Load: harness.Load{Streams: 10}, Dir: t.TempDir() + "/run"}
}

func (tr *trial) kept(t *testing.T) {
	o := tr.options(t)
	if tr.keep != nil {
		tr.keep(&o)
	}
	r := play(t, o)
	if r.Verdict != verdict.Pass {
		t.Errorf("%s: %s; checks %s; causes %s", r.Verdict, r.Why, open(r), causes(r))
	}
}

func (tr *trial) broken(t *testing.T) {
	if tr.needs != nil {
		tr.needs(t)
	}
	o := tr.options(t)
	tr.spoil(&o)
	r := play(t, o)
	if r.Verdict != verdict.Fail || !has(r, tr.check, verdict.Fail) {
		t.Errorf("%s (%s); checks %s; want %q to fail", r.Verdict, r.Why, open(r), tr.check)
	}
	if tr.cause != "" && !slices.ContainsFunc(r.Scenarios[0].Causes, func(c verdict.Cause) bool { return c.Cause == tr.cause }) {
		t.Errorf("causes %s lack %q", causes(r), tr.cause)
	}
}

// disarmed plays the trial where it proves nothing. That a fault which does nothing is
// doubted is about no edge or process: by day it is played in memory.
func (tr *trial) disarmed(t *testing.T) {
	o := tr.options(t)
	tr.disarm(&o)
	if tr.doubt == faultSeen && !*nightly {
		inMemory(t, o, tr.doubted)
		return
	}
	tr.doubted(t, play(t, o), nil)
}

// doubted holds a report against the doubt that the trial must leave.
func (tr *trial) doubted(t *testing.T, r *verdict.Report, _ *record.Run) {
	if r.Verdict != verdict.Inconclusive || !has(r, tr.doubt, verdict.Inconclusive) {
		t.Errorf("%s (%s); checks %s; want %q open", r.Verdict, r.Why, open(r), tr.doubt)
	}
	for _, d := range r.Scenarios[0].Doubts {
		t.Logf("%s: %s; to settle it: %s", d.About, d.Why, d.Settle)
		if d.Settle == "" {
			t.Errorf("nothing would settle the doubt about %s: %s", d.About, d.Why)
		}
	}
}

func has(r *verdict.Report, name string, want verdict.Verdict) bool {
	return slices.ContainsFunc(r.Scenarios[0].Checks, func(c verdict.Check) bool { return c.Name == name && c.Verdict == want })
}

// open lists the checks that did not pass.
func open(r *verdict.Report) string {
	var all []string
	for _, c := range r.Scenarios[0].Checks {
		if c.Verdict != verdict.Pass {
			all = append(all, fmt.Sprintf("%s: %s (%s)", c.Verdict, c.Name, c.Why))
		}
	}
	return strings.Join(all, "; ")
}

func causes(r *verdict.Report) string {
	var all []string
	for _, c := range r.Scenarios[0].Causes {
		all = append(all, fmt.Sprintf("%s (%s)", c.Cause, c.Confidence))
	}
	return strings.Join(all, ", ")
}
