//go:build linux

package strangers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
)

// The layers of causes, as verdict.json has them.
const (
	inApp     = "app"
	inManager = "process manager"
	inKernel  = "kernel"
	atEdge    = "edge"
	network   = "network"
)

// Shapes of answers.
const (
	openai = "openai"
	text   = "text"
	ndjson = "ndjson"
	sse    = "sse"
)

// A Plant is a cause that is built into a stack, and what an expert who has seen
// the stack and its logs would accept as its name. First and Layers were written
// before any result was looked at.
type Plant struct {
	Kind string
	// Where it can grow; one of each is drawn.
	Servers, Edges, Shapes []string
	Loads                  []int    // streams
	Commands               []string // "run", "diagnose"
	// First are the accepted names of the first cause, Layers its accepted layers.
	First, Layers []string
	// Cut says that the app breaks off. Behind an edge that launders, that may be
	// named first.
	Cut bool
	// Raises says that it raises: some servers end the answer properly then.
	Raises bool
	// set completes the drawn case.
	set func(r *rand.Rand, c *Case)
}

var (
	anyShape = []string{openai, text, ndjson, sse}
	proven   = []string{openai, ndjson, sse} // shapes whose end can be told
	// honest are edges that speak HTTP/1.1 to the app; all but those that launder
	// (see Edge) pass on how an answer ended.
	honest    = []string{"none", "nginx", "haproxy", "caddy", "goproxy"}
	allEdges  = []string{"none", "nginx", "haproxy", "apache", "caddy", "lighttpd", "varnish", "goproxy"}
	both      = []string{"run", "diagnose"}
	onlyRun   = []string{"run"}
	onlyPeel  = []string{"diagnose"}
	managed   = []string{"gunicorn-uvicorn", "puma"}
	anyServer = []string{"uvicorn", "gunicorn-gthread", "gunicorn-uvicorn", "hypercorn", "aiohttp", "tornado", "waitress",
		"node", "jdk", "go"}
)

// bug sets what is wrong with the app, and more of its variables.
func bug(name string, more ...string) func(*rand.Rand, *Case) {
	return func(r *rand.Rand, c *Case) {
		c.Spec.App["BUG"] = name
		c.Spec.App["AT"] = strconv.Itoa(2 + r.IntN(12))
		for i := 0; i+1 < len(more); i += 2 {
			c.Spec.App[more[i]] = more[i+1]
		}
	}
}

// some has the bug hit only some of the answers in half of the cases.
func some(set func(*rand.Rand, *Case)) func(*rand.Rand, *Case) {
	return func(r *rand.Rand, c *Case) {
		set(r, c)
		if c.Streams >= 8 && r.IntN(2) == 0 {
			c.Spec.App["SHARE"] = strconv.Itoa(30 + r.IntN(40))
		}
	}
}

func then(sets ...func(*rand.Rand, *Case)) func(*rand.Rand, *Case) {
	return func(r *rand.Rand, c *Case) {
		for _, set := range sets {
			set(r, c)
		}
	}
}

func edge(o EdgeOptions) func(*rand.Rand, *Case) {
	return func(_ *rand.Rand, c *Case) { c.Spec.Options = o }
}

// long makes answers of that many pieces, ms apart.
func long(low, high, gapLow, gapHigh int) func(*rand.Rand, *Case) {
	return func(_ *rand.Rand, c *Case) {
		c.Spec.App["EVENTS"], c.Spec.App["GAP"] = fmtSpan(low, high), fmtSpan(gapLow, gapHigh)
	}
}

func flags(f ...string) func(*rand.Rand, *Case) {
	return func(_ *rand.Rand, c *Case) { c.Flags = append(c.Flags, f...) }
}

