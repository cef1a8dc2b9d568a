package diagnose

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// A tag is what a log line means.
type tag int

const (
	upstreamClosed  tag = iota // the app's side ended mid-body
	upstreamTimeout            // the edge's read timeout, mid-body
	headerTimeout              // the same, before the head
	upstreamReset
	invalidChunk
	headClosed // the app's side ended before the head
	connectRefused
	noneLive
	unresolved  // the edge found no address for the name of the app
	unreachable // the edge got no connection to the app, and no word why
	edgeRefused // the edge turned the request away by a rule of its own
	connectionsFull
	tempFile
	edgeWorkerDied
	workerTimedOut
	workerAborted // SIGABRT, as gunicorn sends after a timeout
	workerKill    // SIGKILL, whoever sent it
	workerCrashed
	workerBooted // by a manager with a fixed number of workers, in the place of one that ended
	termHandled
	shuttingDown
	recycling
	syncWorkers // gunicorn's, each of which serves one request at a time and has no event loop
	graceOver
	exception // one a failed request
	traceback
	closedResource
	lengthMismatch
	concurrencyLimit
	noFiles
	oomKiller
	totalTimeout    // the edge's limit on request and answer together
	ownWriteTimeout // the app's own deadline for writes, which nobody else can set
	edgeGaveUp      // the edge itself closed its connection to the app, mid-answer
	edgeStopped     // somebody reloaded or stopped the edge
	clientLeft      // the edge says that its client hung up
	limitReached    // all workers, threads or children are busy
	podKilled       // Kubernetes ended a container: a probe, an eviction, a drain
	probeFailed     // Kubernetes found a container unhealthy
	loopHung        // the app says that something held up its event loop
	numTags
)

// Every part of a pattern must stand in the line; it counts for logs of its kind,
// of all if that is empty. A line may bear several tags.
type pattern struct {
	tag   tag
	kind  record.LogKind
	parts []string
}

