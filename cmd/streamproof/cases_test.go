package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

// looped answers each path with a redirect to itself, as a router does that adds a slash
// behind a proxy which takes it away.
var looped = http.RedirectHandler("/walk/", http.StatusTemporaryRedirect)

// slashed redirects /walk to /walk/, where the answer is.
func slashed(answer http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/walk", http.RedirectHandler("/walk/", http.StatusTemporaryRedirect))
	mux.Handle("/walk/", answer)
	return mux
}

// What people reported of kinds of answers and configurations: each is judged rightly or
// refused in one line that names what is not read. The program runs as a process of its
// own.
func TestReportedKinds(t *testing.T) {
	t.Parallel()
	program := program(t)
	const plain, aws = "text/plain; charset=utf-8", "application/vnd.amazon.eventstream"
	lines := []string{"f:{\"messageId\":\"w\"}\n", "0:\"fern \"\n", "0:\"moss\"\n",
		"e:{\"finishReason\":\"stop\",\"usage\":{\"promptTokens\":4,\"completionTokens\":2},\"isContinued\":false}\n", "d:{\"finishReason\":\"stop\"}\n"}
	begun := messages(t, "messageStart {\"role\":\"assistant\"}\ncontentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"fern\"}}\n"+
		"contentBlockDelta {\"contentBlockIndex\":0,\"delta\":{\"text\":\"moss\"}}\n")
	ended := messages(t, "contentBlockStop {\"contentBlockIndex\":0}\nmessageStop {\"stopReason\":\"end_turn\"}\n")
	throttled := messages(t, "!throttlingException {\"message\":\"too many walkers\"}\n")
	whole := says{"text/event-stream", []string{chat(`"delta":{"content":"fern"}`), chat(`"delta":{"content":"moss"}`), chat(`"delta":{},"finish_reason":"stop"`), "data: [DONE]\n\n"}}
	for _, tt := range []struct {
		name   string
		answer http.Handler
		args   []string
		secure bool
		code   int
		want   []string
	}{
		{"Vercel's lines", says{plain, lines}, nil, false, exitPass, []string{"recognised: vercel-ui", "7 complete"}},
		{"Vercel's lines, cut", says{plain, lines[:3]}, nil, false, exitFail, []string{"recognised: vercel-ui", "7 truncated"}},
		{"Vercel's lines, with an error", says{plain, append(lines[:3:3], "3:\"the bog burst\"\n")}, nil, false, exitFail,
			[]string{"recognised: vercel-ui", "7 failed cleanly", "in-band error: the bog burst"}},
		{"AWS event stream", says{aws, []string{begun, ended}}, nil, false, exitPass, []string{"recognised: bedrock-eventstream", "7 complete"}},
		{"AWS event stream, cut in a message", says{aws, []string{begun, ended[:len(ended)-3]}}, nil, false, exitFail,
			[]string{"recognised: bedrock-eventstream", "7 truncated", "cut inside a frame"}},
		{"AWS event stream, with an exception", says{aws, []string{begun, throttled}}, nil, false, exitFail,
			[]string{"recognised: bedrock-eventstream", "7 failed cleanly", "in-band error: too many walkers"}},
		{"a redirect that adds a slash", slashed(whole), nil, false, exitPass, []string{"recognised: openai-chat", "7 complete"}},
		{"a redirect to itself", looped, nil, false, exitUsage, []string{"307 Temporary Redirect to /walk/", "ask there: http://127.0.0.1:"}},
		{"a certificate that nobody vouches for", whole, nil, true, exitUsage, []string{"is not trusted", "--cacert FILE", "--insecure"}},
		{"any certificate", whole, []string{"--insecure"}, true, exitPass, []string{"recognised: openai-chat", "7 complete"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(tt.answer)
			if tt.secure {
				srv.Config.ErrorLog = log.New(io.Discard, "", 0)
				srv.StartTLS()
			} else {
				srv.Start()
			}
			defer srv.Close()
			args := append([]string{"run", srv.URL + "/walk", "--streams", "6", "-o", "run"}, tt.args...)
			out, code := invoke(t, program, t.TempDir(), "", args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, w := range tt.want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is not said", w)
				}
			}
			if code == exitUsage && strings.Count(out, "streamproof: ") != 1 {
				t.Error("it is not one line")
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}

// A compose file or an nginx.conf that cannot be read as its own program reads it is
// refused with its place, before anything is started.
func TestReportedFiles(t *testing.T) {
	t.Parallel()
	program := program(t)
	const conf = "events {}\nhttp {\n  server {\n    listen %s;\n    location / { proxy_pass http://app:8000; proxy_read_timeout ${READ}; }\n  }\n}\n"
	for _, tt := range []struct {
		name, compose, nginx string
		want                 []string
	}{
		{"a variable that is required", "services: {web: {image: a, environment: {KEY: '${FERN_KEY:?set FERN_KEY in .env}'}}}", "",
			[]string{"services.web.environment.KEY", "set FERN_KEY in .env"}},
		{"two limits that differ", "services: {web: {image: a, cpus: '1.5', deploy: {resources: {limits: {cpus: '1'}}}}}", "",
			[]string{"services.web", "deploy.resources.limits.cpus"}},
		{"an env file that is not there", "services: {web: {image: a, env_file: [{path: fern.env}]}}", "", []string{"fern.env"}},
		{"a key that is not carried over", "services: {web: {image: a, network_mode: host}}", "", []string{"services.web.network_mode"}},
		{"a volume from outside", "services: {web: {image: a, volumes: ['vol:/v']}}\nvolumes: {vol: {external: true}}", "",
			[]string{"volumes.vol.external", "take external out for this test"}},
		{"a secret whose file is not there", "services: {web: {image: a, secrets: [s]}}\nsecrets: {s: {file: fern.key}}", "",
			[]string{"services.web: secret s", "fern.key"}},
		{"an include that is not there", "include: [fern.yml]\nservices: {web: {image: a}}", "", []string{"fern.yml"}},
		{"an app behind FastCGI", "services: {web: {image: a}}", "events {}\nhttp {\n  server {\n    listen 80;\n    location / { " +
			"fastcgi_pass web:9000; fastcgi_read_timeout 11s; }\n  }\n}\n", []string{"nginx.conf passes / on by fastcgi_pass", "--url"}},
		{"an app behind uWSGI", "services: {web: {image: a}}", "events {}\nhttp {\n  server {\n    listen 80;\n    location / { " +
			"uwsgi_pass web:3031; uwsgi_buffering off; }\n  }\n}\n", []string{"nginx.conf passes / on by uwsgi_pass", "--url"}},
		{"a template", "services: {web: {image: a}}", fmt.Sprintf(conf, "${WEB_PORT}"), []string{"is a template", "WEB_PORT, READ", "name the rendered file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write := func(name, text string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			file := "app: {compose: compose.yml, service: web, health: /healthz}\nstream: {dialect: openai-chat}\nscenarios: [control]\n"
			write("compose.yml", tt.compose)
			if tt.nginx != "" {
				write("nginx.conf", tt.nginx)
				file += "edge: {nginx_conf: nginx.conf}\n"
			}
			write("streamproof.yaml", file)
			cmd := exec.CommandContext(t.Context(), program, "run", "-f", "streamproof.yaml", "-o", "run")
			cmd.Dir, cmd.Env = dir, append(os.Environ(), "NO_COLOR=1", "DOCKER_HOST=unix:///nowhere.sock")
			out, _ := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != exitUsage || strings.Count(string(out), "streamproof: ") != 1 {
				t.Errorf("%v\n%s", cmd.ProcessState, out)
			}
			for _, w := range append(tt.want, "streamproof.yaml:") {
				if !strings.Contains(string(out), w) {
					t.Errorf("%q is not said:\n%s", w, out)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "run")); err == nil {
				t.Error("a run was begun")
			}
		})
	}
}

// Keys of a compose file that are left out are said in a line for each reason, beside what
// Compose itself warns of.
func TestComposeWarningsAreWorded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "compose.yml")
	text := "services: {web: {image: a, environment: {A: '${NO_FERN}'}, ports: ['1:2', '3:4'], restart: always}}"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := composeWarnings(t.Context(), stack.Compose{File: file, Service: "web"})
	for i, want := range []string{"NO_FERN", "services.web.restart: ",
		"services.web.ports[0].published, services.web.ports[1].published: "} {
		if len(got) != 3 || !strings.Contains(got[i], want) {
			t.Errorf("warnings %q, want %q", got, want)
		}
	}
}
