package main

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// command runs a command in a folder of its own and returns what it printed.
func command(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return out.String(), errs.String(), code
}

// probe names dialect and end, measures the pace, and writes a file that a run takes
// as it is.
func TestProbe(t *testing.T) {
	t.Setenv("WALK_KEY", "heron7heron")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer heron7heron" || r.Header.Get("Content-Type") != "application/json" ||
			string(body) != `{"q": "hi"}` {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		says{"text/event-stream", []string{event("leaf", `{"t":"fern"}`), event("leaf", `{"t":"moss"}`),
			event("walk_done", "{}")}}.ServeHTTP(w, r)
	}))
	defer srv.Close()
	file := filepath.Join(t.TempDir(), "walk.yaml")
	args := []string{srv.URL + "/walk", "-d", `{"q": "hi"}`, "-H", "Authorization: Bearer ${WALK_KEY}"}
	out, errs, code := command(t, append([]string{"probe", "--write=" + file}, args...)...)
	if code != exitPass {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"sse-generic", "event == walk_done", "fern", "event: walk_done {}",
		"first content after", "next      streamproof run"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text := out + errs + string(written); strings.Contains(text, "heron7heron") {
		t.Errorf("the secret is written:\n%s", text)
	}
	if out, errs, code = command(t, "run", "-f", file, "--streams", "3",
		"-o", filepath.Join(t.TempDir(), "run")); code != exitPass {
		t.Errorf("run of the file: exit code %d\n%s%s\n%s", code, out, errs, written)
	}
	out, _, _ = command(t, append([]string{"probe", "--json"}, args...)...)
	var p probed
	if err := json.Unmarshal([]byte(out), &p); err != nil || p.Dialect != "sse-generic" ||
		p.Terminal != "event == walk_done" || p.Events != 3 || !p.Ready || p.FirstContent == nil {
		t.Errorf("JSON: %v\n%s", err, out)
	}
}

// What cannot be recognised is said with what came, and no load is sent.
func TestUnrecognised(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		answer http.Handler
		want   []string
	}{
		{"no last event", says{"text/event-stream", []string{"data: a\n\n", "data: a\n\n"}},
			[]string{"--terminal", `"a"`, "distinguishes the last event"}},
		{"one document", says{"application/json", []string{`{"answer": "all of it"}`}},
			[]string{"one JSON document and no stream", `"stream": true`}},
		{"an empty answer", says{"text/event-stream", nil}, []string{"empty", "--body"}},
		{"not found", http.NotFoundHandler(), []string{"404 Not Found", "404 page not found", "--path"}},
		{"a body is wanted", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnprocessableEntity)
			io.WriteString(w, `{"detail":[{"msg":"field required"}]}`)
		}), []string{"422", `"msg":"field required"`, "--body"}},
		{"only POST", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", "POST")
			http.Error(w, "use POST", http.StatusMethodNotAllowed)
		}), []string{"405", "use POST", "--method POST"}},
		{"away", http.RedirectHandler("http://192.0.2.7/there", http.StatusTemporaryRedirect),
			[]string{"307", "http://192.0.2.7/there"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				tt.answer.ServeHTTP(w, r)
			}))
			defer srv.Close()
			dir := filepath.Join(t.TempDir(), "run")
			out, errs, code := command(t, "run", srv.URL+"/walk", "-o", dir)
			if code != exitUsage || strings.Count(errs, "streamproof: ") != 1 || out != "" {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
			for _, w := range tt.want {
				if !strings.Contains(errs, w) {
					t.Errorf("%q is not said: %s", w, errs)
				}
			}
			if srv.Close(); asked > 2 {
				t.Errorf("%d requests were sent", asked)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("a run was begun")
			}
		})
	}
}

// A server that fails is judged, not refused: its streams fail, and say so.
func TestAFailingServerIsJudged(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the bog burst its banks", http.StatusInternalServerError)
	}))
	defer srv.Close()
	dir := filepath.Join(t.TempDir(), "run")
	out, _, code := command(t, "run", srv.URL+"/walk", "--streams", "3", "-o", dir)
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if code != exitFail || err != nil || !strings.Contains(out, "the bog burst its banks") ||
		!bytes.Contains(page, []byte("the bog burst its banks")) {
		t.Errorf("exit code %d, %v\n%s", code, err, out)
	}
}

