package reports

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// eachCause calls do for every cause of the table.
func eachCause(do func(diagnose.Known)) {
	for _, f := range diagnose.Families {
		for _, k := range f.Causes {
			do(k)
		}
	}
}

// An edge of another make, or an app of an unknown language, is given the default in
// words, and never another product's.
func TestFixesOfStrangers(t *testing.T) {
	for _, tt := range []struct{ got, want, never string }{
		{fixAtEdge(diagnose.EdgeIdle, "Kong"), "raise the proxy's idle timeout", "proxy_read_timeout"},
		{fixAtEdge(diagnose.EdgeIdle, record.EdgeHAProxy), "timeout server 1h", "proxy_read_timeout"},
		{fixAtEdge(diagnose.EdgeUnbuffered, record.EdgeCaddy), "flush_interval -1", "proxy_buffering"},
		{fixAtEdge(diagnose.EdgeDeadline, record.EdgeEnvoy), "timeout: 0s", "raise or switch off"},
		{fixInApp(diagnose.AppHeartbeat, diagnose.Python), "asyncio.wait_for", "setInterval"},
		{fixInApp(diagnose.AppHeartbeat, diagnose.AnyLanguage), "\": ping\"", "asyncio"},
		{fixInApp(diagnose.AppDeadline, diagnose.Java), "SseEmitter(0L)", "gunicorn"},
		{fixInApp(diagnose.AppRaised, "COBOL"), "catch errors while streaming", "except "},
		{fixInApp(diagnose.AppRaised, diagnose.Ruby), "rescue", "recover()"},
	} {
		if !strings.Contains(tt.got, tt.want) || strings.Contains(tt.got, tt.never) {
			t.Errorf("%q lacks %q, or says %q", tt.got, tt.want, tt.never)
		}
	}
}

// pastedFixes are those of the edge with code to paste.
func pastedFixes() map[diagnose.Remedy]edgeFix {
	all := maps.Clone(edgeFixes)
	delete(all, diagnose.EdgeCutter) // says where to look
	return all
}

// Every cause says what to do for every product and every language: something of
// theirs, or the default in words. A cause without a remedy is one of those about
// which its rule says it.
func TestFixesAreComplete(t *testing.T) {
	eachCause(func(k diagnose.Known) {
		edge, app := k.Remedies()
		for _, p := range append(record.EdgeProducts, record.EdgeUnknown) {
			if edge != "" && edgeFixes[edge][p] == "" {
				t.Errorf("%s: nothing to do at %s", k.Name, p)
			}
		}
		for _, l := range append(diagnose.Languages, diagnose.AnyLanguage) {
			if app != "" && appFixes[app][l] == "" {
				t.Errorf("%s: nothing to do in %q", k.Name, l)
			}
		}
	})
}

// A checker puts a snippet into a whole configuration and has the product read it.
type checker struct {
	product  record.EdgeProduct
	programs []string
	file     string
	args     []string // "{}" is the file
	wrap     func(topic diagnose.Remedy, snippet string) string
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

var checkers = []checker{
	{record.EdgeNginx, []string{"nginx", "/usr/sbin/nginx"}, "nginx.conf", []string{"-t", "-q", "-c", "{}", "-e", "stderr"}, func(topic diagnose.Remedy, s string) string {
		events, server := "events {}", "server { listen 127.0.0.1:1; location /stream { proxy_pass http://app; "+s+" } }"
		switch topic {
		case diagnose.EdgeConnections:
			events, server = s, ""
		case diagnose.EdgeReload:
			events, server = events+" "+s, ""
		case diagnose.EdgeMarkDown:
			return "pid PID; events {} http { access_log off; upstream app { " + strings.ReplaceAll(s, "app:8000", "127.0.0.1:2") + " } }"
		}
		return "pid PID; " + events + " http { access_log off; upstream app { server 127.0.0.1:2; } " + server + " }"
	}},
	{record.EdgeHAProxy, []string{"haproxy", "/usr/sbin/haproxy"}, "haproxy.cfg", []string{"-c", "-q", "-f", "{}"}, func(topic diagnose.Remedy, s string) string {
		global, backend := "", s
		if topic == diagnose.EdgeReload || topic == diagnose.EdgeConnections {
			global, backend = s, ""
		}
		return "global\n  " + global + "\ndefaults\n  mode http\n  timeout client 1m\n  timeout connect 1s\n  timeout server 1m\nfrontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  " +
			backend + "\n  server s 127.0.0.1:2\n"
	}},
	{record.EdgeCaddy, []string{"caddy"}, "Caddyfile", []string{"adapt", "--validate", "--adapter", "caddyfile", "--config", "{}"}, func(topic diagnose.Remedy, s string) string {
		s = strings.ReplaceAll(s, "app:8000", "127.0.0.1:2")
		if topic == diagnose.EdgeDeadline || topic == diagnose.EdgeReload {
			return "{\n auto_https off\n" + s + "\n}\nhttp://127.0.0.1:1 {\n respond ok\n}\n"
		}
		return "{\n auto_https off\n}\nhttp://127.0.0.1:1 {\n" + s + "\n}\n"
	}},
	{record.EdgeApache, []string{"apache2", "/usr/sbin/apache2"}, "apache.conf", []string{"-t", "-f", "{}"}, func(_ diagnose.Remedy, s string) string {
		load := ""
		for _, m := range []string{"mpm_event", "proxy", "proxy_http", "env", "setenvif", "authz_core"} {
			load += fmt.Sprintf("LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
		}
		return load + "ServerName localhost\nServerRoot /tmp\nPidFile PID\nErrorLog /dev/null\nListen 127.0.0.1:1\n" + strings.ReplaceAll(s, "app:8000", "127.0.0.1:2") + "\n"
	}},
	{record.EdgeLighttpd, []string{"lighttpd", "/usr/sbin/lighttpd"}, "lighttpd.conf", []string{"-tt", "-f", "{}"}, func(_ diagnose.Remedy, s string) string {
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
			for topic, fixes := range pastedFixes() {
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
	for topic, fixes := range pastedFixes() {
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
var compilers = map[diagnose.Language]struct {
	program, file string
	args          []string // "{}" is the file
	wrap          func(string) string
}{
	diagnose.Python: {"python3", "snippet.py", []string{"-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", "{}"}, func(s string) string {
		return "async def f():\n    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
	}},
	diagnose.Golang: {"gofmt", "snippet.go", []string{"-e", "{}"}, func(s string) string { return "package p\nfunc f() {\n" + s + "\n}\n" }},
	diagnose.Node:   {"node", "snippet.js", []string{"--check", "{}"}, func(s string) string { return "async function f() {\n" + s + "\n}\n" }},
	diagnose.PHP:    {"php", "snippet.php", []string{"-l", "{}"}, func(s string) string { return "<?php\n" + s + "\n" }},
	diagnose.Ruby:   {"ruby", "snippet.rb", []string{"-c", "{}"}, func(s string) string { return s + "\n" }},
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
			for name, fixes := range appFixes {
				s := snippet(fixes[lang])
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
					t.Errorf("%s: %v\n%s\n%s", name, err, s, out)
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
	for topic, fixes := range edgeFixes {
		for p, fix := range fixes {
			check(string(topic)+" at "+p.String(), fix)
		}
	}
	for name, fixes := range appFixes {
		for l, fix := range fixes {
			check(string(name)+" in "+string(l), fix)
		}
	}
}