// patterns were written down from runs against nginx, the servers of Python and
// Debian's packages of the others.
var patterns = []pattern{
	{upstreamClosed, record.NginxError, []string{"upstream prematurely closed connection while reading upstream"}},
	{upstreamTimeout, record.NginxError, []string{"upstream timed out (110", "while reading upstream"}},
	{headerTimeout, record.NginxError, []string{"upstream timed out (110", "while reading response header from upstream"}},
	{upstreamReset, record.NginxError, []string{"recv() failed (104", "while reading upstream"}},
	{invalidChunk, record.NginxError, []string{"upstream sent invalid chunked response"}},
	{headClosed, record.NginxError, []string{"upstream prematurely closed connection while reading response header"}},
	{headClosed, record.NginxError, []string{"recv() failed (104", "while reading response header"}},
	{connectRefused, record.NginxError, []string{"connect() failed (111"}},
	{unreachable, record.NginxError, []string{"connect() failed (113"}},
	{unreachable, record.NginxError, []string{"upstream timed out (110", "while connecting to upstream"}},
	{edgeRefused, record.NginxError, []string{"limiting requests, excess:"}}, // not those of a dry run
	{edgeRefused, record.NginxError, []string{"limiting connections by zone"}},
	{noneLive, record.NginxError, []string{"no live upstreams"}},
	{unresolved, record.NginxError, []string{"could not be resolved"}},
	{connectionsFull, record.NginxError, []string{"worker_connections are not enough"}},
	{tempFile, record.NginxError, []string{"is buffered to a temporary file"}},
	{edgeWorkerDied, record.NginxError, []string{"worker process", "exited on signal"}},
	{edgeWorkerDied, logline.HAProxy, []string{"Current worker", "exited with code 139"}}, // SIGSEGV
	{edgeWorkerDied, logline.HAProxy, []string{"Current worker", "exited with code 134"}}, // SIGABRT
	{edgeWorkerDied, logline.HAProxy, []string{"Current worker", "exited with code 137"}}, // SIGKILL
	{edgeWorkerDied, logline.ApacheError, []string{"AH00051", "child pid", "exit signal"}},
	{edgeWorkerDied, logline.ApacheError, []string{"AH00052", "child pid", "exit signal"}},
	{edgeStopped, record.NginxError, []string{"(SIGHUP) received", "reconfiguring"}},
	{edgeStopped, record.NginxError, []string{"(SIGTERM) received", "exiting"}},
	{edgeStopped, record.NginxError, []string{"(SIGQUIT) received", "shutting down"}},
	{clientLeft, record.NginxError, []string{"client prematurely closed connection"}},
	{clientLeft, record.NginxError, []string{"client timed out (110", "while sending to client"}},

	{upstreamTimeout, logline.ApacheError, []string{"(70007)", "AH01110"}},
	{headerTimeout, logline.ApacheError, []string{"(70007)", "AH01102"}},
	{upstreamReset, logline.ApacheError, []string{"(104)", "AH01110"}},
	{upstreamClosed, logline.ApacheError, []string{"(70014)", "AH01110"}},
	{upstreamClosed, logline.ApacheError, []string{"(70008)", "AH01110"}}, // partial results
	{invalidChunk, logline.ApacheError, []string{"(22)", "AH01110"}},
	{headClosed, logline.ApacheError, []string{"AH01102", "error reading status line"}},
	{headClosed, logline.ApacheError, []string{"AH00898"}},
	{connectRefused, logline.ApacheError, []string{"(111)", "AH00957"}},
	{noneLive, logline.ApacheError, []string{"AH00940"}},
	{unresolved, logline.ApacheError, []string{"DNS lookup failure for"}},
	{connectionsFull, logline.ApacheError, []string{"MaxRequestWorkers"}},
	{edgeStopped, logline.ApacheError, []string{"Graceful restart requested"}},
	{edgeStopped, logline.ApacheError, []string{"SIGHUP received"}},
	{edgeStopped, logline.ApacheError, []string{"caught SIGTERM"}},

	{upstreamTimeout, logline.LighttpdError, []string{"read timeout on socket"}},
	{headClosed, logline.LighttpdError, []string{"response not received", "closing connection"}},
	{upstreamReset, logline.LighttpdError, []string{"response already sent out", "backend returned error"}},
	{upstreamClosed, logline.LighttpdError, []string{"unexpected end-of-file"}},
	{connectRefused, logline.LighttpdError, []string{"establishing connection failed"}},
	{connectRefused, logline.LighttpdError, []string{"Connection refused"}},
	{noneLive, logline.LighttpdError, []string{"all handlers", "down"}},
	{connectionsFull, logline.LighttpdError, []string{"connection limit reached"}},
	{connectionsFull, logline.LighttpdError, []string{"sockets disabled"}},
	{edgeStopped, logline.LighttpdError, []string{"graceful shutdown"}},
	{edgeStopped, logline.LighttpdError, []string{"server stopped by"}},

	{upstreamTimeout, logline.Caddy, []string{"i/o timeout", "reading"}},
	{upstreamTimeout, logline.Caddy, []string{"i/o timeout", "aborting with incomplete response"}},
	{headerTimeout, logline.Caddy, []string{"timeout awaiting response headers"}},
	{upstreamClosed, logline.Caddy, []string{"unexpected EOF", "reading"}},
	{upstreamClosed, logline.Caddy, []string{"unexpected EOF", "aborting with incomplete response"}},
	{upstreamReset, logline.Caddy, []string{"connection reset by peer", "aborting with incomplete response"}},
	{upstreamReset, logline.Caddy, []string{"connection reset by peer", "reading"}},
	{edgeGaveUp, logline.Caddy, []string{"use of closed network connection", "aborting with incomplete response"}},
	{connectRefused, logline.Caddy, []string{"connection refused"}},
	{unresolved, logline.Caddy, []string{"no such host"}},
	{noneLive, logline.Caddy, []string{"no upstreams available"}},
	{edgeStopped, logline.Caddy, []string{"\"logger\":\"admin.api\"", "/load"}},
	{edgeStopped, logline.Caddy, []string{"shutting down"}},

	{upstreamTimeout, logline.Varnish, []string{"FetchError", "between bytes timeout"}},
	// between_bytes_timeout, in Varnish 7
	{upstreamTimeout, logline.Varnish, []string{"FetchError", "Resource temporarily unavailable"}},
	{headerTimeout, logline.Varnish, []string{"FetchError", "first byte timeout"}},
	{upstreamClosed, logline.Varnish, []string{"FetchError", "insufficient bytes"}},
	{upstreamClosed, logline.Varnish, []string{"FetchError", "chunked"}},
	{upstreamClosed, logline.Varnish, []string{"FetchError", "eof socket fail"}},
	{headClosed, logline.Varnish, []string{"FetchError", "HTC"}},
	{connectRefused, logline.Varnish, []string{"FetchError", "fail errno 111"}},
	{noneLive, logline.Varnish, []string{"FetchError", "unhealthy"}},

	{edgeStopped, logline.HAProxy, []string{"Reloading HAProxy"}},
	{edgeStopped, logline.HAProxy, []string{"Loading success"}},
	{edgeStopped, logline.HAProxy, []string{"Stopping frontend"}},
	{edgeStopped, logline.HAProxy, []string{"Proxy ", " stopped (cumulated conns"}},
	{noneLive, logline.HAProxy, []string{"has no server available"}},
	{connectRefused, logline.Traefik, []string{"connection refused"}},

	{upstreamClosed, record.ProxyLog, []string{"ReverseProxy read error", "unexpected EOF"}}, // Go's httputil
	{upstreamReset, record.ProxyLog, []string{"ReverseProxy read error", "connection reset"}},
	{edgeGaveUp, record.ProxyLog, []string{"ReverseProxy read error", "use of closed network connection"}},
	{headerTimeout, record.ProxyLog, []string{"proxy error", "timeout awaiting response headers"}},
	{connectRefused, record.ProxyLog, []string{"proxy error", "connection refused"}},
	{headClosed, record.ProxyLog, []string{"proxy error", "EOF"}},
	{clientLeft, record.ProxyLog, []string{"proxy error", "context canceled"}},

	// the request's own context
	{totalTimeout, record.ProxyLog, []string{"ReverseProxy read error", "context deadline exceeded"}},

	// Go: http.Server.WriteTimeout, SetWriteDeadline
	{ownWriteTimeout, record.AppLog, []string{"write tcp ", ": i/o timeout"}},
	{workerTimedOut, record.AppLog, []string{"WORKER TIMEOUT"}},
	{workerTimedOut, record.AppLog, []string{"Terminating timed out worker"}}, // Puma
	// PHP-FPM: request_terminate_timeout
	{workerTimedOut, record.AppLog, []string{"child ", "execution timed out", "terminating"}},
	{workerAborted, record.AppLog, []string{"was sent SIGABRT"}},
	{workerAborted, record.AppLog, []string{"terminated due to signal 6"}},
	{workerKill, record.AppLog, []string{"was sent SIGKILL"}},
	{workerKill, record.AppLog, []string{"terminated due to signal 9"}},
	{workerKill, record.AppLog, []string{"child ", "exited on signal 9"}}, // PHP-FPM
	{workerKill, record.AppLog, []string{"code=killed", "status=9"}},      // systemd
	{workerCrashed, record.AppLog, []string{"was sent SIGSEGV"}},
	{workerCrashed, record.AppLog, []string{"terminated due to signal 11"}},
	{workerCrashed, record.AppLog, []string{"child ", "exited on signal 11"}},
	{workerCrashed, record.AppLog, []string{"Child process [", "died"}},
	{workerCrashed, record.AppLog, []string{"signal: segmentation"}},
	{workerCrashed, record.AppLog, []string{"Worker (pid:", ") exited with code "}}, // gunicorn, unless it is 0
	{workerCrashed, record.AppLog, []string{"child ", "exited with code 255"}},      // PHP-FPM
	{workerCrashed, record.AppLog, []string{"SIGSEGV: segmentation violation"}},     // Go
	{workerCrashed, record.AppLog, []string{"A fatal error has been detected by the Java Runtime"}},
	{workerBooted, record.AppLog, []string{"] - Worker ", " (PID: ", ") booted in ", ", phase: 0"}}, // Puma
	{recycling, record.AppLog, []string{"] - Starting phased worker restart"}},
	{termHandled, record.AppLog, []string{"Handling signal: term"}},
	{termHandled, record.AppLog, []string{"SIGTERM"}},
	{termHandled, record.AppLog, []string{"Gracefully stopping, waiting for requests to finish"}}, // Puma
	{shuttingDown, record.AppLog, []string{"Shutting down"}},
	{recycling, record.AppLog, []string{"Maximum request limit of"}},
	{recycling, record.AppLog, []string{"Autorestarting worker"}},
	{recycling, record.AppLog, []string{"Handling signal: hup"}},
	{syncWorkers, record.AppLog, []string{"Using worker: sync"}},
	{graceOver, record.AppLog, []string{"timeout graceful shutdown exceeded"}},
	{exception, record.AppLog, []string{"Exception in ASGI application"}},
	{exception, record.AppLog, []string{"Error in ASGI Framework"}}, // hypercorn
	{exception, record.AppLog, []string{"Error handling request"}},
	{exception, record.AppLog, []string{"panic serving"}},
	{exception, record.AppLog, []string{"Rack app (", "#<"}}, // Puma
	{exception, record.AppLog, []string{"Read: #<"}},
	{closedResource, record.AppLog, []string{"Error", " closed"}},
	{closedResource, record.AppLog, []string{"DetachedInstanceError"}},
	{closedResource, record.AppLog, []string{"Error", "not bound to a Session"}},
	{closedResource, record.AppLog, []string{"Error", "out of scope"}},
	{lengthMismatch, record.AppLog, []string{"data for declared Content-Length"}},
	{lengthMismatch, record.AppLog, []string{"wrote more than the declared Content-Length"}},
	{lengthMismatch, record.NginxError, []string{"upstream sent more data than specified"}},
	{concurrencyLimit, record.AppLog, []string{"Exceeded concurrency limit"}},
	// PHP-FPM: pm.max_children
	{limitReached, record.AppLog, []string{"server reached", "setting (", "consider raising it"}},
	{limitReached, record.AppLog, []string{"QueuePool limit of size"}},                              // SQLAlchemy
	{limitReached, record.AppLog, []string{"Connection is not available, request timed out after"}}, // HikariCP
	{limitReached, record.AppLog, []string{"Out of capacity"}},
	{loopHung, record.AppLog, []string{"Executing <", " took ", " seconds"}},              // asyncio, in debug mode
	{loopHung, record.AppLog, []string{"vertx-eventloop-thread", "has been blocked for"}}, // Vert.x, Quarkus
	{loopHung, record.AppLog, []string{"vert.x-eventloop-thread", "has been blocked for"}},
	{loopHung, record.AppLog, []string{"Blocked for ", "operations"}}, // blocked-at of Node
	{loopHung, record.AppLog, []string{"vent loop blocked for"}},
	{noFiles, "", []string{"Too many open files"}},
	{noFiles, "", []string{"EMFILE"}},
	{oomKiller, "", []string{"ut of memory: Killed process"}},
	{oomKiller, record.AppLog, []string{"killed by the OOM killer"}}, // systemd
}

