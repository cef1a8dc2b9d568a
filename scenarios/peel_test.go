package scenarios_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/reports"
	"github.com/streamproof/streamproof/scenarios"
)

// peeled is what diagnose runs.
func peeled(t *testing.T, o harness.Options) verdict.ScenarioReport {
	t.Helper()
	o.Scenarios, o.Load = []harness.Scenario{scenarios.Peel(o.App)}, harness.Load{Streams: 6}
	return play(t, o).Scenarios[0]
}

// wrong lists the hops that are marked.
func wrong(s verdict.ScenarioReport) []string {
	var names []string
	for _, h := range s.Hops {
		if h.Wrong {
			names = append(names, h.Hop)
		}
	}
	return names
}

// TestPeelFindsTheHop breaks one layer at a time and asks where it goes wrong, and
// why.
func TestPeelFindsTheHop(t *testing.T) {
	needNginx(t)
	t.Parallel()
	for _, tc := range []struct {
		name, sabotage string
		edge           stack.EdgeForm
		wrong          []string
		cause          string
		night          bool // make nightly has it: another row has the same hop by day, or TestArticlePeel
	}{
		{"sound", "", stack.EdgeDefault, nil, "", false},
		{"the edge collects", "no-accel-header", stack.EdgeDefault, []string{"nginx"}, diagnose.BufferedByEdge, true},
		{"the app collects", "buffering", stack.EdgeStreaming, []string{"app"}, diagnose.BufferedByApp, true},
		{"the app is cut and the edge launders it", "incomplete-body", stack.EdgeDefault, []string{"app", "nginx"}, diagnose.AppError, false},
		{"the app is cut and the edge says so", "incomplete-body", stack.EdgeStreaming, []string{"app"}, diagnose.AppError, true},
		{"the app ends early", "silent-truncation", stack.EdgeStreaming, []string{"app"}, diagnose.SilentTruncation, true},
	} {
		if tc.night && !*nightly {
			continue
		}
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := harness.Options{App: harness.App{Edge: stack.Edge{Form: tc.edge}}, Sabotage: harness.Sabotage{Name: tc.sabotage, Share: 1}}
			if tc.sabotage == "" {
				o.Sabotage = harness.Sabotage{}
			}
			s := peeled(t, o)
			if got := wrong(s); !slices.Equal(got, tc.wrong) {
				t.Errorf("it goes wrong at %v, want %v: %+v", got, tc.wrong, s.Hops)
			}
			checkHops(t, s, "app", "upstream", "nginx", "edge")
			if tc.cause == "" && s.Verdict != verdict.Pass {
				t.Errorf("a sound chain gets %s: %s", s.Verdict, s.Why)
			}
			checkCauses(t, s, tc.cause)
			checkEdgeProbe(t, s)
		})
	}
}

