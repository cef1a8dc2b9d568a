package scenarios_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A misdeed is what a handler does instead of its n-th event; true ends the
// stream.
type misdeed func(w http.ResponseWriter, n int) (over bool)

const (
	chunk  = `data: {"choices":[{"index":0,"delta":{"content":"token"},"finish_reason":null}]}` + "\n\n"
	finish = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
)

// chatServer is a chat as people write them in Go.
func chatServer(do misdeed, last string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := range 20 {
			if do != nil && do(w, n) {
				return
			}
			fmt.Fprint(w, chunk)
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
		fmt.Fprint(w, last)
	})
}

func atTen(do func(http.ResponseWriter)) misdeed {
	return func(w http.ResponseWriter, n int) bool {
		if n == 10 {
			do(w)
		}
		return n == 10
	}
}

// Servers that we know nothing of, no log, no process: what the client alone is
// told first.
func TestForeignServers(t *testing.T) {
	t.Parallel()
	var loop sync.Mutex // what an event loop is to its streams
	var once sync.Once
	at := 0 // streams that have come so far: the one that is sent alone finds the loop free
	blocked := func(_ http.ResponseWriter, n int) bool {
		loop.Lock()
		defer loop.Unlock()
		if n == 10 {
			if at++; at > 1 {
				once.Do(func() { time.Sleep(3 * time.Second) })
			}
		}
		return false
	}
	for _, tc := range []struct {
		name    string
		handler http.Handler
		ask     harness.Stream
		want    string
		quotes  string // in the summary or the evidence
		night   bool   // make nightly has it: by day harness/diagnose, on records
	}{
		{"returns early", chatServer(atTen(func(http.ResponseWriter) {}), ""), harness.Stream{Dialect: "openai-chat"}, diagnose.SilentTruncation, "after event 10", true},
		{"aborts", chatServer(atTen(func(http.ResponseWriter) { panic(http.ErrAbortHandler) }), ""), harness.Stream{Dialect: "openai-chat"}, diagnose.AppError, "after event 10", false},
		{"no [DONE]", chatServer(nil, finish), harness.Stream{Dialect: "openai-chat"}, diagnose.TerminalNotSent, "finish_reason", true},
		{"all silent together", chatServer(blocked, finish+"data: [DONE]\n\n"), harness.Stream{Dialect: "openai-chat"}, diagnose.BlockedLoop, "together", true},
		{"wrong terminal", chatServer(nil, "event: done\ndata: {}\n\n"), harness.Stream{Dialect: "sse-generic", Terminal: "event == end"}, diagnose.TerminalUnmatched, "event: done, data: {}", true},
		{"wrong dialect", chatServer(nil, finish+"data: [DONE]\n\n"), harness.Stream{Dialect: "ollama"}, diagnose.WrongDialect, `data: {"choices"`, false},
		{"JSON, not a stream", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"error":"rate limited"}`)
		}), harness.Stream{Dialect: "openai-chat"}, diagnose.ErrorDocument, "rate limited", true},
	} {
		if tc.night && !*nightly {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tc.handler)
			defer srv.Close()
			load := harness.Load{Streams: 6}
			if tc.want == diagnose.AppError {
				// Streams that start together end together, and then a dead process
				// looks the same to the client: it takes starts apart to tell.
				load.Ramp = 2 * time.Second
			}
			report := play(t, harness.Options{App: harness.App{URL: srv.URL, Stream: tc.ask}, GapLimit: time.Second,
				Scenarios: []harness.Scenario{scenario(t, "control")}, Load: load})
			checkCause(t, report, tc.want)
			if c := report.Scenarios[0].Causes; len(c) > 0 && !strings.Contains(c[0].Summary+fmt.Sprint(c[0].Evidence),
				tc.quotes) {
				t.Errorf("%q is not said: %+v", tc.quotes, c[0])
			}
		})
	}
}

// chatCommand is testdata/chat.py, which needs nothing but Python.
func chatCommand(t *testing.T, mode string) harness.App {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this host")
	}
	script, err := filepath.Abs("testdata/chat.py")
	if err != nil {
		t.Fatal(err)
	}
	return harness.App{Command: []string{python, script, "{port}", mode}, Health: "/healthz", Stream: harness.Stream{Path: "/chat", Dialect: "openai-chat"}}
}

// An app without a handler for SIGTERM has no window at all.
func TestNoGracefulShutdown(t *testing.T) {
	t.Parallel()
	sc := scenario(t, "drain")
	sc.Edge.Form = "none"
	report := play(t, harness.Options{App: chatCommand(t, "good"), Scenarios: []harness.Scenario{sc}, Load: harness.Load{Streams: 6}})
	if report.Verdict != verdict.Fail {
		t.Errorf("verdict %s: %s", report.Verdict, report.Why)
	}
	checkCause(t, report, diagnose.NoGracefulShutdown)
	if c := report.Scenarios[0].Causes; len(c) > 0 && (!strings.Contains(c[0].Fix, "--timeout-graceful-shutdown") || strings.Contains(c[0].Fix, "srv.Shutdown")) {
		t.Errorf("not a fix for Python: %s", c[0].Fix)
	}
}

// A blocked loop stops streams that run out of step at different events and at one
// moment, and is named although it never wakes up within our patience; so is what all of
// them may wait for, since nothing tells the two apart here.
func TestBlockedLoopLongerThanOurPatience(t *testing.T) {
	t.Parallel()
	sc := scenario(t, "control")
	sc.Edge.Form = "none"
	report := play(t, harness.Options{App: chatCommand(t, "block"), GapLimit: 1500 * time.Millisecond, Scenarios: []harness.Scenario{sc},
		Load: harness.Load{Streams: 8, Ramp: 600 * time.Millisecond}})
	checkCause(t, report, diagnose.BlockedLoop)
	if c := report.Scenarios[0].Causes; len(c) > 0 && (c[0].Confidence == "certain" || !slices.Contains(c[0].Names(),
		diagnose.StallInApp)) {
		t.Errorf("what they wait for may have paused: %+v", c[0])
	}
}
