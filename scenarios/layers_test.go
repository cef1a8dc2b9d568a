package scenarios_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/busy"
	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A talk is how somebody's app answers: it stamps nothing, and nobody's pace is
// quite even.
type talk struct {
	events     int
	pauseAt    int
	pause      time.Duration
	stopAt     int // ends there without a terminal
	pad        int // bytes of an event beside its JSON
	servedBy   string
	stopsAfter time.Duration // waits so long before it ends early
}

func (k talk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	if k.servedBy != "" {
		w.Header().Set("X-Served-By", k.servedBy)
	}
	pace := 70 + rand.N(60)
	for n := range k.events {
		if k.pauseAt > 0 && n == k.pauseAt {
			time.Sleep(k.pause)
		}
		if k.stopAt > 0 && n == k.stopAt {
			time.Sleep(k.stopsAfter)
			return
		}
		fmt.Fprintf(w, `data: {"choices":[{"index":0,"delta":{"content":%q},"finish_reason":null}]}`+"\n\n", strings.Repeat("x", k.pad+rand.N(40)))
		w.(http.Flusher).Flush()
		time.Sleep(time.Duration(pace) * time.Millisecond)
	}
	fmt.Fprint(w, finish, "data: [DONE]\n\n")
}

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// edgeThat is somebody's edge that changes the body of each answer.
func edgeThat(t *testing.T, upstream string, change func(io.ReadCloser) io.ReadCloser) string {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	p.FlushInterval = -1
	p.ModifyResponse = func(r *http.Response) error {
		if change != nil {
			r.Body = change(r.Body)
		}
		return nil
	}
	return serve(t, p)
}

// endsAfter ends a body as if it were whole once d is over: since its beginning,
// or since its last byte.
func endsAfter(d time.Duration, idle bool) func(io.ReadCloser) io.ReadCloser {
	return func(b io.ReadCloser) io.ReadCloser {
		out, in := io.Pipe()
		timer := time.AfterFunc(d, func() { in.Close() })
		go func() { // ends with the body, or with the first write after the time
			defer b.Close()
			buf := make([]byte, 4<<10)
			for {
				n, err := b.Read(buf)
				if idle {
					timer.Reset(d)
				}
				if _, bad := in.Write(buf[:n]); bad != nil {
					return
				}
				if err != nil {
					timer.Stop()
					in.Close()
					return
				}
			}
		}()
		return out
	}
}

func endsAtSize(n int64) func(io.ReadCloser) io.ReadCloser {
	return func(b io.ReadCloser) io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(b, n), b}
	}
}

// TestWhoseLimitItIs plants a limit at somebody's edge or in the app behind it,
// and asks both: nobody stamps, and there is no log.
func TestWhoseLimitItIs(t *testing.T) {
	t.Parallel()
	sound := talk{events: 25}
	silent := talk{events: 12, pauseAt: 6, pause: 2500 * time.Millisecond}
	for _, tt := range []struct {
		name  string
		app   http.Handler
		edge  func(io.ReadCloser) io.ReadCloser
		cause string // "" for none
		layer string
		wrong string // the hop
		day   bool   // make test has it too, where no time is in it; the rules are held to records in harness/diagnose
	}{
		{name: "sound", day: true, app: sound},
		{name: "sound, with a pause", app: silent},
		{name: "idle timer at the edge", app: silent, edge: endsAfter(900*time.Millisecond, true), cause: diagnose.ProxyReadTimeout, layer: "edge", wrong: "proxy"},
		{name: "deadline at the edge", app: sound, edge: endsAfter(1300*time.Millisecond, false), cause: diagnose.AbsoluteDeadline, layer: "edge", wrong: "proxy"},
		{name: "size limit at the edge", day: true, app: talk{events: 25, pad: 600}, edge: endsAtSize(8 << 10), cause: diagnose.PayloadCap, layer: "edge", wrong: "proxy"},
		{name: "a wait in the app", app: talk{events: 12, stopAt: 6, stopsAfter: 1200 * time.Millisecond}, cause: diagnose.IdleTimeoutInApp, layer: "app", wrong: "app"},
		{name: "an end in the app", day: true, app: talk{events: 12, stopAt: 6}, cause: diagnose.SilentTruncation, layer: "app", wrong: "app"},
	} {
		if !tt.day && !*nightly {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := serve(t, tt.app)
			s := peeled(t, harness.Options{App: harness.App{URL: edgeThat(t, app, tt.edge), Direct: app,
				Stream: harness.Stream{Path: "/chat", Dialect: "openai-chat"}}})
			if tt.cause == "" {
				if s.Verdict != verdict.Pass || len(s.Causes) > 0 {
					if s.Verdict == verdict.Inconclusive {
						busy.Excuse(t, &s)
					}
					t.Errorf("a sound chain gets %s (%s), causes %+v", s.Verdict, s.Why, s.Causes)
				}
				return
			}
			if len(s.Causes) == 0 || s.Causes[0].Cause != tt.cause {
				busy.Excuse(t, &s)
			}
			checkCauses(t, s, tt.cause)
			if got := wrong(s); !slices.Equal(got, []string{tt.wrong}) {
				t.Errorf("it goes wrong at %v, want %s", got, tt.wrong)
			}
			for _, c := range s.Causes {
				if c.Confidence != "possible" && c.Layer != tt.layer && c.Cause != diagnose.NoHeartbeat {
					t.Errorf("%s (%s) is at layer %s, want %s", c.Cause, c.Confidence, c.Layer, tt.layer)
				}
			}
		})
	}
}

