package logline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// linesOf reads a sample. Those of Debian's packages come from runs of ours with
// the software's default log; of Envoy, Traefik and Kubernetes, which Debian does
// not have, they are written after its documentation.
func linesOf(t *testing.T, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimRight(string(b), "\n"), "\n")
}

// Each sample is recognised by its content alone: its name here says nothing.
func TestRecognise(t *testing.T) {
	for name, want := range map[string]struct {
		kind   Kind
		writer string
	}{
		"nginx-error-cut.log": {NginxError, "nginx"}, "nginx-error-stall.log": {NginxError, "nginx"},
		"haproxy-cut.log": {HAProxy, "HAProxy"}, "haproxy-syslog.log": {HAProxy, "HAProxy"},
		"caddy-cut.log": {Caddy, "Caddy"}, "caddy-error-cut.log": {Caddy, "Caddy"},
		"apache-error-stall.log": {ApacheError, "Apache"}, "lighttpd-error-stall.log": {LighttpdError, "lighttpd"},
		"varnishlog-stall.txt": {Varnish, "Varnish"}, "envoy.log": {Envoy, "Envoy"}, "envoy-json.log": {Envoy, "Envoy"},
		"traefik.log": {Traefik, "Traefik"}, "traefik-json.log": {Traefik, "Traefik"}, "uvicorn.log": {App, "uvicorn"},
		"gunicorn.log": {App, "gunicorn"}, "gthread.log": {App, "gunicorn"}, "hypercorn.log": {App, "hypercorn"},
		"puma.log": {App, "Puma"}, "node.log": {App, "Node.js"}, "java.log": {App, "JVM"}, "go.log": {App, "Go"},
		"php-fpm.log": {App, "PHP-FPM"}, "slog.log": {App, "slog"}, "zap.log": {App, "zap"}, "klog.log": {App, "klog"},
		"pino.log": {App, "pino"}, "kubernetes-events.json": {Kubernetes, ""}, "kubernetes-pod.json": {Kubernetes, ""},
		"nginx.conf": {NoLog, ""}, "compose.yaml": {NoLog, ""},
	} {
		got := Recognise("x", linesOf(t, name))
		if got.Kind != want.kind || want.writer != "" && got.Writer != want.writer || !got.Sure {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
}

// The common format is written by many; only the name of the file tells by whom,
// and a plain one belongs to nobody.
func TestCommonFormat(t *testing.T) {
	for file, names := range map[string]map[string]Kind{
		"nginx-access-cut.log": {"/var/log/nginx/access.log": NginxAccess, "access.log": Access,
			"/var/log/apache2/access.log": ApacheAccess},
		"gunicorn-access.log":     {"gunicorn-access.log": App, "access.log": Access},
		"apache-access-cut.log":   {"/var/log/apache2/access.log": ApacheAccess},
		"lighttpd-access-cut.log": {"/var/log/lighttpd/access.log": LighttpdAccess},
		"varnishncsa-cut.log":     {"/var/log/varnish/varnishncsa.log": Varnish},
	} {
		for name, want := range names {
			if got := Recognise(name, linesOf(t, file)); got.Kind != want {
				t.Errorf("%s as %s: %v, want %v", file, name, got.Kind, want)
			}
		}
	}
	if got := Recognise("app.log", nil); got.Kind != App || got.Sure {
		t.Errorf("an empty file is surely %v", got)
	}
}

func TestRequests(t *testing.T) {
	type want struct {
		line  int
		ended Ending
		flag  string
		took  time.Duration
		sent  int64
	}
	for name, tt := range map[string]struct {
		kind Kind
		want []want
	}{
		"haproxy-stall.log": {HAProxy, []want{{0, ServerSilent, "sD--", 2317 * time.Millisecond, 248}}},
		"haproxy-cut.log":   {HAProxy, []want{{0, ServerClosed, "SD--", 602 * time.Millisecond, 312}}},
		"haproxy-syslog.log": {HAProxy, []want{{0, ServerSilent, "sD--", 2317 * time.Millisecond, 248},
			{1, NoConnection, "SC--", 0, 217}, {2, ServerClosed, "SD", 602 * time.Millisecond, 312}}},
		"envoy.log": {Envoy, []want{{0, Deadline, "UT", 15001 * time.Millisecond, 312},
			{1, ServerClosed, "UC", 379 * time.Millisecond, 248}, {2, ServerSilent, "SI", 2379 * time.Millisecond, 248},
			{3, HeadSilent, "UT", 15 * time.Second, 24}, {4, Whole, "-", 1243 * time.Millisecond, 344},
			{5, ClientLeft, "DC", 812 * time.Millisecond, 104}}},
		"envoy-json.log": {Envoy, []want{{0, Deadline, "UMSDR", 15001 * time.Millisecond, 312}}},
		"traefik.log": {Traefik, []want{{0, NotTold, "", 1243 * time.Millisecond, 344},
			{1, ClientLeft, "", 602 * time.Millisecond, 21}}},
		"traefik-json.log":     {Traefik, []want{{0, NotTold, "", 1243 * time.Millisecond, 344}}},
		"nginx-access-cut.log": {NginxAccess, []want{{0, NotTold, "", Unknown, -2}}},
		"caddy-cut.log":        {Caddy, []want{{0, NotTold, "", -2, -2}}},
		"varnishncsa-cut.log":  {Varnish, []want{{0, NotTold, "", Unknown, -2}}},
	} {
		lines := linesOf(t, name)
		for _, w := range tt.want {
			r, ok := ParseAccess(tt.kind, lines[w.line])
			if !ok || r.Ended != w.ended || r.Flag != w.flag || w.took != -2 && r.Took != w.took || w.sent != -2 &&
				r.Sent != w.sent {
				t.Errorf("%s:%d: %+v, %v; want %+v", name, w.line+1, r, ok, w)
			}
			if ok && r.Status == 0 && name != "haproxy-syslog.log" {
				t.Errorf("%s:%d: no status", name, w.line+1)
			}
		}
	}
	if r, _ := ParseAccess(Caddy, linesOf(t, "caddy-cut.log")[0]); len(r.ID) < 16 || r.Took <= 0 || r.Path == "" {
		t.Errorf("Caddy: %+v", r)
	}
	if r, _ := ParseAccess(Envoy, linesOf(t, "envoy.log")[0]); r.ID != "070d1a89-4408-4d31-bd86-f6c40680fa1c" {
		t.Errorf("Envoy: %+v", r)
	}
	for _, line := range []string{"", "hello", `{"level":"info","msg":"x"}`, "INFO:     Started server process [1]"} {
		if r, ok := ParseAccess(Access, line); ok {
			t.Errorf("%q is a request: %+v", line, r)
		}
	}
}

func TestTraces(t *testing.T) {
	for name, want := range map[string]Trace{
		"uvicorn.log":   {Exception: "fapp.QuotaExceeded: tenant 3", Frame: "fapp.py:11 in gen", Language: "Python"},
		"gunicorn.log":  {Exception: "fapp.QuotaExceeded: tenant 3", Frame: "fapp.py:11 in gen", Language: "Python"},
		"gthread.log":   {Exception: "ValueError: tenant 3", Frame: "wapp.py:8 in gen", Language: "Python"},
		"hypercorn.log": {Exception: "fapp.QuotaExceeded: tenant 3", Frame: "fapp.py:11 in gen", Language: "Python"},
		"puma.log":      {Exception: "RuntimeError: tenant 6", Language: "Ruby"},
		"node.log": {Exception: "RangeError: tenant 3", Frame: "app.js:7 in Timeout.tick [as _onTimeout]",
			Language: "Node"},
		"java.log": {Exception: "java.lang.IllegalStateException: tenant 3", Frame: "App.java:8 in App.send",
			Language: "Java"},
		"go.log":      {Frame: "main.go:8 in main.chat", Language: "Go"},
		"php-fpm.log": {Exception: "LogicException: tenant 16402101", Frame: "chat.php:4", Language: "PHP"},
	} {
		lines := linesOf(t, name)
		got := Traces(len(lines), func(i int) string { return lines[i] })
		if len(got) == 0 {
			t.Errorf("%s: no traceback", name)
			continue
		}
		g := got[0]
		if want.Exception != "" && g.Exception != want.Exception || g.Frame != want.Frame || g.Language != want.Language ||
			!strings.Contains(lines[g.Says], strings.TrimPrefix(g.Exception, "panic: ")[:8]) {
			t.Errorf("%s: %+v, want %+v", name, g, want)
		}
	}
	for _, name := range []string{"nginx-error-cut.log", "haproxy-cut.log", "envoy.log", "slog.log", "nginx.conf"} {
		lines := linesOf(t, name)
		if got := Traces(len(lines), func(i int) string { return lines[i] }); len(got) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Tracebacks of one exception out of another, and of Ruby's own form.
func TestChainedTraces(t *testing.T) {
	for name, tt := range map[string]struct{ text, exception, frame string }{
		"Python": {"Traceback (most recent call last):\n  File \"/srv/a.py\", line 3, in f\n    g()\nKeyError: 'x'\n\n" +
			"During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n" +
			"  File \"/srv/b.py\", line 9, in h\n    raise Boom()\nerrors.Boom", "errors.Boom", "b.py:9 in h"},
		"Java": {"java.lang.RuntimeException: outer\n\tat com.acme.Chat.send(Chat.java:10)\n\t... 3 more\n" +
			"Caused by: com.acme.QuotaException: used up\n\tat java.base/java.util.List.of(List.java:1)\n" +
			"\tat com.acme.Quota.take(Quota.java:7)\n\t... 9 more", "com.acme.QuotaException: used up",
			"Quota.java:7 in Quota.take"},
		"Ruby": {"/srv/app.rb:12:in `each': tenant 3 (RuntimeError)\n" +
			"\tfrom /usr/lib/ruby/vendor_ruby/rack/body.rb:5:in `call'", "tenant 3 (RuntimeError)", "app.rb:12 in each"},
		"Go": {"panic: boom\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/chat/main.go:9 +0x1d\nexit status 2",
			"panic: boom", "main.go:9 in main.main"},
		"Node": {"Error: boom\n    at send (/srv/app/chat.js:9:11)\n" +
			"    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)", "Error: boom",
			"chat.js:9 in send"},
		"PHP": {"PHP Fatal error:  Uncaught RuntimeException: boom in /srv/chat.php:7\nStack trace:\n#0 {main}\n" +
			"  thrown in /srv/chat.php on line 7", "RuntimeException: boom", "chat.php:7"},
	} {
		lines := strings.Split(tt.text, "\n")
		got := Traces(len(lines), func(i int) string { return lines[i] })
		if len(got) != 1 || got[0].Exception != tt.exception || got[0].Frame != tt.frame {
			t.Errorf("%s: %+v, want %q at %q", name, got, tt.exception, tt.frame)
		}
	}
}

// The forms in which collectors, loggers and frameworks write tracebacks.
func TestWrittenTraces(t *testing.T) {
	python := []string{"Traceback (most recent call last):",
		`  File "/srv/a.py", line 3, in f`, "    g()", "ValueError: boom"}
	each := func(before string) string { return before + strings.Join(python, "\n"+before) }
	quoted := strings.ReplaceAll(strings.ReplaceAll(strings.Join(python, `\n`), `"`, `\"`), "\t", `\t`)
	var docker []string
	for _, s := range python {
		docker = append(docker, `{"log":"`+strings.ReplaceAll(s, `"`, `\"`)+
			`\n","stream":"stderr","time":"2026-11-25T07:56:02Z"}`)
	}
	for name, tt := range map[string]struct{ text, exception, frame string }{
		"docker compose":   {each("app-1  | "), "ValueError: boom", "a.py:3 in f"},
		"with stamps":      {each("app-1  | 2026-11-25T07:56:02.250000000Z "), "ValueError: boom", "a.py:3 in f"},
		"kubectl":          {each("2026-11-25T07:56:02.250000000Z "), "ValueError: boom", "a.py:3 in f"},
		"a runtime's file": {each("2026-11-25T07:56:02.250000000Z stderr F "), "ValueError: boom", "a.py:3 in f"},
		"journald":         {each("Nov 25 07:56:02 host chat[12]: "), "ValueError: boom", "a.py:3 in f"},
		"docker's file":    {strings.Join(docker, "\n"), "ValueError: boom", "a.py:3 in f"},
		"structlog": {`{"event":"failed","level":"error","exception":"` + quoted + `"}`,
			"ValueError: boom", "a.py:3 in f"},
		"logback": {`{"level":"ERROR","message":"failed","stack_trace":"com.acme.QuotaException: used up\n` +
			`\tat com.acme.Quota.take(Quota.java:7)\n"}`, "com.acme.QuotaException: used up", "Quota.java:7 in Quota.take"},
		"pino": {`{"level":50,"err":{"type":"Error","message":"boom","stack":"Error: boom\n` +
			`    at send (/srv/app/chat.js:9:11)"},"msg":"boom"}`, "Error: boom", "chat.js:9 in send"},
		"loguru": {"Traceback (most recent call last):\n\n  File \"/srv/a.py\", line 3, in f\n    g()\n    └ <function g>\n" +
			"\n> File \"/srv/b.py\", line 9, in g\n    1/0\n\nZeroDivisionError: division by zero",
			"ZeroDivisionError: division by zero", "b.py:9 in g"},
		"Rails": {"\nNoMethodError (undefined method `foo' for nil):\n  \napp/controllers/chat_controller.rb:5:in `index'",
			"NoMethodError: undefined method `foo' for nil", "chat_controller.rb:5 in index"},
		"no error": {`{"event":"again","level":"warning","exception":"` + quoted + `"}`, "", ""},
		"no trace": {`{"event":"a\nb","level":"error"}`, "", ""},
		"two":      {each("") + "\n\n" + strings.Join(python, "\n"), "ValueError: boom", "a.py:3 in f"},
	} {
		lines := strings.Split(tt.text, "\n")
		got := Traces(len(lines), func(i int) string { return lines[i] })
		if name == "two" && len(got) == 2 {
			got = got[1:]
		} else if name == "two" {
			t.Errorf("two tracebacks: %+v", got)
		}
		switch {
		case tt.exception == "" && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case tt.exception != "" && (len(got) != 1 || got[0].Exception != tt.exception || got[0].Frame != tt.frame):
			t.Errorf("%s: %+v, want %q at %q", name, got, tt.exception, tt.frame)
		}
	}
}

func TestKubernetes(t *testing.T) {
	for name, want := range map[string][]string{
		"kubernetes-events.json": {"Unhealthy", "Killing", "Evicted"},
		"kubernetes-pod.json":    {"OOMKilled"},
	} {
		facts, _, err := ReadKubernetes(strings.NewReader(strings.Join(linesOf(t, name), "\n")))
		if err != nil || len(facts) != len(want) {
			t.Fatalf("%s: %+v, %v", name, facts, err)
		}
		for i, f := range facts {
			if f.Reason != want[i] || f.Pod == "" || f.At.IsZero() {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
	// A watch that is still being written, objects one behind the other.
	stream := strings.Join(linesOf(t, "kubernetes-pod.json"), "\n")
	facts, _, err := ReadKubernetes(strings.NewReader(stream + "\n" + stream + "\n" + stream[:90]))
	if err != nil || len(facts) != 1 || facts[0].Code != 137 {
		t.Errorf("%+v, %v", facts, err)
	}
}
