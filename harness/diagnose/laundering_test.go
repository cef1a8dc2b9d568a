package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// panics are what net/http writes for handlers that panic: it cuts their
// connections, and never ends a body properly.
func panics(n int, t time.Duration) []synth.LogLine {
	var out []synth.LogLine
	for i := range n {
		out = append(out, at(t+time.Duration(i)*ms, "2026/11/25 12:00:00 http: panic serving 127.0.0.1:9: boom"), at(t+time.Duration(i)*ms, "goroutine 7 [running]:"))
	}
	return out
}

// traced are exceptions with the frames through which they went.
func traced(n int, t time.Duration, head string, frames ...string) []synth.LogLine {
	var out []synth.LogLine
	for i := range n {
		when := t + time.Duration(i)*ms
		out = append(out, at(when, head), at(when, "Traceback (most recent call last):"))
		for _, f := range frames {
			out = append(out, at(when, `  File "/usr/lib/python3/dist-packages/`+f+`", line 328, in handle`), at(when, "    await app()"))
		}
		out = append(out, at(when, `  File "/app/chat.py", line 11, in generate`), at(when, "    raise LookupError(\"node 5\")"), at(when, "LookupError: node 5"))
	}
	return out
}

// Who ended a body properly, the app that raised or an edge that nobody knows the
// protocol of: where the app's server cuts, it was the edge; where it may do either,
// both are named and nobody is accused for certain.
func TestWhoLaundersAnException(t *testing.T) {
	clean := inStep(10, synth.Shape{Keep: 10, End: synth.Clean, Mute: true})
	for _, tt := range []struct {
		name             string
		server           string
		log              []synth.LogLine
		direct           func(*synth.Builder)
		want, confidence string
		also, never      []string
	}{
		{name: "Go panics behind somebody's nginx", server: "nginx/1.22.1", log: panics(10, endOfTen),
			want: diagnose.LaunderedByEdge, confidence: "likely", never: []string{diagnose.LaunderedByApp}},
		{name: "Go panics behind somebody's Caddy", server: "Caddy", log: panics(10, endOfTen),
			want: diagnose.LaunderedByEdge, confidence: "likely", never: []string{diagnose.LaunderedByApp}},
		{name: "Go panics, and no edge shows", log: panics(10, endOfTen),
			want: diagnose.LaunderedByApp, confidence: "likely", also: []string{diagnose.LaunderedByEdge}},
		{name: "Go panics behind HAProxy, which passes a cut on", server: "HAProxy", log: panics(10, endOfTen),
			want: diagnose.LaunderedByApp, confidence: "certain", never: []string{diagnose.LaunderedByEdge}},
		{name: "Python raises behind somebody's nginx, and either may have ended the body", server: "nginx/1.22.1", log: exceptions(10, endOfTen),
			want: diagnose.LaunderedByApp, confidence: "likely", also: []string{diagnose.LaunderedByEdge}},
		{name: "an exception that reached gunicorn, behind somebody's Caddy", server: "Caddy",
			log:  traced(10, endOfTen, "[ERROR] Error handling request /chat", "gunicorn/workers/gthread.py"),
			want: diagnose.LaunderedByEdge, confidence: "likely", never: []string{diagnose.LaunderedByApp}},
		{name: "an exception that reached uvicorn, behind somebody's nginx", server: "nginx/1.22.1",
			log:  traced(10, endOfTen, "ERROR:    Exception in ASGI application", "uvicorn/protocols/http/h11_impl.py", "fastapi/applications.py"),
			want: diagnose.LaunderedByEdge, confidence: "likely", never: []string{diagnose.LaunderedByApp}},
		{name: "an exception that a middleware had answered for before it reached uvicorn", server: "nginx/1.22.1",
			log:  traced(10, endOfTen, "ERROR:    Exception in ASGI application", "uvicorn/protocols/http/h11_impl.py", "starlette/middleware/base.py"),
			want: diagnose.LaunderedByApp, confidence: "likely", also: []string{diagnose.LaunderedByEdge}},
		{name: "an exception that a middleware logged itself", server: "nginx/1.22.1",
			log:  traced(10, endOfTen, "ERROR Exception in ASGI application", "starlette/middleware/errors.py"),
			want: diagnose.LaunderedByApp, confidence: "likely", also: []string{diagnose.LaunderedByEdge}},
		{name: "Python raises, and no edge shows", server: "uvicorn", log: exceptions(10, endOfTen),
			want: diagnose.LaunderedByApp, confidence: "certain", never: []string{diagnose.LaunderedByEdge}},
		{name: "Python raises behind somebody's nginx, and is cut when it is asked directly", server: "nginx/1.22.1", log: exceptions(10, endOfTen),
			direct: inStep(10, synth.Shape{Keep: 10, End: synth.FIN, Mute: true}), want: diagnose.LaunderedByEdge, confidence: "likely", never: []string{diagnose.LaunderedByApp}},
		{name: "Python raises behind somebody's nginx, and ends properly when it is asked directly", server: "nginx/1.22.1", log: exceptions(10, endOfTen),
			direct: clean, want: diagnose.LaunderedByApp, confidence: "certain", never: []string{diagnose.LaunderedByEdge}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := attachedTo("openai-chat")
			clean(b)
			with(b, server(tt.server))
			n := len(b.Run.Streams)
			if tt.direct != nil {
				b.Run.Plan.Scenarios = append(b.Run.Plan.Scenarios, record.Scenario{ID: "direct", Policy: record.Policy{GapLimit: gap}})
				b.Run.Hops = []record.Hop{{Scenario: "direct", Name: record.ForeignHop}, {Scenario: "direct", Name: "app"}}
				tt.direct(b)
				for i := range b.Run.Streams[n:] {
					s := &b.Run.Streams[n+i]
					s.Hop, s.Scenario = "app", "direct"
				}
			}
			app(b, tt.log...)
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want || causes[0].Confidence != tt.confidence {
				t.Fatalf("causes = %q (%+v), want %q, %s, first", names(causes), causes, tt.want, tt.confidence)
			}
			for _, n := range tt.also {
				if !slices.Contains(causes[0].Names(), n) {
					t.Errorf("%q is not among its candidates: %q", n, causes[0].Names())
				}
			}
			for _, n := range tt.never {
				if slices.Contains(candidates(causes), n) {
					t.Errorf("named %q: %q", n, candidates(causes))
				}
			}
			checkUsable(t, causes)
		})
	}
}
