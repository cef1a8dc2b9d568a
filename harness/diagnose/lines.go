package diagnose

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A tag is what a log line means.
type tag int

const (
	upstreamClosed  tag = iota // the app's side ended in mid-body
	upstreamTimeout            // the edge's read timeout, in mid-body
	headerTimeout              // the same, before the head
	upstreamReset
	invalidChunk
	headClosed // the app's side ended before the head
	connectRefused
	noneLive
	connectionsFull
	tempFile
	edgeWorkerDied
	workerTimedOut
	workerAborted // SIGABRT, as gunicorn sends after a timeout
	workerKill    // SIGKILL, whoever sent it
	workerCrashed
	termHandled
	shuttingDown
	recycling
	graceOver
	exception // one a failed request
	traceback
	closedResource
	lengthMismatch
	concurrencyLimit
	noFiles
	oomKiller
	numTags
)

// patterns are from TAXONOMY sections 3.1 and 3.2. A line may bear several tags.
// Every part of a pattern must stand in the line.
var patterns = []struct {
	tag   tag
	kind  record.LogKind // any if empty
	parts []string
}{
	{upstreamClosed, record.NginxError, []string{"upstream prematurely closed connection while reading upstream"}},
	{upstreamTimeout, record.NginxError, []string{"upstream timed out (110", "while reading upstream"}},
	{headerTimeout, record.NginxError, []string{"upstream timed out (110", "while reading response header from upstream"}},
	{upstreamReset, record.NginxError, []string{"recv() failed (104"}},
	{invalidChunk, record.NginxError, []string{"upstream sent invalid chunked response"}},
	{headClosed, record.NginxError, []string{"upstream prematurely closed connection while reading response header"}},
	{connectRefused, record.NginxError, []string{"connect() failed (111"}},
	{noneLive, record.NginxError, []string{"no live upstreams"}},
	{connectionsFull, record.NginxError, []string{"worker_connections are not enough"}},
	{tempFile, record.NginxError, []string{"is buffered to a temporary file"}},
	{edgeWorkerDied, record.NginxError, []string{"worker process", "exited on signal"}},
	{workerTimedOut, record.AppLog, []string{"WORKER TIMEOUT"}},
	{workerAborted, record.AppLog, []string{"was sent SIGABRT"}},
	{workerAborted, record.AppLog, []string{"terminated due to signal 6"}},
	{workerKill, record.AppLog, []string{"was sent SIGKILL"}},
	{workerKill, record.AppLog, []string{"terminated due to signal 9"}},
	{workerCrashed, record.AppLog, []string{"was sent SIGSEGV"}},
	{workerCrashed, record.AppLog, []string{"terminated due to signal 11"}},
	{workerCrashed, record.AppLog, []string{"Child process [", "died"}},
	{termHandled, record.AppLog, []string{"Handling signal: term"}},
	{termHandled, record.AppLog, []string{"SIGTERM"}},
	{shuttingDown, record.AppLog, []string{"Shutting down"}},
	{recycling, record.AppLog, []string{"Maximum request limit of"}},
	{recycling, record.AppLog, []string{"Autorestarting worker"}},
	{recycling, record.AppLog, []string{"Handling signal: hup"}},
	{graceOver, record.AppLog, []string{"timeout graceful shutdown exceeded"}},
	{exception, record.AppLog, []string{"Exception in ASGI application"}},
	{exception, record.AppLog, []string{"Error handling request"}},
	{exception, record.AppLog, []string{"panic serving"}},
	{traceback, record.AppLog, []string{"Traceback (most recent call last)"}},
	{closedResource, record.AppLog, []string{"Error", " closed"}},
	{closedResource, record.AppLog, []string{"DetachedInstanceError"}},
	{closedResource, record.AppLog, []string{"Error", "not bound to a Session"}},
	{closedResource, record.AppLog, []string{"Error", "out of scope"}},
	{lengthMismatch, record.AppLog, []string{"data for declared Content-Length"}},
	{lengthMismatch, record.AppLog, []string{"wrote more than the declared Content-Length"}},
	{lengthMismatch, record.NginxError, []string{"upstream sent more data than specified"}},
	{concurrencyLimit, record.AppLog, []string{"Exceeded concurrency limit"}},
	{noFiles, "", []string{"Too many open files"}},
	{oomKiller, "", []string{"ut of memory: Killed process"}},
}

// A hit is a line that bears a tag.
type hit struct {
	log  *record.Log
	line record.Line
	pid  int // the process that the line is about, 0 if it names none
}

// String cites the line, so that it can be found again in the run folder.
func (h hit) String() string {
	return fmt.Sprintf("%s:%d: %s", h.log.Name, h.line.N, shorten(h.line.Text))
}

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

// tagLines sorts the lines of a log by meaning.
func tagLines(l *record.Log, into *[numTags][]hit) {
	for _, line := range l.Lines {
		for _, p := range patterns {
			if (p.kind == "" || p.kind == l.Kind) && containsAll(line.Text, p.parts) {
				into[p.tag] = append(into[p.tag], hit{log: l, line: line, pid: pidOf(line.Text)})
			}
		}
	}
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
	return h.line.At == record.Never || h.line.At >= t-lineBefore && h.line.At <= t+lineAfter
}

// cite returns up to n lines as evidence.
func cite(hits []hit, n int) []string {
	var out []string
	for _, h := range hits[:min(n, len(hits))] {
		out = append(out, h.String())
	}
	return out
}
