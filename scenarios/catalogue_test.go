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
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/harnesstest/installed"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// nightly says that every trial is run.
var nightly = bynight.On

// onStack plays the whole catalogue elsewhere than where each trial says.
var onStack = flag.String("stack", "", "with -nightly, play the trials of the catalogue on this stack: local or docker")

// sideBySide is how many scenarios are played at once. They mostly wait.
const sideBySide = 8

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		flag.Set("test.parallel", fmt.Sprint(sideBySide))
	}
	if raceEnabled && !*nightly { // their own packages have origin and guard under the detector
		scenarios.SetProgram(installed.Program)
	}
	busy.Look()
	code := m.Run()
	busy.Tell()
	installed.Remove()
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

	// make nightly has every play on a real stack. make test has one of each mechanism
	// and family there, and in memory, on a fake clock, those that are about no edge,
	// process or kernel.
	memory string                 // the plays that make test has in memory, or all of them: [everyPlay]
	real   string                 // those that it has on a real stack
	stack  string                 // "docker" for a trial that needs containers
	needs  func(*testing.T)       // what spoiling needs of the host; nil for nothing
	keep   func(*harness.Options) // makes the chain keep its promise; nil where it does by itself
	spoil  func(*harness.Options) // makes the chain break its promise
	check  string                 // that must fail then
	cause  string                 // that must be named then, "" where the check says it all

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

// A playing is one way to play a scenario: what is changed before it, and what the
// report must say then.
type playing struct {
	name   string
	change func(*trial) func(*harness.Options) // may return nil
	check  func(*trial, *testing.T, *verdict.Report)
}

var plays = []playing{
	{"kept", func(tr *trial) func(*harness.Options) { return tr.keep }, (*trial).passes},
	{"broken", func(tr *trial) func(*harness.Options) { return tr.spoil }, (*trial).fails},
	{"disarmed", func(tr *trial) func(*harness.Options) { return tr.disarm }, (*trial).doubts},
}

const everyPlay = "kept broken disarmed"

// inMemory reports whether make test has a play in memory, and onReal whether it has
// it on a real stack.
func (tr *trial) inMemory(play string) bool { return slices.Contains(strings.Fields(tr.memory), play) }
func (tr *trial) onReal(play string) bool   { return slices.Contains(strings.Fields(tr.real), play) }

// inSuite reports whether a play is one of TestStandardSuitePasses, on a real stack.
func (tr *trial) inSuite(play string) bool {
	return play == "kept" && tr.keep == nil &&
		slices.ContainsFunc(scenarios.Standard(), func(s harness.Scenario) bool { return s.ID == tr.id })
}

// where is the real stack that the trial runs on.
func (tr *trial) where() string { return cmp.Or(*onStack, tr.stack, "local") }

func flagged(f verdict.Flag) string { return "no stream is " + string(f) }