// Plants is the answer sheet.
var Plants = []*Plant{
	// Delay.
	{Kind: "edge buffers (defaults)", Servers: anyServer, Edges: []string{"nginx", "lighttpd"}, Shapes: anyShape,
		Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.BufferedByEdge}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Defaults: true}), long(30, 60, 20, 40), direct)},
	{Kind: "edge collects complete responses", Servers: anyServer, Edges: []string{"goproxy"}, Shapes: anyShape,
		Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.BufferedByEdge}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Collect: true}), long(30, 60, 20, 40), direct)},
	{Kind: "edge batches for 0.2 s (HAProxy defaults)", Servers: anyServer, Edges: []string{"haproxy"}, Shapes: anyShape,
		Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.BufferedByEdge}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Defaults: true}), long(40, 80, 15, 30), direct)},
	{Kind: "edge compresses and buffers", Servers: []string{"uvicorn", "aiohttp", "node", "go"}, Edges: []string{"nginx"},
		Shapes: anyShape, Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.GzipByEdge}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Gzip: true, Buffers: true}), long(30, 60, 20, 40), direct,
			flags("--header", "Accept-Encoding: gzip"))},
	{Kind: "app compresses", Servers: []string{"uvicorn", "gunicorn-uvicorn", "hypercorn"}, Edges: honest,
		Shapes: anyShape, Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.GzipByApp}, Layers: []string{inApp},
		set: then(bug("gzip"), long(30, 60, 20, 40), direct, flags("--header", "Accept-Encoding: gzip"))},
	{Kind: "app joins the body", Servers: []string{"uvicorn", "node", "go", "waitress", "gunicorn-gthread"}, Edges: honest,
		Shapes: proven, Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.JoinedByApp, diagnose.BufferedByApp}, Layers: []string{inApp},
		set: then(bug("join"), long(30, 60, 20, 40), direct)},
	{Kind: "stall in the app", Servers: anyServer, Edges: allEdges, Shapes: anyShape, Loads: []int{1, 8, 20},
		Commands: both,
		First:    []string{diagnose.StallInApp}, Layers: []string{inApp},
		set: then(some(bug("stall", "SECONDS", "4")), flags("--gap-limit", "1500ms"))},

	// Concurrency: only under loads that show it.
	{Kind: "blocked event loop (0.3 s a request)", Servers: []string{"uvicorn", "hypercorn", "aiohttp", "tornado", "node"},
		Edges: honest, Shapes: anyShape, Loads: []int{10, 20}, Commands: both,
		First: []string{diagnose.BlockedLoop, diagnose.SerialisedLoop}, Layers: []string{inApp},
		set: then(bug("block"), long(20, 40, 20, 40))},
	{Kind: "blocked event loop (2 s in every fifth answer)",
		Servers: []string{"uvicorn", "hypercorn", "aiohttp", "tornado", "node"}, Edges: honest, Shapes: proven,
		Loads: []int{8, 20}, Commands: onlyRun,
		First: []string{diagnose.BlockedLoop, diagnose.SerialisedLoop}, Layers: []string{inApp},
		set: then(bug("hiccup", "SECONDS", "2"), long(40, 60, 30, 40))},
	{Kind: "synchronous generator serialises", Servers: []string{"uvicorn", "aiohttp", "tornado"}, Edges: honest,
		Shapes: proven, Loads: []int{8, 12}, Commands: both,
		First: []string{diagnose.BlockedLoop, diagnose.SerialisedLoop}, Layers: []string{inApp},
		set: then(bug("serial"), long(12, 24, 20, 40))},
	{Kind: "limit of N in the app", Servers: []string{"uvicorn", "hypercorn", "aiohttp", "tornado", "node", "jdk", "go"},
		Edges: honest, Shapes: proven, Loads: []int{12, 20}, Commands: both,
		First: []string{diagnose.ConcurrencyLimit, diagnose.Queue}, Layers: []string{inApp, inManager},
		set: then(bug("limit"), long(25, 35, 20, 30), limitOf(3, 5))},
	{Kind: "limit of N workers or threads", Servers: []string{"gunicorn-sync", "gunicorn-gthread", "waitress", "puma"},
		Edges: honest, Shapes: proven, Loads: []int{12, 20}, Commands: both,
		First: []string{diagnose.ConcurrencyLimit, diagnose.Queue}, Layers: []string{inApp, inManager},
		set: then(long(25, 35, 20, 30), poolOf(3, 5))},
	{Kind: "limit of N connections at the edge", Servers: anyServer, Edges: []string{"haproxy"}, Shapes: proven,
		Loads: []int{12, 20}, Commands: both,
		First: []string{diagnose.ConcurrencyLimit, diagnose.Queue, diagnose.EdgeFull}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{MaxConn: 4}), long(25, 35, 20, 30))},
	{Kind: "edge out of connections", Servers: anyServer, Edges: []string{"nginx"}, Shapes: proven, Loads: []int{20},
		Commands: onlyRun,
		First:    []string{diagnose.EdgeFull}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{MaxConn: 16}), long(40, 50, 20, 40), logged)},
	{Kind: "thread pool of 40", Servers: []string{"uvicorn"}, Edges: []string{"none", "nginx"}, Shapes: proven,
		Loads: []int{60}, Commands: onlyRun,
		First: []string{diagnose.ThreadPool, diagnose.ConcurrencyLimit}, Layers: []string{inApp},
		set: then(bug("threads"), long(40, 50, 40, 60), path("/threads"))},

	// Timers and caps.
	{Kind: "edge read timeout", Servers: anyServer, Edges: []string{"nginx", "haproxy", "apache"}, Shapes: proven,
		Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.ProxyReadTimeout}, Layers: []string{atEdge},
		set: then(bug("stall", "SECONDS", "3"), edge(EdgeOptions{Timeout: time.Second}))},
	{Kind: "edge idle timer that launders", Servers: anyServer, Edges: []string{"caddy", "varnish", "lighttpd"},
		Shapes: proven, Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.ProxyReadTimeout, diagnose.IdleTimeout}, Layers: []string{atEdge, network},
		set: then(bug("stall", "SECONDS", "4"), edge(EdgeOptions{Timeout: time.Second}))},
	{Kind: "deadline in the app (WriteTimeout)", Cut: true, Servers: []string{"go"}, Edges: honest, Shapes: proven,
		Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.AbsoluteDeadline}, Layers: []string{inApp},
		set: then(bug("deadline", "SECONDS", "1"), long(60, 90, 25, 45))},
	{Kind: "deadline of PHP-FPM", Servers: []string{"php-fpm"}, Edges: []string{"nginx", "apache", "lighttpd"},
		Shapes: proven, Loads: []int{8, 20}, Commands: onlyRun,
		First: []string{diagnose.AbsoluteDeadline, diagnose.SyncWorkerTimeout}, Layers: []string{inApp, inManager},
		set: then(terminate, long(100, 130, 30, 50))},
	{Kind: "worker timeout (gunicorn sync)", Cut: true, Servers: []string{"gunicorn-sync"}, Edges: honest, Shapes: proven,
		Loads: []int{1, 4, 8}, Commands: both,
		First: []string{diagnose.SyncWorkerTimeout}, Layers: []string{inApp, inManager},
		set: then(workers(8), args("--timeout", "1"), long(100, 130, 30, 50))},
	{Kind: "deadline at the edge", Servers: anyServer, Edges: []string{"goproxy"}, Shapes: proven, Loads: []int{1, 8, 20},
		Commands: both,
		First:    []string{diagnose.AbsoluteDeadline}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Deadline: time.Second}), long(60, 90, 25, 45), direct)},
	{Kind: "payload cap at the edge", Servers: anyServer, Edges: []string{"goproxy"}, Shapes: proven, Loads: []int{8, 20},
		Commands: both,
		First:    []string{diagnose.PayloadCap}, Layers: []string{atEdge},
		set: then(edge(EdgeOptions{Cap: 3000}), long(150, 200, 5, 15), direct)},

	// The app's own endings.
	{Kind: "exception mid-stream", Raises: true, Cut: true, Servers: anyServer, Edges: honest, Shapes: proven,
		Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.AppError}, Layers: []string{inApp}, set: some(bug("raise"))},
	{Kind: "exception mid-stream (Puma)", Cut: true, Servers: []string{"puma"}, Edges: honest, Shapes: proven,
		Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.AppError, diagnose.Spliced, diagnose.BrokenFraming}, Layers: []string{inApp},
		set: some(bug("raise"))},
	{Kind: "exception mid-stream (PHP)", Servers: []string{"php-fpm"}, Edges: []string{"nginx", "apache", "lighttpd"},
		Shapes: proven, Loads: []int{1, 8}, Commands: onlyRun,
		First: []string{diagnose.AppError, diagnose.LaunderedByApp, diagnose.SilentTruncation}, Layers: []string{inApp},
		set: some(bug("raise"))},
	{Kind: "exception swallowed and logged", Servers: []string{"uvicorn", "gunicorn-gthread", "aiohttp", "tornado",
		"hypercorn"}, Edges: honest, Shapes: proven, Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.LaunderedByApp, diagnose.SilentTruncation, diagnose.AppError}, Layers: []string{inApp},
		set: some(bug("swallow"))},
	{Kind: "silent truncation by the app", Servers: anyServer, Edges: honest, Shapes: proven, Loads: []int{1, 8, 20},
		Commands: onlyPeel,
		First:    []string{diagnose.SilentTruncation}, Layers: []string{inApp}, set: some(bug("stop"))},
	{Kind: "silent truncation by the app, no edge", Servers: anyServer, Edges: []string{"none"}, Shapes: proven,
		Loads: []int{1, 8, 20}, Commands: onlyRun,
		First: []string{diagnose.SilentTruncation}, Layers: []string{inApp}, set: some(bug("stop"))},
	{Kind: "closed resource", Raises: true, Cut: true, Servers: []string{"uvicorn", "gunicorn-uvicorn"}, Edges: honest,
		Shapes: proven, Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.OutlivesResources, diagnose.AppError}, Layers: []string{inApp}, set: bug("closed")},
	{Kind: "error inside the stream", Servers: anyServer, Edges: honest, Shapes: proven, Loads: []int{1, 8, 20},
		Commands: both,
		First:    []string{diagnose.InBandError}, Layers: []string{inApp}, set: some(bug("inband"))},
	{Kind: "terminal never sent", Servers: anyServer, Edges: honest, Shapes: []string{openai}, Loads: []int{1, 8, 20},
		Commands: both,
		First:    []string{diagnose.TerminalNotSent}, Layers: []string{inApp}, set: bug("unfinished")},
	{Kind: "finished and left open", Servers: []string{"uvicorn", "node", "jdk", "go"},
		Edges: []string{"none", "nginx", "haproxy", "caddy"}, Shapes: []string{openai}, Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.MissingTerminal}, Layers: []string{inApp},
		set: then(bug("open"), flags("--gap-limit", "2s"))},
	{Kind: "error status", Servers: anyServer, Edges: honest, Shapes: proven, Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.HTTPFailure, diagnose.Overloaded}, Layers: []string{inApp}, set: bug("status")},
	{Kind: "redirect loop", Servers: anyServer, Edges: honest, Shapes: proven, Loads: []int{1, 8}, Commands: both,
		First: []string{diagnose.RedirectLoop, diagnose.HTTPFailure}, Layers: []string{inApp}, set: bug("redirect")},

	// Processes.
	{Kind: "worker killed by somebody else", Cut: true, Servers: managed, Edges: honest, Shapes: proven,
		Loads: []int{8, 20}, Commands: onlyRun,
		First: []string{diagnose.WorkerKilled}, Layers: []string{inApp, inManager, inKernel},
		set: then(workers(2), long(60, 80, 30, 50), killed)},
	{Kind: "child of PHP-FPM killed by somebody else", Servers: []string{"php-fpm"}, Edges: []string{"nginx", "lighttpd"},
		Shapes: proven, Loads: []int{8}, Commands: onlyRun,
		First: []string{diagnose.WorkerKilled}, Layers: []string{inApp, inManager, inKernel},
		set: then(long(60, 80, 30, 50), logged, killed)},
	{Kind: "memory kill (SIGKILL from within)", Cut: true, Servers: []string{"gunicorn-uvicorn"}, Edges: honest,
		Shapes: proven, Loads: []int{8, 20}, Commands: onlyRun,
		First: []string{diagnose.MemoryKillWorker, diagnose.WorkerKilled}, Layers: []string{inApp, inManager, inKernel},
		set: then(workers(2), bug("exhaust", "SECONDS", "2.5"), long(100, 120, 30, 40))},
	{Kind: "worker recycled", Cut: true, Servers: []string{"gunicorn-uvicorn"}, Edges: honest, Shapes: proven,
		Loads: []int{12, 20}, Commands: onlyRun,
		First: []string{diagnose.WorkerRecycled}, Layers: []string{inApp, inManager},
		set: then(args("--max-requests", "4", "--timeout", "2"), long(40, 50, 100, 130), flags("--ramp", "4s"))},
	{Kind: "crash laundered by HTTP/1.0 (nginx defaults)", Raises: true, Servers: anyServer, Edges: []string{"nginx"},
		Shapes: proven, Loads: []int{1, 8, 20}, Commands: both,
		First: []string{diagnose.LaunderedByEdge, diagnose.AppError}, Layers: []string{atEdge, inApp},
		set: then(edge(EdgeOptions{Defaults: true}), some(bug("raise")))},
	{Kind: "killed worker laundered by HTTP/1.0 (nginx defaults)", Servers: managed, Edges: []string{"nginx"},
		Shapes: proven, Loads: []int{8, 20}, Commands: onlyRun,
		First:  []string{diagnose.LaunderedByEdge, diagnose.WorkerKilled},
		Layers: []string{atEdge, inApp, inManager, inKernel},
		set:    then(edge(EdgeOptions{Defaults: true}), workers(2), long(60, 80, 30, 50), killed)},
	{Kind: "one of two replicas fails", Servers: []string{"uvicorn", "node", "go", "jdk", "aiohttp"},
		Edges: []string{"haproxy"}, Shapes: proven, Loads: []int{8, 20}, Commands: onlyRun,
		First: []string{diagnose.OneReplica}, Layers: []string{inApp},
		set: then(replicas, logged, func(r *rand.Rand, c *Case) { bug([]string{"stop", "raise"}[r.IntN(2)])(r, c) })},
}

