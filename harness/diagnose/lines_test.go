package diagnose

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// Lines as the servers write them.
func TestTagLines(t *testing.T) {
	for _, tt := range []struct {
		kind record.LogKind
		text string
		want tag
		pid  int
	}{
		{record.NginxError, `2026/11/25 12:00:02 [error] 7#7: *1 upstream timed out (110: Connection timed out) while reading upstream, client: 127.0.0.1`, upstreamTimeout, 0},
		{record.NginxError, `[error] upstream timed out (110: Connection timed out) while reading response header from upstream`, headerTimeout, 0},
		{record.NginxError, `[error] upstream prematurely closed connection while reading upstream`, upstreamClosed, 0},
		{record.NginxError, `[error] recv() failed (104: Connection reset by peer) while reading upstream`, upstreamReset, 0},
		{record.NginxError, `[error] connect() failed (111: Connection refused) while connecting to upstream`, connectRefused, 0},
		{record.NginxError, `[alert] 8 worker_connections are not enough`, connectionsFull, 0},
		{record.AppLog, `[2026-11-25 12:00:03 +0000] [10] [CRITICAL] WORKER TIMEOUT (pid:4711)`, workerTimedOut, 4711},
		{record.AppLog, `[WARNING] Worker with pid 4711 was terminated due to signal 9`, workerKill, 4711},
		{record.AppLog, `[ERROR] Worker (pid:4711) was sent SIGKILL! Perhaps out of memory?`, workerKill, 4711},
		{record.AppLog, `[ERROR] Worker (pid:4711) was sent SIGABRT!`, workerAborted, 4711},
		{record.AppLog, `INFO:     Child process [4711] died`, workerCrashed, 4711},
		{record.AppLog, `[INFO] Handling signal: term`, termHandled, 0},
		{record.AppLog, `ERROR:    Cancel 2 running task(s), timeout graceful shutdown exceeded`, graceOver, 0},
		{record.AppLog, `WARNING:  Maximum request limit of 8 exceeded. Terminating process.`, recycling, 0},
		{record.AppLog, `ERROR:    Exception in ASGI application`, exception, 0},
		{record.AppLog, `RuntimeError: Cannot send a request, as the client has been closed.`, closedResource, 0},
		{record.AppLog, `h11._util.LocalProtocolError: Too little data for declared Content-Length`, lengthMismatch, 0},
		{record.ProxyLog, `OSError: [Errno 24] Too many open files`, noFiles, 0},
	} {
		log := &record.Log{Name: "x.log", Kind: tt.kind, Lines: []record.Line{{N: 3, Text: tt.text}}}
		var tags [numTags][]hit
		tagLines(log, &tags)
		if len(tags[tt.want]) != 1 {
			t.Errorf("%q does not bear its tag %d", tt.text, tt.want)
			continue
		}
		h := tags[tt.want][0]
		if h.pid != tt.pid {
			t.Errorf("%q: pid %d, want %d", tt.text, h.pid, tt.pid)
		}
		if want := "x.log:3: " + tt.text; h.String() != want {
			t.Errorf("cited as %q, want %q", h, want)
		}
	}
}

// Lines that look like trouble and are none.
func TestTagLinesLeavesOthersAlone(t *testing.T) {
	log := &record.Log{Kind: record.AppLog, Lines: []record.Line{
		{Text: `INFO:     127.0.0.1:5000 - "GET /stream HTTP/1.1" 200 OK`},
		{Text: `INFO:     Started server process [4711]`},
		{Text: `[INFO] Booting worker with pid: 4711`},
		{Text: `connection closed`},
	}}
	var tags [numTags][]hit
	tagLines(log, &tags)
	for i, hits := range tags {
		if len(hits) > 0 {
			t.Errorf("tag %d for %q", i, hits[0])
		}
	}
}

func TestParseAccess(t *testing.T) {
	log := &record.Log{Kind: record.NginxAccess}
	parse := func(text string) (access, bool) { return parseAccess(hit{log: log, line: record.Line{Text: text}}) }
	a, ok := parse(`1795608001.123 abc 200 2.050 2104 127.0.0.1:9000 200 0.006 2.048 2000 "OK" "GET /stream HTTP/1.1"`)
	if !ok || a.ID != "abc" || a.Status != 200 || a.Header != 6*time.Millisecond || a.Took != 2050*time.Millisecond ||
		a.Sent != 2104 || a.Received != 2000 || a.Ended != logline.Whole {
		t.Errorf("access = %+v, %v", a.Request, ok)
	}
	if a, ok := parse(`1795608001.123 abc 504 2.050 150 127.0.0.1:9000, 127.0.0.1:9001 504, 504 -, - 1.000, 1.001 0, 0 "" "GET /stream HTTP/1.1"`); !ok || a.Header >= 0 || a.Response != 1001*time.Millisecond || a.Ended != logline.NotTold {
		t.Errorf("access of a retried request = %+v, %v", a.Request, ok)
	}
	for _, other := range []string{"", `127.0.0.1 - - [25/Nov/2026] GET / HTTP/1.1 200 5`, `a b c d e f g h i j "OK" "x"`} {
		if _, ok := parse(other); ok {
			t.Errorf("%q passes for an access line", other)
		}
	}
}
