package diagnose_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// ngx is a line of nginx's error log about a request.
func ngx(what, path string) func(int) string {
	return func(int) string {
		return fmt.Sprintf(`2026/11/25 12:00:02 [error] 7#7: *1 %s, client: 127.0.0.1, server: _, request: "POST %s HTTP/1.1"`,
			what, path)
	}
}

// blamed is the confidence with which a cause is found, "" for none.
func blamed(causes []verdict.Cause, name string) string {
	for _, c := range causes {
		if c.Cause == name {
			return c.Confidence
		}
	}
	return ""
}

// What a shared edge says of the requests of others is not about ours, also where it says
// nothing else. What stands before it may have changed the start of our path.
func TestAnEdgeSharedWithOthers(t *testing.T) {
	silent := synth.Shape{Keep: 5, End: func(s *record.Stream, last time.Duration) { synth.FIN(s, last); s.End = last + 2*sec }}
	for _, tt := range []struct {
		name, says string
		shape      synth.Shape
		want       string
	}{
		{"a read timeout", "upstream timed out (110: Connection timed out) while reading upstream", silent, diagnose.ProxyReadTimeout},
		{"an app that broke off", "upstream prematurely closed connection while reading upstream",
			synth.Shape{Keep: 5, End: synth.Clean}, diagnose.LaunderedByEdge},
		{"nothing listens", "connect() failed (111: Connection refused) while connecting to upstream",
			synth.Shape{Keep: synth.KeepNone, End: synth.Status(503)}, diagnose.DeployGap},
	} {
		for path, ours := range map[string]bool{"/api/chat?q=1": true, "/chat": true, "/api/report": false, "/metrics": false} {
			b := stranger()
			b.Run.Plan.Request.URL = "http://127.0.0.1:8000/api/chat"
			logAt(b, record.NginxError, spreadOut(b, 8, tt.shape), ngx(tt.says, path))
			causes := toldOf(b)
			if got := blamed(causes, tt.want) == "certain"; got != ours {
				t.Errorf("%s, %s: certain %v\n%s", tt.name, path, got, evidence(causes))
			}
		}
	}
}

// A path between quotes behind captured headers is found.
func TestOthersInHAProxysLog(t *testing.T) {
	for path, ours := range map[string]bool{"/chat": true, "/report": false} {
		b := stranger()
		b.Run.Plan.Request.URL = "http://127.0.0.1:8000/chat"
		logAt(b, logline.HAProxy, spreadOut(b, 8, synth.Shape{Keep: synth.KeepNone, End: synth.Status(503)}), func(int) string {
			return `127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/-1/-1/3 503 217 - - SC-- 1/1/0/0/0 0/0 {example.org} "GET ` +
				path + ` HTTP/1.1"`
		})
		causes := toldOf(b)
		if got := blamed(causes, diagnose.DeployGap) == "certain"; got != ours {
			t.Errorf("%s: certain %v\n%s", path, got, evidence(causes))
		}
	}
}

// One line about one request is about one stream.
func TestOneLineOfNginxIsOneStream(t *testing.T) {
	b := stranger()
	b.Each(8, func(i int) synth.Shape {
		return synth.Shape{Keep: 4 + i, Mute: true, End: synth.CutAt(3 * sec)}
	})
	logAt(b, record.NginxError, []time.Duration{3 * sec}, ngx("upstream timed out (110: Connection timed out) while reading upstream", "/"))
	for _, c := range toldOf(b) {
		if c.Cause == diagnose.ProxyReadTimeout && c.Confidence == "certain" && c.Count > 1 {
			t.Errorf("one line for %d streams", c.Count)
		}
	}
}