// direct has the app itself asked too, since buffering cannot be proved without:
// run is told of it where it can be, and is diagnose elsewhere.
func direct(_ *rand.Rand, c *Case) {
	if c.Direct = true; !runTakesDirect() {
		c.Command = "diagnose"
	}
}

// logged gives the logs always: what only they can tell is no fair question
// without them.
func logged(_ *rand.Rand, c *Case) { c.Logs = true }

func path(p string) func(*rand.Rand, *Case) { return func(_ *rand.Rand, c *Case) { c.Path = p } }

func limitOf(low, high int) func(*rand.Rand, *Case) {
	return func(r *rand.Rand, c *Case) { c.Spec.App["LIMIT"] = strconv.Itoa(low + r.IntN(high-low+1)) }
}

// poolOf limits what the app server works on at a time.
func poolOf(low, high int) func(*rand.Rand, *Case) {
	return func(r *rand.Rand, c *Case) {
		n := low + r.IntN(high-low+1)
		if c.Spec.Threads = n; c.Spec.Server == "gunicorn-sync" {
			c.Spec.Workers = n
		}
	}
}

func workers(n int) func(*rand.Rand, *Case) {
	return func(_ *rand.Rand, c *Case) { c.Spec.Workers = n }
}

func args(a ...string) func(*rand.Rand, *Case) {
	return func(_ *rand.Rand, c *Case) { c.Spec.Args = a }
}

func terminate(_ *rand.Rand, c *Case) { c.Spec.Terminate = "2s" }

// replicas makes two of the app, the second of which is bad. Which one served whom
// stands in the edge's log and nowhere else.
func replicas(_ *rand.Rand, c *Case) { c.Spec.Replicas, c.Spec.BadReplica = 2, true }

// killed has somebody else kill a worker once the load is in its answers.
func killed(_ *rand.Rand, c *Case) {
	c.During = func(ctx context.Context, s *Stack) error {
		if err := until(ctx, func() bool { return connected(s.Port) >= max(2, c.Streams*3/4) }); err != nil {
			return err
		}
		time.Sleep(700 * time.Millisecond)
		busiest, most := 0, 0 // the kernel may have given all to one of them
		for _, pid := range children(s.App()) {
			if n := sockets(pid); n > most {
				busiest, most = pid, n
			}
		}
		if busiest == 0 {
			return fmt.Errorf("kill a worker of %s: it has none", s.Spec)
		}
		return syscall.Kill(busiest, syscall.SIGKILL)
	}
}