// Each stream sends values of its own, and what a client of the API would send.
func TestRequestsAreAClients(t *testing.T) {
	t.Parallel()
	type request struct{ q, n, path, id, accept, media, own string }
	seen := make(chan request, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Q string
			N json.Number
		}
		json.NewDecoder(r.Body).Decode(&body)
		own := ""
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Vegeta") || strings.HasPrefix(name, "X-Streamproof") {
				own = name
			}
		}
		seen <- request{body.Q, body.N.String(), r.URL.Path, r.Header.Get("X-Own"), r.Header.Get("Accept"),
			r.Header.Get("Content-Type"), own}
		says{"text/event-stream", []string{event("leaf", "1"), event("done", "{}")}}.ServeHTTP(w, r)
	}))
	defer srv.Close()
	prompts := filepath.Join(t.TempDir(), "prompts.txt")
	if err := os.WriteFile(prompts, []byte("say \"hi\"\n\nname a fern\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, code := command(t, "run", srv.URL+"/walk/{nonce}", "--dialect", "sse-generic",
		"--terminal", "event == done", "-c", "4", "--prompts", prompts,
		"-d", `{"q": "{prompt}", "n": {seq}}`, "-H", "X-Own: {seq}", "-o", filepath.Join(t.TempDir(), "run"))
	if code != exitPass {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	close(seen)
	paths, asked := map[string]bool{}, map[string]int{}
	for r := range seen {
		paths[r.path] = true
		asked[r.q]++
		if r.n == "" || r.n != r.id || !strings.HasPrefix(r.accept, "text/event-stream") || r.media != "application/json" ||
			r.own != "" {
			t.Errorf("%+v", r)
		}
	}
	if len(paths) < 5 || asked[`say "hi"`] < 2 || asked["name a fern"] < 2 || len(asked) != 2 {
		t.Errorf("paths %v, prompts %v", paths, asked)
	}
}

// A certificate that nobody vouches for is no fault of the app: it is named, with
// the switch, and each switch works.
func TestTLS(t *testing.T) {
	t.Parallel()
	for _, h2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("h2 %v", h2), func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(says{"text/event-stream", []string{event("leaf", "1"), event("leaf", "2"),
				event("done", "{}")}})
			srv.EnableHTTP2 = h2
			srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the handshakes that are to fail
			srv.StartTLS()
			defer srv.Close()
			ca := filepath.Join(t.TempDir(), "ca.pem")
			cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
			if err := os.WriteFile(ca, cert, 0o644); err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			play := func(args ...string) (string, int) {
				out, errs, code := command(t, append([]string{"run", "--streams", "3", "-o", filepath.Join(t.TempDir(), "run")},
					args...)...)
				return out + errs, code
			}
			if text, code := play(srv.URL + "/walk"); code != exitUsage || !strings.Contains(text, "is not trusted") ||
				!strings.Contains(text, "--insecure") || !strings.Contains(text, "--cacert") {
				t.Errorf("untrusted: exit code %d\n%s", code, text)
			}
			byName := "https://example.com:" + u.Port() + "/walk"
			resolve := "example.com:" + u.Port() + ":127.0.0.1"
			for _, args := range [][]string{{srv.URL + "/walk", "--insecure"}, {srv.URL + "/walk", "--cacert", ca},
				{byName, "--cacert", ca, "--resolve", resolve},
				{srv.URL + "/walk", "--cacert", ca, "--sni", "example.com"}} {
				if text, code := play(args...); code != exitPass || !strings.Contains(text, "recognised: sse-generic") {
					t.Errorf("%q: exit code %d\n%s", args, code, text)
				}
			}
			if text, code := play(strings.Replace(byName, "example.com", "other.test", 1), "--cacert", ca,
				"--resolve", strings.Replace(resolve, "example.com", "other.test", 1)); code != exitUsage ||
				!strings.Contains(text, "for another name") || !strings.Contains(text, "--sni") {
				t.Errorf("another name: exit code %d\n%s", code, text)
			}
			if text, code := play("https://"+plainServer(t)+"/walk", "--insecure"); code != exitUsage ||
				!strings.Contains(text, "speaks no TLS") {
				t.Errorf("no TLS: exit code %d\n%s", code, text)
			}
		})
	}
}

