package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
)

// spread adds streams that go wrong at moments of their own, among whole ones, and
// gives back when.
func spreadOut(b *synth.Builder, n int, sh synth.Shape) (ends []time.Duration) {
	for i := range n {
		s := sh
		s.Start, s.Mute = time.Duration(i)*370*ms, true
		if s.Keep > 0 {
			s.Keep += i % 5
		}
		b.Add(1, s)
		ends = append(ends, b.Run.Streams[len(b.Run.Streams)-1].End)
		b.Add(1, synth.Shape{Start: s.Start + 50*ms, Mute: true})
	}
	return ends
}

// logAt adds a log with one line at each of some moments.
func logAt(b *synth.Builder, kind record.LogKind, at []time.Duration, text func(i int) string) {
	b.Log(kind)
	for i, t := range at {
		line(b, len(b.Run.Logs)-1, t-5*ms, text(i))
	}
}

// What an edge says of an ending counts, whichever edge it is.
func TestEveryEdgeIsBelieved(t *testing.T) {
	always := func(s string) func(int) string { return func(int) string { return s } }
	silent := synth.Shape{Keep: 5, End: func(s *record.Stream, last time.Duration) { synth.FIN(s, last); s.End = last + 2*sec }}
	cut := synth.Shape{Keep: 5, End: synth.FIN}
	cleanCut := synth.Shape{Keep: 5, End: synth.Clean}
	status := func(code int) synth.Shape { return synth.Shape{Keep: synth.KeepNone, End: synth.Status(code)} }
	for _, tt := range []struct {
		name  string
		kind  record.LogKind
		line  func(int) string
		shape synth.Shape
		want  string
		says  string
	}{
		{"Caddy, read timeout", logline.Caddy, always(`{"level":"error","ts":1795608002.3,"logger":"http.handlers.reverse_proxy","msg":"aborting with incomplete response","error":"read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout"}`), silent, diagnose.ProxyReadTimeout, "Caddy"},
		{"Apache, read timeout", logline.ApacheError, always(`[Wed Nov 25 12:00:02.3 2026] [proxy_http:error] [pid 1:tid 2] (70007)The timeout specified has expired: [client 127.0.0.1:1] AH01110: error reading response`), silent, diagnose.ProxyReadTimeout, "Apache"},
		{"lighttpd, read timeout", logline.LighttpdError, always(`2026-11-25 12:00:02: (gw_backend.c.2708) read timeout on socket: tcp:127.0.0.1:2 (fd: 11)`), silent, diagnose.ProxyReadTimeout, "lighttpd"},
		{"Varnish, read timeout", logline.Varnish, always("-   FetchError     Resource temporarily unavailable"), silent, diagnose.ProxyReadTimeout, "Varnish"},
		{"Envoy, idle timeout", logline.Envoy, always(`[2026-11-25T12:00:02.300Z] "GET /chat HTTP/1.1" 200 SI 0 2480 2379 4 "-" "x" "-" "h" "127.0.0.1:9000"`), silent, diagnose.ProxyReadTimeout, "Envoy"},
		{"HAProxy, the app closed", logline.HAProxy, always(`127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/0/1/602 200 3120 - - SD-- 1/1/0/0/0 0/0 "GET /chat HTTP/1.1"`), cut, diagnose.AppError, "SD--"},
		{"Caddy, the app closed", logline.Caddy, always(`{"level":"error","ts":1795608002.3,"logger":"http.handlers.reverse_proxy","msg":"reading from backend","error":"unexpected EOF"}`), cleanCut, diagnose.LaunderedByEdge, "Caddy noticed"},
		{"Apache, no head", logline.ApacheError, always(`[Wed Nov 25 12:00:02.3 2026] [proxy_http:error] [pid 1:tid 2] (70007)The timeout specified has expired: [client 127.0.0.1:1] AH01102: error reading status line from remote server`), status(502), diagnose.ProxyHeaderTimeout, "Apache gave up"},
		{"Varnish, no head", logline.Varnish, always("-   FetchError     first byte timeout"), status(503), diagnose.ProxyHeaderTimeout, "Varnish gave up"},
		{"HAProxy, no server", logline.HAProxy, always(`127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/-1/-1/3 503 217 - - SC-- 1/1/0/0/0 0/0 "GET /chat HTTP/1.1"`), status(503), diagnose.DeployGap, "SC--"},
		{"PHP-FPM, terminated", record.AppLog, func(i int) string {
			return fmt.Sprintf(`[25-Nov-2026 12:00:02] WARNING: [pool www] child %d, script '/srv/chat.php' (request: "GET /chat.php") execution timed out (2.1 sec), terminating`, 100+i)
		}, cut, diagnose.AbsoluteDeadline, "PHP-FPM"},
	} {
		b := stranger()
		ends := spreadOut(b, 8, tt.shape)
		logAt(b, tt.kind, ends, tt.line)
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Cause != tt.want || !strings.Contains(evidence(causes), tt.says) {
			t.Errorf("%s: want %q:\n%s", tt.name, tt.want, evidence(causes))
		}
	}
}

