package diagnose

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// causeNames are the constants of names.go.
func causeNames(t *testing.T) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			names[v.Names[0].Name] = strings.Trim(v.Values[0].(*ast.BasicLit).Value, `"`)
		}
		return true
	})
	return names
}

// Every cause says what to do for every product and every language: something of
// theirs, or the default in words. A cause without a remedy is one of those about
// which its rule says it.
func TestFixesAreComplete(t *testing.T) {
	for constant, name := range causeNames(t) {
		k, _ := Lookup(name)
		r := k.remedy
		for _, p := range append(record.EdgeProducts, record.EdgeUnknown) {
			if r.edge != nil && r.edge[p] == "" {
				t.Errorf("%s: nothing to do at %s", constant, p)
			}
		}
		for _, l := range append(languages, unknown) {
			if r.app != nil && r.app[l] == "" {
				t.Errorf("%s: nothing to do in %q", constant, l)
			}
		}
	}
}

// A finding at an edge of another make, or in an app of an unknown language, is
// given the default in words, and never another product's.
func TestFixesOfStrangers(t *testing.T) {
	for _, tt := range []struct {
		product record.EdgeProduct
		server  string
		cause   string
		layer   string
		want    []string
		never   []string
	}{
		{"Kong", "", ProxyReadTimeout, layerEdge, []string{"raise the proxy's idle timeout", "\": ping\""}, []string{"proxy_read_timeout"}},
		{record.EdgeHAProxy, "gunicorn", ProxyReadTimeout, layerEdge, []string{"timeout server 1h", "asyncio.wait_for"}, []string{"proxy_read_timeout"}},
		{record.EdgeCaddy, "", BufferedByEdge, layerEdge, []string{"flush_interval -1"}, []string{"proxy_buffering"}},
		{record.EdgeEnvoy, "", AbsoluteDeadline, layerEdge, []string{"timeout: 0s"}, []string{"gunicorn", "raise the total limit on one request"}},
		{record.EdgeEnvoy, "Jetty(11)", AbsoluteDeadline, layerApp, []string{"SseEmitter(0L)"}, []string{"timeout: 0s"}},
		{record.EdgeUnknown, "", AppError, layerApp, []string{"catch errors while streaming"}, []string{"except ", "recover()"}},
		{record.EdgeUnknown, "Phusion Passenger", AppError, layerApp, []string{"rescue"}, nil},
	} {
		v := &view{Scope: &verdict.Scope{Run: &record.Run{}, Scenario: &record.Scenario{}}, edge: edge{product: tt.product}}
		v.Streams = []verdict.Graded{{Stream: &record.Stream{Header: map[string]string{"Server": tt.server}}}}
		f := found(tt.cause, tt.layer, likely, nil)
		v.prescribe(f)
		for _, w := range tt.want {
			if !strings.Contains(f.Fix, w) {
				t.Errorf("%s at %s, %s: %q lacks %q", tt.cause, tt.product, tt.server, f.Fix, w)
			}
		}
		for _, n := range tt.never {
			if strings.Contains(f.Fix, n) {
				t.Errorf("%s at %s, %s: %q says %q", tt.cause, tt.product, tt.server, f.Fix, n)
			}
		}
	}
}

func TestLanguages(t *testing.T) {
	for _, tt := range []struct {
		fields        map[string]string
		process, line string
		app           string
		want          language
	}{
		{fields: map[string]string{"Server": "uvicorn"}, want: python},
		{fields: map[string]string{"Server": "nginx", "X-Powered-By": "Express"}, want: node},
		{fields: map[string]string{"X-Powered-By": "PHP/8.2.7"}, want: php},
		{fields: map[string]string{"Server": "Jetty(11.0.15)"}, want: java},
		{fields: map[string]string{"Server": "Apache-Coyote/1.1"}, want: java},
		{fields: map[string]string{"X-Runtime": "set"}, want: ruby},
		{process: "java", want: java}, {process: "puma 6.0.2", want: ruby}, {process: "php-fpm8.2", want: php}, {process: "node", want: node},
		{app: "go run ./server", want: golang}, {app: "java -jar app.jar", want: java}, {app: "bundle exec puma",
			want: ruby}, {app: "php -S 127.0.0.1:8000", want: php},
		{line: "Exception in thread \"pool-1\" java.io.IOException", want: java}, {line: "config.ru:12:in `each': app.rb:3: boom", want: ruby},
		{line: "panic serving 127.0.0.1:1", fields: map[string]string{"Server": "uvicorn"}, want: golang},
		{fields: map[string]string{"Server": "nginx/1.22.1"}, want: unknown}, {process: "haproxy", want: unknown},
	} {
		run := &record.Run{Plan: record.Plan{App: record.App{Kind: record.AppCommand, Name: tt.app}},
			Hops: []record.Hop{{Name: appHop, Process: tt.process}}}
		v := &view{Scope: &verdict.Scope{Run: run, Scenario: &record.Scenario{}}, logs: map[record.LogKind][]*record.Log{}}
		v.Streams = []verdict.Graded{{Stream: &record.Stream{Header: tt.fields}}}
		if tt.line != "" {
			v.logs[record.AppLog] = []*record.Log{{Lines: []record.Line{{Text: tt.line}}}}
		}
		if got := languageOf(v); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt, got, tt.want)
		}
	}
}