// checkHops wants the same number of streams at each hop, the app first.
func checkHops(t *testing.T, s verdict.ScenarioReport, want ...string) {
	t.Helper()
	var got []string
	for _, h := range s.Hops {
		got = append(got, h.Hop)
		if h.Started != s.Hops[0].Started || h.Ending == "" {
			t.Errorf("%s: %d streams, ending %q; the app had %d", h.Hop, h.Started, h.Ending, s.Hops[0].Started)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("hops %v, want %v", got, want)
	}
}

func checkCauses(t *testing.T, s verdict.ScenarioReport, want string) {
	t.Helper()
	if want == "" && len(s.Causes) > 0 || want != "" && (len(s.Causes) == 0 || s.Causes[0].Cause != want) {
		t.Errorf("causes %+v, want %q first", s.Causes, want)
	}
}

// checkEdgeProbe wants to know what nginx does to a cut stream, as it was
// measured.
func checkEdgeProbe(t *testing.T, s verdict.ScenarioReport) {
	t.Helper()
	if s.Edge == nil {
		t.Fatal("the edge was not probed")
	}
	if got := s.Edge.Trial(record.CloseDelimited, record.CloseFIN); got == nil || got.Fate != record.EdgeLaundered {
		t.Errorf("a close-delimited body ended by FIN is %+v, want it laundered", got)
	}
	if !strings.Contains(s.Edge.Summary, "launders a close-delimited body ended by FIN") {
		t.Errorf("summary %q", s.Edge.Summary)
	}
}

// serveOrigin runs our origin as somebody else's app would run.
func serveOrigin(t *testing.T) string {
	t.Helper()
	o, err := origin.New(origin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- o.Serve(l) }() // ends with Shutdown
	t.Cleanup(func() {
		o.Shutdown(t.Context())
		<-served
	})
	return "http://" + l.Addr().String()
}

// collector is somebody's edge that holds every answer back until it is whole.
func collector(t *testing.T, upstream string) string {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	p.FlushInterval = time.Hour
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := httptest.NewRecorder()
		p.ServeHTTP(held, r)
		for k, v := range held.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(held.Code)
		w.Write(held.Body.Bytes())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestPeelOfSomebodyElsesEdge attaches to a server behind an edge that we did not
// start, and to the app behind it.
func TestPeelOfSomebodyElsesEdge(t *testing.T) {
	bynight.Only(t, "TestWhoseLimitItIs")
	t.Parallel()
	app := serveOrigin(t)
	s := peeled(t, harness.Options{App: harness.App{URL: collector(t, app), Direct: app,
		Stream: harness.Stream{Path: "/stream?events=10&gap=60ms", Dialect: "origin"}}})
	checkHops(t, s, "app", "proxy", "edge")
	if got := wrong(s); !slices.Equal(got, []string{"proxy"}) {
		t.Errorf("it goes wrong at %v, want the edge: %+v", got, s.Hops)
	}
	var names []string
	for _, c := range s.Causes {
		names = append(names, c.Cause)
	}
	if !slices.Contains(names, diagnose.BufferedByEdge) {
		t.Errorf("causes %q, want %q among them", names, diagnose.BufferedByEdge)
	}
}

// TestWarnsBeforeAnyLoad has the layers speak before a stream is sent.
func TestWarnsBeforeAnyLoad(t *testing.T) {
	needNginx(t)
	t.Parallel()
	type warning struct{ scenario, text string }
	var told []warning
	var started atomic.Int64 // told by the run's ticker
	o := harness.Options{App: harness.App{Edge: stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: 2 * time.Second},
		Stream: harness.Stream{Silence: 4 * time.Second}},
		Scenarios: []harness.Scenario{scenario(t, "control")}, Load: harness.Load{Streams: 2},
		Progress: func(p harness.Progress) { started.Store(int64(p.Started)) },
		Warn: func(scenario string, w verdict.Warning) {
			if n := started.Load(); n > 0 {
				t.Errorf("warned after %d streams", n)
			}
			told = append(told, warning{scenario, reports.Warned(w)})
		}}
	report := play(t, o)
	if len(told) != 1 || !strings.Contains(told[0].text, "proxy_read_timeout 2s") {
		t.Errorf("told %+v, want one warning about proxy_read_timeout", told)
	}
	if ws := report.Scenarios[0].Warnings; len(ws) != 1 || ws[0].Layer != "nginx" {
		t.Errorf("the report's warnings are %+v", ws)
	}
}

// TestGunicornIsRead names the timer of a sync worker that nobody can see in
// nginx.conf.
func TestGunicornIsRead(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import gunicorn").Run() != nil {
		t.Skip("no gunicorn for " + python + ": 'make setup' installs it")
	}
	dir := t.TempDir()
	writeFile(t, dir+"/hello.py", "def app(environ, start):\n    start('200 OK', [])\n    return [b'hello']\n")
	var told []string
	play(t, harness.Options{App: harness.App{Dir: dir, Command: []string{"sh", "-c", "exec " + python + " -m gunicorn --timeout 3 -b 127.0.0.1:{port} hello:app"},
		Edge: stack.Edge{Form: stack.EdgeNone}, Stream: harness.Stream{Dialect: "text", Sentinel: "hello", Longest: 8 * time.Second}},
		Scenarios: []harness.Scenario{scenario(t, "control")}, Load: harness.Load{Streams: 1},
		Warn: func(_ string, w verdict.Warning) { told = append(told, reports.Warned(w)) }})
	if len(told) == 0 || !strings.Contains(strings.Join(told, "\n"), "gunicorn timeout 3s: streams last 8s") {
		t.Errorf("told %q, want the sync worker's timeout", told)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