// A request that the edge turned away by itself never reached the app, whether its log or
// only its page tells; what an app says in its own words is the app's.
func TestWhoTurnedRequestsAway(t *testing.T) {
	const page = "<html> <head><title>503</title></head> <body> <center><h1>503</h1></center> <hr><center>nginx</center>"
	for _, tt := range []struct {
		name   string
		status int
		kind   record.LogKind
		line   string
		server string
		page   string
		layer  string
	}{
		{"limit_req", 503, record.NginxError, ngx(`limiting requests, excess: 5.5 by zone "chat"`, "/")(0), "nginx", "", "edge"},
		{"limit_req with 429", 429, record.NginxError, ngx(`limiting requests, excess: 5.5 by zone "chat"`, "/")(0), "nginx", "", "edge"},
		{"limit_conn", 503, record.NginxError, ngx(`limiting connections by zone "chat"`, "/")(0), "nginx", "", "edge"},
		{"a dry run of limit_req", 503, record.NginxError, ngx(`limiting requests, dry run, excess: 5.5 by zone "chat"`, "/")(0), "nginx", "", "app"},
		{"no route", 502, record.NginxError, ngx(`connect() failed (113: No route to host) while connecting to upstream`, "/")(0), "nginx", "", "edge"},
		{"no connection in time", 504, record.NginxError, ngx(`upstream timed out (110: Connection timed out) while connecting to upstream`, "/")(0), "nginx", "", "edge"},
		{"a rule of HAProxy", 429, logline.HAProxy, `127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe fe/<NOSRV> 0/-1/-1/-1/0 429 217 - - PR-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, "", "", "edge"},
		{"no connection of HAProxy", 503, logline.HAProxy, `127.0.0.1:1 [25/Nov/2026:12:00:02.300] fe be/s1 0/0/-1/-1/3 503 217 - - sC-- 1/1/0/0/0 0/0 "GET / HTTP/1.1"`, "", "", "edge"},
		{"a page of nginx", 503, "", "", "nginx", page, "edge"},
		{"a page of HAProxy", 503, "", "", "", "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n", "edge"},
		{"a page of Envoy", 503, "", "", "istio-envoy", "no healthy upstream", "edge"},
		{"an app that quotes Envoy", 503, "", "", "istio-envoy", `{"error": "no healthy upstream"}`, "app"},
		{"an app that passes Envoy's words on", 503, "", "", "uvicorn", "no healthy upstream", "app"},
		{"an app", 503, "", "", "nginx", `{"error": "busy"}`, "app"},
	} {
		b := stranger()
		b.Log(tt.kind)
		for i := range 4 {
			b.Add(1, synth.Shape{Mute: true, Start: time.Duration(i) * 130 * ms, End: func(s *record.Stream, last time.Duration) {
				synth.Status(tt.status)(s, last)
				s.Content.ErrorText, s.Header = tt.page, map[string]string{"Server": tt.server}
			}})
			if tt.line != "" {
				line(b, 0, b.Run.Streams[i].End-ms, tt.line)
			}
		}
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Layer != tt.layer {
			t.Errorf("%s: want the layer %s\n%s", tt.name, tt.layer, evidence(causes))
		}
	}
}

// A 504 is the edge's where one may stand, and the app's where none does, or where the app
// answers with it when it is asked directly.
func TestGatewayTimeoutOfTheApp(t *testing.T) {
	for _, tt := range []struct {
		edge, layer string
		direct      bool
	}{{"none", "app", false}, {"default", "edge", false}, {"default", "app", true}} {
		b := synth.New(record.Scenario{ID: "control", Edge: tt.edge, Policy: record.Policy{GapLimit: gap, Checks: checks}})
		b.Add(6, synth.Shape{Keep: synth.KeepNone, Mute: true, End: synth.Status(504)})
		if tt.direct {
			b.Add(2, synth.Shape{Keep: synth.KeepNone, Mute: true, Hop: "app", End: synth.Status(504)})
		}
		causes := toldOf(b)
		if len(causes) == 0 {
			t.Fatalf("%+v: no cause", tt)
		}
		for _, c := range causes {
			if c.Layer != tt.layer {
				t.Errorf("%+v:\n%s", tt, evidence(causes))
			}
		}
	}
}

// A model server that stops all streams for a while is not the app's loop, which sends the
// head of another answer meanwhile.
func TestAHeadInTheSilenceAcquitsTheLoop(t *testing.T) {
	for _, head := range []bool{false, true} {
		b := synth.New(record.Scenario{ID: "control", Policy: record.Policy{GapLimit: 1500 * ms, Checks: checks}})
		b.Each(8, func(i int) synth.Shape {
			return synth.Shape{Worker: 7, Mute: true, Start: time.Duration(i) * 100 * ms, Events: 60, PauseAfter: 30 - 2*i, Pause: 2 * sec}
		})
		if head {
			b.Add(1, synth.Shape{Worker: 7, Mute: true, Start: 2400 * ms, First: 1200 * ms})
			s := &b.Run.Streams[8]
			s.Headers = 2500 * ms
		}
		causes := toldOf(b)
		if got := blamed(causes, diagnose.BlockedLoop) == "possible"; got == head || blamed(causes,
			diagnose.BlockedLoop) == "certain" {
			t.Errorf("head %v:\n%s", head, evidence(causes))
		}
	}
}