// A number that was met is a hint, within what timers are late by.
func TestKnownLimits(t *testing.T) {
	for _, tt := range []struct {
		kind  limitKind
		value float64
		want  string
	}{
		{limitTotal, 15.02, "Envoy"}, {limitTotal, 29.4, "API Gateway"}, {limitTotal, 30.9, "gunicorn"}, {limitTotal, 300.1, "Cloud Run"},
		{limitIdle, 60, "nginx"}, {limitIdle, 59.8, "nginx"}, {limitSize, 65536, "bufio.Scanner"}, {limitSize, 10 << 20, "API Gateway"},
		{limitTotal, 3, ""}, {limitTotal, 33, ""}, {limitIdle, 2, ""}, {limitSize, 12345, ""},
	} {
		got := known(tt.kind, tt.value)
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%v of %v: %q, want %q", tt.kind, tt.value, got, tt.want)
		}
	}
	for i, l := range limits {
		if l.whose == "" || l.source == "" || i > 0 && limits[i-1].kind == l.kind && limits[i-1].value > l.value {
			t.Errorf("limit %+v has no source or is out of order", l)
		}
	}
}

// A checker puts a snippet into a whole configuration and has the product read it.
type checker struct {
	product  record.EdgeProduct
	programs []string
	file     string
	args     []string // "{}" is the file
	wrap     func(topic, snippet string) string
}

// snippet is the code of a fix; "" where it is said in words alone.
func snippet(fix string) string {
	var lines []string
	for l := range strings.SplitSeq(fix, "\n") {
		if code, ok := strings.CutPrefix(l, codeIndent); ok {
			lines = append(lines, code)
		}
	}
	return strings.Join(lines, "\n")
}

var edgeTopics = map[string]edgeFix{"buffering": edgeUnbuffered, "compression": edgeUncompressed, "idle": edgeIdle, "deadline": edgeDeadline,
	"header": edgeHeader, "reload": edgeReload, "connections": edgeConnections, "honest": edgeHonest, "abort": edgeAbort, "cap": edgeCap}

var checkers = []checker{
	{record.EdgeNginx, []string{"nginx", "/usr/sbin/nginx"}, "nginx.conf", []string{"-t", "-q", "-c", "{}", "-e", "stderr"}, func(topic, s string) string {
		events, server := "events {}", "server { listen 127.0.0.1:1; location /stream { proxy_pass http://app; "+s+" } }"
		switch topic {
		case "connections":
			events, server = s, ""
		case "reload":
			events, server = events+" "+s, ""
		}
		return "pid PID; " + events + " http { access_log off; upstream app { server 127.0.0.1:2; } " + server + " }"
	}},
	{record.EdgeHAProxy, []string{"haproxy", "/usr/sbin/haproxy"}, "haproxy.cfg", []string{"-c", "-q", "-f", "{}"}, func(topic, s string) string {
		global, backend := "", s
		if topic == "reload" || topic == "connections" {
			global, backend = s, ""
		}
		return "global\n  " + global + "\ndefaults\n  mode http\n  timeout client 1m\n  timeout connect 1s\n  timeout server 1m\nfrontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  " +
			backend + "\n  server s 127.0.0.1:2\n"
	}},
	{record.EdgeCaddy, []string{"caddy"}, "Caddyfile", []string{"adapt", "--validate", "--adapter", "caddyfile", "--config", "{}"}, func(topic, s string) string {
		s = strings.ReplaceAll(s, "app:8000", "127.0.0.1:2")
		if topic == "deadline" || topic == "reload" {
			return "{\n auto_https off\n" + s + "\n}\nhttp://127.0.0.1:1 {\n respond ok\n}\n"
		}
		return "{\n auto_https off\n}\nhttp://127.0.0.1:1 {\n" + s + "\n}\n"
	}},
	{record.EdgeApache, []string{"apache2", "/usr/sbin/apache2"}, "apache.conf", []string{"-t", "-f", "{}"}, func(_, s string) string {
		load := ""
		for _, m := range []string{"mpm_event", "proxy", "proxy_http", "env", "setenvif", "authz_core"} {
			load += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
		}
		return load + "ServerName localhost\nServerRoot /tmp\nPidFile PID\nErrorLog /dev/null\nListen 127.0.0.1:1\n" + strings.ReplaceAll(s, "app:8000", "127.0.0.1:2") + "\n"
	}},
	{record.EdgeLighttpd, []string{"lighttpd", "/usr/sbin/lighttpd"}, "lighttpd.conf", []string{"-tt", "-f", "{}"}, func(_, s string) string {
		return "server.document-root = \"/tmp\"\nserver.port = 1\nserver.modules = ( \"mod_proxy\" )\n" + s + "\n"
	}},
}