// A reload that stands in the edge's log explains cuts at one moment after it, and
// no others.
func TestReloadInTheLog(t *testing.T) {
	build := func(b *synth.Builder, end func(i int) time.Duration) {
		b.Run.Hops = append(b.Run.Hops, record.Hop{Scenario: "control", Name: "edge", Process: "nginx"})
		for i := range 6 {
			b.Add(1, synth.Shape{Start: time.Duration(i) * 100 * ms, Events: 80, Keep: 20 + i, Mute: true, End: synth.CutAt(end(i))})
		}
	}
	reload := func(b *synth.Builder) {
		b.Log(record.NginxError)
		line(b, 0, 2*sec, "2026/11/25 12:00:02 [notice] 7#7: signal 1 (SIGHUP) received from 9, reconfiguring")
	}
	at := func(t time.Duration) func(int) time.Duration { return func(int) time.Duration { return t } }
	for name, tt := range map[string]struct {
		build func(b *synth.Builder)
		want  bool
	}{
		"cut after it":     {func(b *synth.Builder) { build(b, at(3*sec)); reload(b) }, true},
		"cut before it":    {func(b *synth.Builder) { build(b, at(1600*ms)); reload(b) }, false},
		"no reload at all": {func(b *synth.Builder) { build(b, at(3*sec)); b.Log(record.NginxError) }, false},
		"each at its own": {func(b *synth.Builder) {
			build(b, func(i int) time.Duration { return 6*sec + time.Duration(i)*900*ms })
			reload(b)
		}, false},
		"began after it": {func(b *synth.Builder) {
			b.Each(6, func(i int) synth.Shape {
				return synth.Shape{Start: 4 * sec, Mute: true, Keep: 9, End: synth.CutAt(5 * sec)}
			})
			reload(b)
		}, false},
	} {
		b := stranger()
		tt.build(b)
		causes := toldOf(b)
		if got := len(causes) > 0 && causes[0].Cause == diagnose.EdgeReloaded; got != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}

// kube adds facts as they come out of a file.
func kube(b *synth.Builder, at time.Duration, facts ...logline.KubeFact) {
	b.Log(record.KubernetesLog)
	l := &b.Run.Logs[len(b.Run.Logs)-1]
	for i, k := range facts {
		l.Lines = append(l.Lines, record.Line{N: i + 1, At: at, Within: sec, Text: k.Reason + " pod/" + k.Pod})
		l.Kube = append(l.Kube, k)
	}
}

func TestKubernetesTells(t *testing.T) {
	together := func(b *synth.Builder) {
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Start: time.Duration(i) * 90 * ms, Events: 80, Mute: true, Keep: 20, End: synth.CutAt(2500 * ms)}
		})
	}
	for name, tt := range map[string]struct {
		fact logline.KubeFact
		at   time.Duration
		want string
		says string
	}{
		"out of memory":  {logline.KubeFact{Reason: "OOMKilled", Pod: "chat-1", Container: "app", Code: 137}, 2 * sec, diagnose.MemoryKillAll, "OOMKilled"},
		"a failed probe": {logline.KubeFact{Reason: "Killing", Pod: "chat-1", Code: logline.Unknown}, 2 * sec, diagnose.GraceTooShort, "Killing"},
		"an eviction":    {logline.KubeFact{Reason: "Evicted", Pod: "chat-1", Code: logline.Unknown}, 2 * sec, diagnose.GraceTooShort, "Evicted"},
		"a crash":        {logline.KubeFact{Reason: "Error", Pod: "chat-1", Container: "app", Code: 1}, 2 * sec, diagnose.WorkerKilled, "exit code 1"},
		"another time":   {logline.KubeFact{Reason: "OOMKilled", Pod: "chat-1", Code: 137}, 60 * sec, "", ""},
		"lived on":       {logline.KubeFact{Reason: "OOMKilled", Pod: "chat-1", Container: "app", Code: 0}, 2 * sec, "", ""},
		"called off":     {logline.KubeFact{Reason: "TaintManagerEviction", Pod: "chat-1", Code: logline.Unknown, Text: "2026-11-25T12:00:02Z TaintManagerEviction pod/chat-1: Cancelling deletion of Pod shop/chat-1"}, 2 * sec, "", ""},
		"only pulled":    {logline.KubeFact{Reason: "Pulled", Pod: "chat-1", Code: logline.Unknown}, 2 * sec, "", ""},
	} {
		b := stranger()
		together(b)
		kube(b, tt.at, tt.fact)
		causes := toldOf(b)
		switch {
		case len(causes) == 0:
			t.Errorf("%s: no cause", name)
		case tt.want == "" && causes[0].Confidence != "possible":
			t.Errorf("%s accuses:\n%s", name, evidence(causes))
		case tt.want != "" && (causes[0].Cause != tt.want || !strings.Contains(evidence(causes), tt.says)):
			t.Errorf("%s: want %q:\n%s", name, tt.want, evidence(causes))
		}
	}
}

// Lines without an ID are joined with streams only where nothing else fits.
func TestAccessWithoutID(t *testing.T) {
	access := func(b *synth.Builder, at time.Duration, took time.Duration, flag string) {
		line(b, 0, at, fmt.Sprintf(`127.0.0.1:1 [25/Nov/2026:12:00:00.000] fe be/s1 0/0/0/1/%d 200 9999 - - %s 1/1/0/0/0 0/0 "GET /chat HTTP/1.1"`, took.Milliseconds(), flag))
	}
	b := stranger()
	b.Log(logline.HAProxy)
	for _, end := range spreadOut(b, 6, synth.Shape{Keep: 4, End: synth.FIN}) {
		access(b, end, 0, "SD--")
	}
	if got := evidence(toldOf(b)); !strings.Contains(got, "SD--") {
		t.Errorf("%s", got)
	}
	// One line is about one stream, also where four end at its moment.
	b = stranger()
	b.Log(logline.HAProxy)
	for range 4 {
		b.Add(1, synth.Shape{Keep: 10, Mute: true, End: synth.CutAt(sec)})
	}
	access(b, sec, 0, "sD--")
	if got := evidence(toldOf(b)); strings.Contains(got, "ended 4 streams") {
		t.Errorf("%s", got)
	}
}
