package diagnose_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// A page that nginx has built in is nginx's, whatever the app does: it is not blamed for
// a request that never reached it. Any other page with that status is the app's, also
// behind nginx, which puts its own name over it.
func TestPagesOfTheEdge(t *testing.T) {
	const page = "<html> <head><title>404 Not Found</title></head> <body> <center><h1>404 Not Found</h1></center> <hr>" +
		"<center>%</center> </body> </html>"
	for _, tt := range []struct {
		name, server, page string
		status             int
		layer              string
	}{
		{"of nginx", "nginx/1.22.1", strings.Replace(page, "%", "nginx/1.22.1", 1), 404, "edge"},
		{"of nginx without its version", "nginx", strings.Replace(page, "%", "nginx", 1), 405, "edge"},
		{"of openresty", "openresty/1.25.3.1", strings.Replace(page, "%", "openresty/1.25.3.1", 1), 403, "edge"},
		{"of an app behind nginx", "nginx/1.22.1", `{"detail":"Not Found"}`, 404, "app"},
		{"of an app that quotes nginx", "uvicorn", strings.Replace(page, "%", "nginx", 1), 404, "app"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap, Checks: checks}})
			b.Run.Plan.Request = record.Request{Method: "GET", URL: "http://127.0.0.1:8000/chat"}
			b.Add(6, synth.Shape{Keep: synth.KeepNone, Mute: true, End: func(s *record.Stream, last time.Duration) {
				synth.Status(tt.status)(s, last)
				s.Content.ErrorText = tt.page
				s.Header = map[string]string{"Server": tt.server}
			}})
			causes := toldOf(b)
			if len(causes) == 0 || causes[0].Cause != diagnose.HTTPFailure || causes[0].Layer != tt.layer || causes[0].Count != 6 {
				t.Fatalf("want the layer %s:\n%s", tt.layer, evidence(causes))
			}
			if says := strings.Contains(causes[0].Fix, "needs a proxy_pass to the app"); says != (tt.layer == "edge") {
				t.Errorf("fix: %s", causes[0].Fix)
			}
		})
	}
}

// What complete responses name as their server is cited only where they name another.
func TestPageBesideCompleteResponses(t *testing.T) {
	const page = "<html> <head><title>404 Not Found</title></head> <body> <center><h1>404 Not Found</h1></center> <hr>" +
		"<center>nginx</center> </body> </html>"
	for name, tt := range map[string]struct {
		whole []string // the servers that complete responses name
		want  bool
	}{
		"no complete response":       {nil, false},
		"they name another":          {[]string{"uvicorn"}, true},
		"they name none":             {[]string{""}, false},
		"they name the edge":         {[]string{"nginx"}, false},
		"they name the edge as well": {[]string{"nginx", "uvicorn"}, false},
	} {
		b := synth.New(record.Scenario{ID: "control", Edge: "default", Policy: record.Policy{GapLimit: gap, Checks: checks}})
		b.Run.Plan.Request = record.Request{Method: "GET", URL: "http://127.0.0.1:8000/chat"}
		for _, server := range tt.whole {
			b.Add(2, synth.Shape{End: func(s *record.Stream, last time.Duration) {
				synth.Whole(s, last)
				s.Header = map[string]string{"Server": server}
			}})
		}
		b.Add(6, synth.Shape{Keep: synth.KeepNone, Mute: true, End: func(s *record.Stream, last time.Duration) {
			synth.Status(404)(s, last)
			s.Content.ErrorText, s.Header = page, map[string]string{"Server": "nginx"}
		}})
		causes := toldOf(b)
		if len(causes) == 0 || causes[0].Layer != "edge" || strings.Contains(evidence(causes),
			"complete responses name another") != tt.want {
			t.Errorf("%s:\n%s", name, evidence(causes))
		}
	}
}