// A hit is a line that bears a tag.
type hit struct {
	log  *record.Log
	line record.Line
	pid  int    // the process that the line is about, 0 if it names none
	once bool   // it is about one request, and so about one stream
	path string // what that asked for, where the line of an edge tells
}

// cited is the line as evidence.
func (h hit) cited() record.Evidence {
	return record.Evidence{Log: h.log.Name, Line: h.line.N, At: h.line.At, Text: shorten(h.line.Text)}
}

// remarked is the line as evidence, with what there is to say of it.
func (h hit) remarked(remark fact) record.Evidence {
	e := h.cited()
	e.Beside = &remark
	return e
}

// citedIn reports whether the line stands in a list of evidence.
func (h hit) citedIn(es []record.Evidence) bool {
	return slices.ContainsFunc(es, func(e record.Evidence) bool { return e.Log == h.log.Name && e.Line == h.line.N })
}

// String cites the line, so that it can be found again in the run folder.
func (h hit) String() string { return h.cited().String() }

func shorten(s string) string {
	if len(s) <= maxLine {
		return s
	}
	return strings.ToValidUTF8(s[:maxLine], "")
}

// Pids as gunicorn and uvicorn write them.
var pidInLine = regexp.MustCompile(`(?:pid:? ?|process \[)(\d+)`)