// TestOneReplicaOfTwo has a balancer send every other request to an instance that
// ends early.
func TestOneReplicaOfTwo(t *testing.T) {
	bynight.Only(t, "harness/verdict has TestReplicasThreeWays")
	t.Parallel()
	good, bad := talk{events: 12, servedBy: "r1"}, talk{events: 12, servedBy: "r2", stopAt: 5}
	var n atomic.Int64
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		[]http.Handler{good, bad}[n.Add(1)%2].ServeHTTP(w, r)
	}))
	r := play(t, harness.Options{App: harness.App{URL: url, Stream: harness.Stream{Path: "/chat", Dialect: "openai-chat"}},
		Scenarios: []harness.Scenario{scenario(t, "control")}, Load: harness.Load{Streams: 16}}).Scenarios[0]
	checkCauses(t, r, diagnose.OneReplica)
	var names []string
	for _, x := range r.Replicas {
		names = append(names, x.Name)
		if (x.Worse != "") != (x.Name == "r2") {
			t.Errorf("replica %+v", x)
		}
	}
	if !slices.Equal(names, []string{"r1", "r2"}) {
		t.Errorf("replicas %v, want r1 and r2", names)
	}
}

// TestHAProxyIsNamed has a HAProxy that names itself in no field cut silent
// streams: its process tells.
func TestHAProxyIsNamed(t *testing.T) {
	bynight.Only(t, "scenarios/strangers has HAProxy")
	program, err := exec.LookPath("haproxy")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/haproxy"); err != nil {
			t.Skip("no haproxy on this host")
		}
	}
	t.Parallel()
	app := serve(t, talk{events: 12, pauseAt: 6, pause: 3 * time.Second})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	file := t.TempDir() + "/haproxy.cfg"
	writeFile(t, file, "defaults\n  mode http\n  timeout connect 1s\n  timeout client 30s\n  timeout server 1s\nfrontend f\n  bind "+addr+
		"\n  default_backend b\nbackend b\n  option http-no-delay\n  server s "+strings.TrimPrefix(app, "http://")+"\n")
	cmd := exec.Command(program, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if !listens(addr, 5*time.Second) {
		t.Fatal("haproxy does not listen")
	}
	s := peeled(t, harness.Options{App: harness.App{URL: "http://" + addr, Direct: app, Stream: harness.Stream{Path: "/chat", Dialect: "openai-chat"}}})
	checkCauses(t, s, diagnose.ProxyReadTimeout)
	if len(s.Causes) > 0 && (!strings.HasPrefix(s.Causes[0].Summary, "HAProxy ended") || !strings.Contains(s.Causes[0].Fix, "timeout server 1h") || strings.Contains(s.Causes[0].Fix, "nginx")) {
		t.Errorf("summary %q, fix %q", s.Causes[0].Summary, s.Causes[0].Fix)
	}
	for _, h := range s.Hops {
		if h.Hop == "proxy" && h.Label != "HAProxy" {
			t.Errorf("the hop is called %q", h.Label)
		}
	}
}

func listens(addr string, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return true
		}
	}
	return false
}