var trials = []trial{
	{id: "control", memory: everyPlay, spoil: sabotage("silent-truncation"), check: must,
		cause: diagnose.SilentTruncation, disarm: plainText, doubt: provable},
	{id: "direct", memory: everyPlay, spoil: sabotage("close-delimited"), check: must,
		cause: diagnose.SilentTruncation, disarm: plainText, doubt: provable},
	{id: "not-streaming", memory: everyPlay,
		spoil: func(o *harness.Options) { o.App.Stream.PlainPath = "/stream?stream=false&size=40" },
		check: verdict.SameText, disarm: streamedOnly, doubt: verdict.SameText},
	{id: "soak", memory: "kept disarmed",
		spoil: args("--sabotage", "silent-truncation", "--sabotage-share", "0.03"), check: must,
		cause:  diagnose.SilentTruncation,
		disarm: load(harness.Load{Streams: 10, Duration: 300 * time.Millisecond}), doubt: enough},

	{id: "buffering", memory: "disarmed", spoil: sabotage("no-accel-header"),
		check: flagged(verdict.Buffered), cause: diagnose.BufferedByEdge, disarm: oneEvent, doubt: paced},
	{id: "gzip-buffering", memory: "disarmed", real: "broken", spoil: sabotage("no-accel-header"),
		check: flagged(verdict.Buffered), cause: diagnose.GzipByEdge,
		disarm: header("Accept-Encoding", "identity"), doubt: "compressed answer seen"},
	{id: "cache-buffering", memory: "disarmed", spoil: args("--cacheable"), check: must,
		cause: diagnose.ForeignEvent, disarm: once, doubt: "same answer asked for again"},
	{id: "http10-upstream", memory: "disarmed", real: "broken", spoil: sabotage("incomplete-body"),
		check: must, cause: diagnose.LaunderedByEdge, disarm: oneEvent, doubt: paced},
	{id: "middleware-buffering", memory: "kept disarmed", spoil: sabotage("buffering"),
		check: flagged(verdict.Buffered), cause: diagnose.BufferedByApp, disarm: oneEvent, doubt: paced},
	{id: "tiny-packets", memory: "broken disarmed", spoil: sabotage("corrupt-byte"), check: must,
		cause: diagnose.CorruptContent, disarm: disarmed, doubt: faultSeen},

	{id: "read-timeout", memory: "disarmed", real: "broken", spoil: sabotage("no-heartbeat"), check: must,
		cause: diagnose.ProxyReadTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "idle-timeout", memory: "disarmed", spoil: sabotage("no-heartbeat"), check: must,
		cause: diagnose.IdleTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "send-timeout", memory: "disarmed", real: "kept",
		spoil: func(o *harness.Options) { o.Sabotage = harness.Sabotage{Name: "silent-truncation", At: 2} },
		check: must, cause: diagnose.SilentTruncation, disarm: quickClients, doubt: "slow clients cut"},
	{id: "deadline", memory: "disarmed", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "worker-timeout", memory: "kept disarmed", needs: needGunicorn, spoil: syncWorkers,
		check: must, cause: diagnose.SyncWorkerTimeout, disarm: noPause, doubt: "silence seen"},
	{id: "keepalive-race", memory: "disarmed", real: "kept", spoil: sabotage("no-headers"),
		check: untouched, disarm: disarmed, doubt: faultSeen},

	{id: "latency", memory: "kept disarmed", spoil: readTimeout(700 * time.Millisecond), check: must,
		cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "jitter", memory: "kept disarmed", spoil: readTimeout(700 * time.Millisecond), check: must,
		cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "bandwidth", memory: everyPlay, spoil: sabotage("lost-event"), check: must, cause: diagnose.LostEvent,
		disarm: disarmed, doubt: faultSeen},
	{id: "stall", memory: everyPlay, spoil: sabotage("lost-event"), check: must, cause: diagnose.LostEvent,
		disarm: disarmed, doubt: faultSeen},
	{id: "slow-start", memory: everyPlay, spoil: sabotage("slow-first-event"), check: flagged(verdict.Late),
		cause: diagnose.SlowFirstEvent, disarm: disarmed, doubt: faultSeen},
	{id: "slow-close", memory: "broken disarmed", spoil: sabotage("linger"),
		check: flagged(verdict.Lingering), cause: diagnose.OpenAfterAnswer, disarm: disarmed, doubt: faultSeen},

	{id: "cut", memory: "kept disarmed", real: "broken", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "reset", memory: "kept disarmed", spoil: fragile, check: recovered, cause: diagnose.Overloaded,
		disarm: disarmed, doubt: faultSeen},
	{id: "fin", memory: "kept disarmed", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "truncate", memory: "disarmed", spoil: form(stack.EdgeDefault), check: must,
		disarm: disarmed, doubt: faultSeen},
	{id: "blackhole", memory: "disarmed", real: "kept", spoil: readTimeout(30 * time.Second),
		check: must, disarm: disarmed, doubt: faultSeen},
	{id: "partition", memory: "kept disarmed", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "refused", memory: "disarmed", real: "kept", spoil: fragile, check: recovered,
		cause: diagnose.Overloaded, disarm: disarmed, doubt: faultSeen},

	{id: "worker-kill", memory: "disarmed", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "memory-kill", memory: "disarmed", real: "kept", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "memory-kill-container", memory: "disarmed", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "worker-kill-default-edge", memory: "disarmed", real: "broken", keep: form(stack.EdgeStreaming),
		spoil: form(stack.EdgeDefault), check: must, cause: diagnose.LaunderedByEdge, disarm: disarmed,
		doubt: faultSeen},
	{id: "memory-squeeze", stack: "docker", spoil: hoarder, check: must, cause: diagnose.LaunderedByEdge,
		disarm: disarmed, doubt: faultSeen},
	{id: "slow-reader", memory: "broken disarmed", spoil: sabotage("lost-event"), check: must,
		cause: diagnose.LostEvent, disarm: quickClients, doubt: "clients that hold back"},
	{id: "leak", memory: "disarmed", real: "broken", spoil: args("--hoard", "1048576"),
		check: "memory back to where it began", disarm: disarmed, doubt: faultSeen},

	{id: "drain", memory: "kept disarmed", spoil: args("--grace", "700ms"), check: must,
		cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "crash", memory: "disarmed", real: "kept", spoil: form(stack.EdgeDefault), check: must,
		cause: diagnose.LaunderedByEdge, disarm: disarmed, doubt: faultSeen},
	{id: "pause", memory: "disarmed", real: "kept", spoil: readTimeout(700 * time.Millisecond), check: must,
		cause: diagnose.ProxyReadTimeout, disarm: disarmed, doubt: faultSeen},
	{id: "rolling-deploy", memory: "kept disarmed", spoil: args("--grace", "700ms"), check: must,
		cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "scale-in", memory: "disarmed", real: "kept", spoil: args("--grace", "700ms"), check: must,
		cause: diagnose.GraceTooShort, disarm: disarmed, doubt: faultSeen},
	{id: "scale-out", memory: "disarmed",
		spoil: args("--sabotage", "silent-truncation", "--sabotage-share", "1", "--sabotage-from", "1"),
		check: must, cause: diagnose.SilentTruncation, disarm: disarmed, doubt: faultSeen},
	{id: "edge-reload", memory: "disarmed", real: "kept broken",
		spoil: func(o *harness.Options) { o.App.Edge.ShutdownTimeout = 300 * time.Millisecond }, check: must,
		cause: diagnose.EdgeReloaded, disarm: disarmed, doubt: faultSeen},
	{id: "worker-recycle", memory: "disarmed", spoil: args("--grace", "100ms"), check: must,
		cause: diagnose.WorkerRecycled, disarm: args("--max-requests", "100000"),
		doubt: "recycled under streams"},
	{id: "herd", memory: "kept disarmed", spoil: fragile, check: recovered, cause: diagnose.Overloaded,
		disarm: disarmed, doubt: faultSeen},

	{id: "blocked-loop", memory: "disarmed", spoil: args("--block", "4s"), check: must,
		cause: diagnose.BlockedLoop, disarm: load(harness.Load{Streams: 3}), doubt: "streams side by side"},
	{id: "client-abort", memory: "broken disarmed", real: "kept", spoil: sabotage("leak"),
		check: flagged(verdict.Leaked), cause: diagnose.NotPropagated, disarm: neverAbort,
		doubt: "server's account of our hang-ups"},
	{id: "overload", memory: "disarmed", real: "kept", spoil: args("--overflow", "truncate"), check: must,
		cause: diagnose.SilentTruncation, disarm: args("--capacity", "1000"), doubt: refusals},
	{id: "rate-limited", memory: "disarmed", real: "kept", spoil: laxEdge("--capacity", "6", "--overflow", "truncate"),
		check: must, cause: diagnose.SilentTruncation, disarm: laxEdge(), doubt: refusals},
}

