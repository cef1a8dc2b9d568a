package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/streamproof/streamproof/reports"
)

// A hook is a webhook that keeps what it gets.
type hook struct {
	*httptest.Server
	mu     sync.Mutex // guards bodies and signed
	bodies [][]byte
	signed []string
}

func newHook(t *testing.T, status int) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s, %v", r.Method, r.Header, err)
		}
		h.mu.Lock()
		h.bodies, h.signed = append(h.bodies, body), append(h.signed, r.Header.Get(signatureHeader))
		h.mu.Unlock()
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(h.Close)
	return h
}

// cutting is an app that answers with three events and then hangs up, and echoes in a
// header and an event what it was authorised by.
func cutting(t *testing.T) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		for range 3 {
			_, _ = io.WriteString(w, "data: {\"seen\": \""+r.Header.Get("Authorization")+"\"}\n\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
		panic(http.ErrAbortHandler)
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s.URL
}

// TestTeam: one run tells its results in metrics and to a webhook, signed; no secret of a
// header is in either, and the repro line names neither.
func TestTeam(t *testing.T) {
	const token, key = "s3cret-of-the-app", "k3y"
	t.Setenv(signatureSecret, key)
	t.Setenv("TEAM_TOKEN", token)
	h, dir := newHook(t, http.StatusAccepted), t.TempDir()
	metrics := filepath.Join(dir, "out.prom")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", cutting(t), "--dialect", "openai-chat", "-c", "3", "-o", filepath.Join(dir, "run"),
		"-H", "Authorization: Bearer ${TEAM_TOKEN}", "--metrics", metrics, "--listen", "127.0.0.1:0",
		"--notify", h.URL + "/hooks/${TEAM_TOKEN}"}, &out, &errs)
	if code != exitFail {
		t.Fatalf("code %d\n%s\n%s", code, out.String(), errs.String())
	}
	text, err := os.ReadFile(metrics)
	if err != nil || !strings.HasSuffix(string(text), "# EOF\n") || !strings.Contains(string(text), `streamproof_run_verdict{verdict="fail"} 1.0`) {
		t.Errorf("%v\n%s", err, text)
	}
	if len(h.bodies) != 1 {
		t.Fatalf("%d notices\n%s", len(h.bodies), errs.String())
	}
	if h.signed[0] != signature(key, h.bodies[0]) {
		t.Errorf("signed %q", h.signed[0])
	}
	var n reports.Notice
	if err := json.Unmarshal(h.bodies[0], &n); err != nil {
		t.Fatal(err)
	}
	if n.Schema != reports.NoticeSchema || n.Verdict != "fail" || !strings.HasPrefix(n.Text, "streamproof FAIL: ") ||
		n.Streams < 3 || len(n.Scenarios) != 1 || n.Scenarios[0].Why == "" || strings.Contains(n.Repro, "notify") {
		t.Errorf("%+v", n)
	}
	host := strings.TrimPrefix(h.URL, "http://")
	if !strings.Contains(out.String(), "notified: "+host+"\n") || !regexp.MustCompile(`(?m)^metrics: http://127\.0\.0\.1:\d+/metrics$`).MatchString(errs.String()) {
		t.Errorf("%s\n%s", out.String(), errs.String())
	}
	for what, s := range map[string]string{"notice": string(h.bodies[0]), "metrics": string(text), "output": out.String() + errs.String()} {
		if strings.Contains(s, token) {
			t.Errorf("the secret is in the %s:\n%s", what, s)
		}
	}
}

// TestOTLP: the app gets a traceparent with each request, and the collector a span with
// the same IDs for each. A collector that is not there changes no verdict.
func TestOTLP(t *testing.T) {
	var mu sync.Mutex // guards asked and taken
	asked, taken := map[string]bool{}, map[string]bool{}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked[r.Header.Get("Traceparent")] = true
		mu.Unlock()
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(app.Close)
	to := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var got collector.ExportTraceServiceRequest
		if err = errors.Join(err, proto.Unmarshal(body, &got)); err != nil || r.URL.Path != "/v1/traces" ||
			r.Header.Get("Api-Key") != "a b" {
			t.Errorf("%v, %s, %v", r.URL, r.Header, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, s := range got.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans() {
			taken[fmt.Sprintf("00-%x-%x-01", s.GetTraceId(), s.GetSpanId())] = true
		}
	}))
	t.Cleanup(to.Close)
	t.Setenv(otlpHeaders, "api-key=a%20b")
	args := []string{"run", app.URL, "--dialect", "openai-chat", "-c", "3", "-q", "--otlp", to.URL, "-o"}
	var out, errs bytes.Buffer
	code := run(t.Context(), append(args, filepath.Join(t.TempDir(), "run")), &out, &errs)
	if code == exitBroken || code == exitUsage || len(taken) < 3 ||
		!strings.Contains(out.String(), fmt.Sprintf("spans: %d to ", len(taken))) {
		t.Fatalf("code %d, %d spans\n%s\n%s", code, len(taken), out.String(), errs.String())
	}
	for id := range taken {
		if !asked[id] {
			t.Errorf("span %s is of no request: %v", id, asked)
		}
	}
	to.Close()
	errs.Reset()
	again := run(t.Context(), append(args, filepath.Join(t.TempDir(), "run")), &out, &errs)
	lost := regexp.MustCompile(`warning: --otlp: 127\.0\.0\.1:\d+ did not take (\d+) of \d+ spans: connection refused`)
	if again != code || !lost.MatchString(errs.String()) {
		t.Errorf("code %d, was %d\n%s", again, code, errs.String())
	}
}

// A notice that is refused or does not arrive is a warning: the verdict stands, and the
// URL, which may be a secret, is not shown. A redirect is not followed.
func TestNotifyFails(t *testing.T) {
	t.Setenv("HOOK", "hush")
	refusing, moved := newHook(t, http.StatusTeapot), newHook(t, http.StatusTemporaryRedirect)
	gone := newHook(t, http.StatusOK)
	gone.Close()
	for want, h := range map[string]*hook{"status 418": refusing, "status 307": moved, "connection refused": gone} {
		var out, errs bytes.Buffer
		code := run(t.Context(), []string{"run", cutting(t), "--dialect", "openai-chat", "-c", "2", "-q",
			"-o", filepath.Join(t.TempDir(), "run"), "--notify", h.URL + "/${HOOK}"}, &out, &errs)
		line := "warning: --notify: " + strings.TrimPrefix(h.URL, "http://") + " was not told: " + want
		if code != exitFail || !strings.Contains(errs.String(), line) || strings.Contains(out.String()+errs.String(), "hush") {
			t.Errorf("code %d, want %q\n%s\n%s", code, line, out.String(), errs.String())
		}
	}
}