func pidOf(text string) int {
	m := pidInLine.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	pid, _ := strconv.Atoi(m[1]) // digits; one that overflows names nobody
	return pid
}

// Who wrote a line, as gunicorn has it: [time] [pid] [LEVEL].
var pidOfWriter = regexp.MustCompile(`\] \[(\d+)\] \[[A-Z]+\] `)

// writerOf is the process that wrote a line, 0 if it does not say.
func writerOf(text string) int {
	m := pidOfWriter.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	pid, _ := strconv.Atoi(m[1]) // as in pidOf
	return pid
}

// tagLines sorts the lines of a log by meaning.
func tagLines(l *record.Log, into *[numTags][]hit) {
	for _, line := range l.Lines {
		for _, p := range patterns {
			if (p.kind == "" || p.kind == l.Kind) && containsAll(line.Text, p.parts) {
				h := hit{log: l, line: line, pid: pidOf(line.Text), path: requestIn(l, line.Text)}
				h.once = h.path != ""
				into[p.tag] = append(into[p.tag], h)
			}
		}
	}
}

// requestIn is the path of the request that a line of nginx's error log is about; "" where
// it is about none.
func requestIn(l *record.Log, text string) string {
	if l.Kind != record.NginxError {
		return ""
	}
	return logline.RequestIn(text)
}

func containsAll(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// Logs stamp whole seconds at best and are written after the fact, so that a
// line is near a moment within these bounds.
const (
	lineBefore = 1500 * time.Millisecond
	lineAfter  = 2500 * time.Millisecond
)

// near reports whether the line may be about something that happened at t. One
// without a time may always.
func (h hit) near(t time.Duration) bool {
	return h.line.At == record.Never || h.line.At+h.line.Within >= t-lineBefore && h.line.At <= t+lineAfter
}

// cite returns up to n lines as evidence.
func cite(hits []hit, n int) []record.Evidence {
	var out []record.Evidence
	for _, h := range hits[:min(n, len(hits))] {
		out = append(out, h.cited())
	}
	return out
}