func plainServer(t *testing.T) string {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// A server that wants to know its clients gets the one that is named.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(says{"text/event-stream", []string{event("leaf", "1"), event("leaf", "2"),
		event("done", "{}")}})
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	key, err := x509.MarshalPKCS8PrivateKey(srv.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(t.TempDir(), "client.pem") // the server's own pair will do
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(both, text, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", srv.URL + "/walk", "--insecure", "--streams", "3", "--dialect", "sse-generic",
		"--terminal", "event: done", "-o"}
	if out, errs, code := command(t, append(args, filepath.Join(t.TempDir(), "run"))...); code != exitUsage ||
		!strings.Contains(errs, "requires a client certificate") || !strings.Contains(errs, "--cert FILE --key FILE") {
		t.Errorf("none given: exit code %d\n%s%s", code, out, errs)
	}
	if out, errs, code := command(t, append(args, filepath.Join(t.TempDir(), "run"),
		"--cert", both)...); code != exitPass {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}

// What the user says of the answer goes before what it looks like.
func TestSaidAndRecognised(t *testing.T) {
	t.Parallel()
	sse := says{"text/event-stream", []string{event("leaf", "1"), event("leaf", "2"), event("bye", "{}")}}
	for _, tt := range []struct {
		name   string
		answer http.Handler
		args   []string
		code   int
		want   string
	}{
		{"a terminal", sse, []string{"--terminal", "event == bye"}, exitPass, "recognised: sse-generic"},
		{"a terminal as people type it",
			says{"application/x-ndjson", []string{`{"status":"running"}` + "\n", `{"status":"finished"}` + "\n"}},
			[]string{"--terminal", `.status == "finished"`}, exitPass, "recognised: ndjson-generic"},
		{"a feed", says{"text/event-stream", []string{event("leaf", "1"), "…"}}, []string{"--endless", "600ms,2"}, exitPass,
			"recognised: sse-generic"},
		{"a text's end", says{"text/plain", []string{"fern ", "and moss"}}, []string{"--sentinel", "moss"}, exitPass,
			"recognised: text"},
		{"a prefix sent twice",
			says{"text/event-stream", []string{"data: " + chat(`"delta":{"content":"fern"}`),
				"data: " + chat(`"delta":{},"finish_reason":"stop"`), "data: data: [DONE]\n\n"}}, nil, exitFail,
			"recognised: openai-chat"},
		{"a Responses stream that leaves its item open", says{"text/event-stream", []string{
			event("response.created",
				`{"type":"response.created","sequence_number":0,"response":{"id":"r","status":"in_progress"}}`),
			event("response.output_item.added",
				`{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"type":"message"}}`),
			event("response.output_text.delta",
				`{"type":"response.output_text.delta","sequence_number":2,"output_index":0,"content_index":0,"delta":"fern"}`),
			event("response.completed",
				`{"type":"response.completed","sequence_number":3,"response":{"id":"r","status":"completed"}}`),
		}}, nil, exitPass, "recognised: openai-responses"},
		{"compressed", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "text/event-stream")
			z := gzip.NewWriter(w)
			for _, p := range sse.pieces {
				io.WriteString(z, p)
				z.Flush()
				w.(http.Flusher).Flush()
				time.Sleep(10 * time.Millisecond)
			}
			z.Close()
		}), nil, exitPass, "recognised: sse-generic, last event: event == bye"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.answer)
			defer srv.Close()
			out, errs, code := command(t,
				append([]string{"run", srv.URL + "/walk", "--streams", "3", "-o", filepath.Join(t.TempDir(), "run")},
					tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.want) {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
		})
	}
}

// The file has what the flags said, or says that it has not, before a request is sent.
func TestProbeWritesFlags(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		says{"text/event-stream", []string{event("tick", `{"n":1}`), event("tick", `{"n":2}`)}}.ServeHTTP(w, r)
	}))
	defer srv.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "feed.yaml")
	_, errs, code := command(t, "probe", srv.URL+"/feed", "--write="+file, "--endless", "10s,2", "--allow-host", "feed.example",
		"--resolve", "feed.example:80:127.0.0.1", "--error", "event == oops", "--order", ".n")
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("exit code %d: %v\n%s", code, err, errs)
	}
	for _, want := range []string{"endless: {for: 10s, events: 2}", `allow_hosts: ["feed.example"]`,
		`resolve: ["feed.example:80:127.0.0.1"]`, `error: "event == oops"`, `order: ".n"`} {
		if !strings.Contains(string(written), want) {
			t.Errorf("the file has no %s:\n%s", want, written)
		}
	}
	if strings.Contains(string(written), "terminal:") {
		t.Errorf("a feed has a last event:\n%s", written)
	}
	was := asked
	for _, args := range [][]string{{"--write=" + file}, {"--write=" + file + "2", "--log", "app=x.log"}} {
		if out, errs, code := command(t, append([]string{"probe", srv.URL + "/feed"}, args...)...); code != exitUsage {
			t.Errorf("%s: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	if asked != was {
		t.Errorf("%d requests were sent for files that are not written", asked-was)
	}
}