// The snippets that are to be pasted are read by the products themselves, where
// they are installed.
func TestSnippetsParse(t *testing.T) {
	for _, c := range checkers {
		program := ""
		for _, p := range c.programs {
			if found, err := exec.LookPath(p); err == nil {
				program = found
				break
			}
		}
		t.Run(string(c.product), func(t *testing.T) {
			if program == "" {
				t.Skipf("%v: none of them is installed, so its snippets are not parsed; 'make setup' installs it", c.programs)
			}
			n := 0
			for topic, fixes := range edgeTopics {
				s := snippet(fixes[c.product])
				if s == "" {
					continue
				}
				n++
				dir := t.TempDir()
				file := filepath.Join(dir, c.file)
				text := strings.ReplaceAll(c.wrap(topic, s), "PID", filepath.Join(dir, "pid"))
				if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				args := make([]string, len(c.args))
				for i, a := range c.args {
					args[i] = strings.ReplaceAll(a, "{}", file)
				}
				if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
					t.Errorf("%s: %v\n%s\n%s", topic, err, text, out)
				}
			}
			if n < 3 {
				t.Errorf("only %d snippets were read", n)
			}
			t.Logf("%d snippets read by %s", n, program)
		})
	}
}

// What Envoy and Traefik read is YAML.
func TestSnippetsYAML(t *testing.T) {
	n := 0
	for topic, fixes := range edgeTopics {
		for _, p := range []record.EdgeProduct{record.EdgeEnvoy, record.EdgeTraefik} {
			s := snippet(fixes[p])
			if s == "" || strings.HasPrefix(s, "envoy ") { // a command line
				continue
			}
			var v map[string]any
			if err := yaml.Unmarshal([]byte(s), &v); err != nil || len(v) == 0 {
				t.Errorf("%s at %s: %v, %v\n%s", topic, p, v, err, s)
			}
			n++
		}
	}
	if n < 6 {
		t.Errorf("only %d snippets were read", n)
	}
}

// A compiler of a language reads a snippet from a file, and runs nothing.
var compilers = map[language]struct {
	program, file string
	args          []string // "{}" is the file
	wrap          func(string) string
}{
	python: {"python3", "snippet.py", []string{"-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", "{}"}, func(s string) string {
		return "async def f():\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
	}},
	golang: {"gofmt", "snippet.go", []string{"-e", "{}"}, func(s string) string { return "package p\nfunc f() {\n" + s + "\n}\n" }},
	node:   {"node", "snippet.js", []string{"--check", "{}"}, func(s string) string { return "async function f() {\n" + s + "\n}\n" }},
	php:    {"php", "snippet.php", []string{"-l", "{}"}, func(s string) string { return "<?php\n" + s + "\n" }},
	ruby:   {"ruby", "snippet.rb", []string{"-c", "{}"}, func(s string) string { return s + "\n" }},
}

// inConfiguration are snippets of a language that stand in a configuration file,
// or in a shell, and not in its code.
var inConfiguration = []string{"pm.", "zlib.", "exec "}

// The snippets for apps are read by their languages, where they are installed.
func TestSnippetsOfApps(t *testing.T) {
	for lang, c := range compilers {
		t.Run(string(lang), func(t *testing.T) {
			program, err := exec.LookPath(c.program)
			if err != nil {
				t.Skipf("%s is not installed, so its snippets are not parsed", c.program)
			}
			for _, f := range families {
				for _, k := range f.causes {
					s := snippet(k.remedy.app[lang])
					if s == "" || slices.ContainsFunc(inConfiguration, func(p string) bool { return strings.HasPrefix(s, p) }) {
						continue
					}
					file := filepath.Join(t.TempDir(), c.file)
					if err := os.WriteFile(file, []byte(c.wrap(s)), 0o644); err != nil {
						t.Fatal(err)
					}
					args := slices.Clone(c.args)
					args[slices.Index(args, "{}")] = file
					if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
						t.Errorf("%s: %v\n%s\n%s", k.Name, err, s, out)
					}
				}
			}
		})
	}
}

// Prose is not set as code, and code is not hidden in prose: a line of prose ends
// like a sentence or with a colon before the code, and a line of code is none.
func TestFixesTellCodeFromProse(t *testing.T) {
	check := func(where, fix string) {
		for l := range strings.SplitSeq(fix, "\n") {
			code, isCode := strings.CutPrefix(l, codeIndent)
			switch {
			case isCode && (strings.ContainsAny(code, "…") || strings.Contains(code, "; or ") || strings.Contains(code, "; and ")):
				if before, _, comment := strings.Cut(code, "   #"); !comment || strings.Contains(before, "; or ") || strings.Contains(before, "…") {
					t.Errorf("%s: prose is set as code: %s", where, code)
				}
			case !isCode && (strings.Contains(l, "   #") || strings.HasSuffix(l, ";") || strings.HasSuffix(l, "}")):
				t.Errorf("%s: code is set as prose: %s", where, l)
			}
		}
	}
	for topic, fixes := range edgeTopics {
		for p, fix := range fixes {
			check(topic+" at "+p.String(), fix)
		}
	}
	for _, f := range families {
		for _, k := range f.causes {
			for l, fix := range k.remedy.app {
				check(k.Name+" in "+string(l), fix)
			}
		}
	}
}