// TestCatalogue plays each scenario as it should pass, as it should fail, and as it
// should not be able to tell, on a real stack: by night all, by day what no other
// play stands for.
func TestCatalogue(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, tr := range trials {
		t.Run(tr.id, func(t *testing.T) {
			t.Parallel()
			for _, p := range plays {
				if !*nightly && !tr.onReal(p.name) {
					continue
				}
				t.Run(p.name, func(t *testing.T) {
					t.Parallel()
					if tr.where() == "docker" {
						needDocker(t)
					}
					o := tr.options(t, p)
					if p.name == "broken" && tr.needs != nil {
						tr.needs(t)
					}
					p.check(&tr, t, play(t, o))
				})
			}
		})
	}
}

// TestInMemoryCatalogue has those plays in memory that are about time, order, counts
// and content alone.
func TestInMemoryCatalogue(t *testing.T) {
	for _, tr := range trials {
		for _, p := range plays {
			if !tr.inMemory(p.name) {
				continue
			}
			t.Run(tr.id+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				inMemory(t, tr.options(t, p), func(t *testing.T, r *verdict.Report, _ *record.Run) { p.check(&tr, t, r) })
			})
		}
	}
}

// options are those of a play.
func (tr *trial) options(t *testing.T, p playing) harness.Options {
	o := harness.Options{App: harness.App{Stack: tr.where()}, Scenarios: []harness.Scenario{scenario(t, tr.id)},
		Load: harness.Load{Streams: 10}, Dir: t.TempDir() + "/run"}
	if change := p.change(tr); change != nil {
		change(&o)
	}
	return o
}

// passes: the promise is kept.
func (tr *trial) passes(t *testing.T, r *verdict.Report) {
	if r.Verdict != verdict.Pass {
		if r.Verdict == verdict.Inconclusive {
			busy.Excuse(t, &r.Scenarios[0])
		}
		t.Errorf("%s: %s; checks %s; causes %s", r.Verdict, r.Why, open(r), causes(r))
	}
}

// fails: the promise is broken, and the check and the cause say so.
func (tr *trial) fails(t *testing.T, r *verdict.Report) {
	if r.Verdict != verdict.Fail || !has(r, tr.check, verdict.Fail) {
		busy.Excuse(t, &r.Scenarios[0])
		t.Errorf("%s (%s); checks %s; want %q to fail", r.Verdict, r.Why, open(r), tr.check)
	}
	named := func(c verdict.Cause) bool { return c.Cause == tr.cause }
	if tr.cause != "" && !slices.ContainsFunc(r.Scenarios[0].Causes, named) {
		t.Errorf("causes %s lack %q", causes(r), tr.cause)
	}
}

// doubts: the play proves nothing, and the report says what would.
func (tr *trial) doubts(t *testing.T, r *verdict.Report) {
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
