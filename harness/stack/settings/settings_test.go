package settings_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/stack/settings"
)

const layered = `
events {}
http {
    proxy_read_timeout 20s;
    gzip on;
    upstream app { server 127.0.0.1:1; keepalive 8; }
    server {
        listen 80;
        proxy_send_timeout 7s;
        location / { proxy_pass http://other; }
        location /chat {
            proxy_read_timeout 5s;
            gzip off;
            location /chat/stream { proxy_pass http://app; proxy_buffering off; proxy_http_version 1.1; }
        }
        location /static { root /srv; }
        location = /exact { proxy_pass http://app/x; proxy_read_timeout 1h; }
    }
}
`

func TestNginx(t *testing.T) {
	for _, tc := range []struct {
		name, text, version, path string
		want                      map[string]string
	}{
		{"innermost wins", layered, "1.22.1", "/chat/stream?q=1", map[string]string{"proxy_read_timeout": "5s",
			"proxy_send_timeout": "7s", "gzip": "off", "proxy_buffering": "off", "proxy_http_version": "1.1", "keepalive": "8",
			"send_timeout": "60s"}},
		{"another location", layered, "1.22.1", "/v1", map[string]string{"proxy_read_timeout": "20s", "gzip": "on",
			"proxy_buffering": "on", "proxy_http_version": "1.0", "keepalive": "off"}},
		{"exact before prefix", layered, "1.22.1", "/exact", map[string]string{"proxy_read_timeout": "1h", "keepalive": "8"}},
		{"old default", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.29.6", "/",
			map[string]string{
				"proxy_http_version": "1.0", "keepalive": "off", "proxy_read_timeout": "60s"}},
		{"new default", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.29.7", "/",
			map[string]string{
				"proxy_http_version": "1.1", "keepalive": "32"}},
		{"next release", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.30.0", "/",
			map[string]string{"proxy_http_version": "1.1"}},
		{"nothing passed on", "worker_shutdown_timeout 10s; events{} http { send_timeout 2s; }", "", "/", map[string]string{
			"send_timeout": "2s", "worker_shutdown_timeout": "10s", "proxy_http_version": "1.0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := settings.Nginx("nginx.conf", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			got := c.For(tc.version, tc.path)
			for k, want := range tc.want {
				if got[k] != want {
					t.Errorf("%s = %q, want %q", k, got[k], want)
				}
			}
		})
	}
}

// What a file includes lies elsewhere, and is nobody's error here.
func TestNginxLeavesIncludes(t *testing.T) {
	c, err := settings.Nginx("nginx.conf", []byte("events{} http { include more.conf; }"))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.For("1.22.1", "/")["proxy_read_timeout"]; got != "60s" {
		t.Errorf("proxy_read_timeout = %q, want nginx's own default", got)
	}
}

// TestNginxLeadsOn reads where a configuration listens and where it leads.
func TestNginxLeadsOn(t *testing.T) {
	for _, tc := range []struct {
		name, text, path string
		port             int
		daemon           bool
		upstreams        []string
	}{
		{"groups", layered, "/chat/stream", 80, false, []string{"127.0.0.1:1"}},
		{"an address", layered, "/v1", 80, false, []string{"other"}},
		{"with a path", layered, "/exact", 80, false, []string{"127.0.0.1:1"}},
		{"several", "daemon off; http { upstream a { server x:1; server y:2 resolve; } server { listen 443 ssl; listen " +
			"[::]:81; location / { proxy_pass http://a/; } } }",
			"/", 81, true, []string{"x:1", "y:2 resolve"}},
		{"a variable", "http { server { listen 8080; set $b app; location / { proxy_pass http://$b:8000; } } }", "/", 8080,
			false, []string{"app:8000"}},
		{"nothing", "http { server { listen unix:/s; root /srv; } }", "/", 80, false, nil},
	} {
		c, err := settings.Nginx("nginx.conf", []byte(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		if c.Port() != tc.port || c.Daemon() != tc.daemon || !slices.Equal(c.Upstreams(tc.path), tc.upstreams) {
			t.Errorf("%s: port %d, daemon %t, upstreams %q; want %d, %t, %q", tc.name, c.Port(), c.Daemon(),
				c.Upstreams(tc.path), tc.port, tc.daemon, tc.upstreams)
		}
	}
}

func TestNginxPort(t *testing.T) {
	for args, want := range map[string]int{"81": 81, "0.0.0.0:8081": 8081, "[::]:82 default_server": 82, "443 ssl": 9,
		"unix:/x": 9, "127.0.0.1": 80} {
		c, err := settings.Nginx("nginx.conf", []byte("http { server { listen "+args+"; listen 9; } }"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Port(); got != want {
			t.Errorf("listen %s, and 9: %d, want %d", args, got, want)
		}
	}
}

func TestNginxThatDoesNotParse(t *testing.T) {
	_, err := settings.Nginx("nginx.conf", []byte("events {\n  worker_connections 8\n"))
	if err == nil || !strings.Contains(err.Error(), "nginx.conf:") {
		t.Errorf("error %v does not name the file and line", err)
	}
}

func TestCommand(t *testing.T) {
	for _, tc := range []struct {
		line, name string
		want       map[string]string
	}{
		{"gunicorn main:app", "gunicorn", map[string]string{"timeout": "30", "graceful_timeout": "30",
			"worker_class": "sync"}},
		{"/usr/bin/python3 /usr/bin/gunicorn -k uvicorn.workers.UvicornWorker --timeout=3 -w4 main:app", "gunicorn",
			map[string]string{"worker_class": "uvicorn.workers.UvicornWorker", "timeout": "3", "workers": "4"}},
		{"sh -c 'exec gunicorn -c gunicorn.conf.py -t 5 main:app'", "gunicorn",
			map[string]string{"config": "gunicorn.conf.py", "timeout": "5", "worker_class": "", "workers": ""}},
		{"python3 -m uvicorn main:app --timeout-graceful-shutdown 2 --limit-concurrency 10", "uvicorn",
			map[string]string{"timeout_graceful_shutdown": "2", "limit_concurrency": "10", "timeout_keep_alive": "5"}},
		{`bash -lc "cd '/my app' && WEB=2 exec gunicorn --timeout '7' main:app"`, "gunicorn",
			map[string]string{"timeout": "7"}},
		{"gunicorn -c 'my conf.py' main:app", "gunicorn", map[string]string{"config": "my conf.py"}},
		// as /proc tells it, without its quotes
		{"sh -c 'gunicorn -t 5 main:app", "gunicorn", map[string]string{"timeout": "5"}},
		{"node server.js --timeout 3", "", nil},
	} {
		name, got := settings.Command(settings.Shell([]string{tc.line}))
		if name != tc.name {
			t.Errorf("%s: server %q, want %q", tc.line, name, tc.name)
		}
		for k, want := range tc.want {
			if got[k] != want {
				t.Errorf("%s: %s = %q, want %q", tc.line, k, got[k], want)
			}
		}
	}
}

// What a file and the environment say goes over gunicorn's defaults, and what they
// say in words that only Python understands is not known.
func TestGunicornsFile(t *testing.T) {
	files := map[string]string{
		"conf.py": "import os\nworker_class = os.getenv(\"WORKER_CLASS\", \"uvicorn.workers.UvicornWorker\")\n" +
			"workers = int(os.getenv('WEB', '2'))\ntimeout = 120  # seconds\ngraceful_timeout = 60 * 2\nerrorlog = '-'\n",
		"gunicorn.conf.py": "timeout = 7\nif True:\n    workers = 3\n",
		"star.py":          "from base import *\n",
	}
	read := func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
	for _, tc := range []struct {
		line string
		env  []string
		want map[string]string
	}{
		{"gunicorn -c conf.py app:app", nil, map[string]string{"worker_class": "uvicorn.workers.UvicornWorker",
			"workers": "2", "timeout": "120", "graceful_timeout": "", "keepalive": "2"}},
		{"gunicorn -c conf.py app:app", []string{"WEB=8", "WORKER_CLASS=gthread"},
			map[string]string{"worker_class": "gthread", "workers": "8"}},
		{"gunicorn -c conf.py -t 9 app:app", []string{"GUNICORN_CMD_ARGS=--timeout 8 --workers 5"},
			map[string]string{"timeout": "9", "workers": "5"}},
		{"gunicorn app:app", []string{"GUNICORN_CMD_ARGS=-k uvicorn.workers.UvicornWorker --workers 2 --timeout 120"},
			map[string]string{"worker_class": "uvicorn.workers.UvicornWorker", "workers": "2", "timeout": "120"}},
		{"gunicorn app:app", nil, map[string]string{"timeout": "7", "workers": "", "worker_class": "sync"}},
		{"gunicorn -c star.py app:app", nil, map[string]string{"timeout": "", "worker_class": ""}},
		{"gunicorn -c gone.py -w 3 app:app", nil, map[string]string{"timeout": "", "worker_class": "", "workers": "3"}},
		{"gunicorn -c python:conf app:app", nil, map[string]string{"timeout": ""}},
	} {
		_, got := settings.Place{Env: tc.env, Read: read}.Command(settings.Shell([]string{tc.line}))
		for k, want := range tc.want {
			if got[k] != want {
				t.Errorf("%s %v: %s = %q, want %q", tc.line, tc.env, k, got[k], want)
			}
		}
	}
}

// at is a configuration of one server at port 80.
func at(directives string) string {
	return "events {}\nhttp { server { listen 80; " + directives + " } }\n"
}

// TestNginxChooses holds the location that is read to the one that nginx takes.
func TestNginxChooses(t *testing.T) {
	for _, tc := range []struct {
		name, text, path string
		upstreams        []string
		anew             bool
		set              map[string]string
	}{
		{"the first expression that matches",
			at(`location ~ ^/adm { proxy_pass http://a:1; } location ~ ^/(api|ask) { proxy_pass http://b:2; ` +
				`proxy_read_timeout 50m; } location ~ ^/ask { proxy_pass http://c:3; }`),
			"/ask?q=1", []string{"b:2"}, false, map[string]string{"proxy_read_timeout": "50m"}},
		{"an expression before a longer prefix",
			at(`location /talk/live { proxy_pass http://a:1; } location ~* /LIVE$ { proxy_pass http://b:2; proxy_read_timeout 9s; }`),
			"/talk/live", []string{"b:2"}, false, map[string]string{"proxy_read_timeout": "9s"}},
		{"a prefix that keeps expressions away",
			at(`location ^~ /talk/ { proxy_pass http://a:1; } location ~ live$ { proxy_pass http://b:2; }`),
			"/talk/live", []string{"a:1"}, false, nil},
		{"^~ on a shorter prefix does not count",
			at(`location ^~ /t { proxy_pass http://a:1; } location /talk { proxy_pass http://c:3; } location ~ live$ { ` +
				`proxy_pass http://b:2; }`),
			"/talk/live", []string{"b:2"}, false, nil},
		{"exact before all", at(`location ~ . { proxy_pass http://b:2; } location = /talk { proxy_pass http://a:1; }`),
			"/talk", []string{"a:1"}, false, nil},
		{"an expression inside a prefix",
			at(`location /v1 { proxy_read_timeout 3s; location ~ /chat$ { proxy_pass http://in:1; } proxy_pass http://out:2; ` +
				`} location ~ /v1/chat { proxy_pass http://far:3; }`),
			"/v1/chat", []string{"in:1"}, false, map[string]string{"proxy_read_timeout": "3s"}},
		{"an expression outside of a prefix in a prefix",
			at(`location /v1 { location /v1/chat { proxy_pass http://in:1; } } location ~ chat$ { proxy_pass http://far:3; }`),
			"/v1/chat", []string{"far:3"}, false, nil},
		{"a named location", at(`root /srv; location / { try_files $uri $uri/ @back; } location @back { proxy_pass ` +
			`http://b:2; proxy_read_timeout 4s; }`),
			"/ask", []string{"b:2"}, false, map[string]string{"proxy_read_timeout": "4s"}},
		{"a fallback that is a path", at(`location / { try_files $uri /index.php?$args; } location ~ \.php$ { fastcgi_pass ` +
			`unix:/run/fpm.sock; fastcgi_read_timeout 6s; }`),
			"/ask", []string{"unix:"}, false, map[string]string{"fastcgi_read_timeout": "6s"}},
		{"the page of a status",
			at(`location / { error_page 418 = @live; return 418; } location @live { proxy_pass http://b:2; }`), "/ask",
			[]string{"b:2"}, false, nil},
		{"a rewrite that looks again", at(`location /old/ { rewrite ^/old/(.*)$ /new/$1 last; proxy_pass http://a:1; } ` +
			`location /new/chat { proxy_pass http://b:2; }`),
			"/old/chat", []string{"b:2"}, false, nil},
		{"a rewrite that stays", at(`location /old/ { rewrite ^/old/(.*)$ /new/$1 break; proxy_pass http://a:1; } location ` +
			`/new/ { proxy_pass http://b:2; }`),
			"/old/chat", []string{"a:1"}, false, nil},
		{"a rewrite of the server",
			at(`rewrite ^/v1/(.*) /$1; location /v1 { proxy_pass http://a:1; } location /chat { proxy_pass http://b:2; }`),
			"/v1/chat", []string{"b:2"}, false, nil},
		{"a variable of the location",
			at(`location / { set $to api:5001; proxy_pass http://$to$request_uri; proxy_read_timeout 8s; }`), "/chat",
			[]string{"api:5001"}, true, map[string]string{"proxy_read_timeout": "8s"}},
		{"a variable of the server", at(`set $to http://api:5001; location / { proxy_pass $to; }`), "/chat",
			[]string{"api:5001"}, true, nil},
		{"what an expression caught", at(`location ~ ^/(?<svc>\w+)/ { proxy_pass http://$svc:80; }`), "/talk/live",
			[]string{"talk:80"}, true, nil},
		{"a variable that is a group", "http { upstream ${x} { server no:1; } upstream pool { server p:1; server q:2; " +
			"keepalive 9; } server { listen 80; location / { set $to pool; proxy_pass http://$to; } } }",
			"/", []string{"p:1", "q:2"}, false, map[string]string{"keepalive": "9"}},
		{"a map", "http { map $uri $to { default a:1; /chat c:3; ~^/v1/ b:2; } server { listen 80; location / { proxy_pass " +
			"http://$to; } } }", "/v1/x", []string{"b:2"}, true, nil},
		{"a map of the text itself", "http { map $uri $to { ~^/c b:2; /chat c:3; default a:1; } server { listen 80; " +
			"location / { proxy_pass http://$to; } } }", "/chat", []string{"c:3"}, true, nil},
		{"the default of a map", "http { map $arg_tier $to { default a:1; gold g:9; } server { listen 80; location / { " +
			"proxy_pass http://$to; } } }", "/?tier=x", []string{"a:1"}, true, nil},
		{"a map of what only a request tells", "http { map $http_x_tier $to { default a:1; } server { listen 80; location " +
			"/ { proxy_pass http://$to; } } }", "/", []string{"$to"}, true, nil},
		{"passed on by an if",
			at(`location / { proxy_read_timeout 13s; if ($request_method = POST) { proxy_pass http://b:2; } }`), "/ask",
			[]string{"b:2"}, false, map[string]string{"proxy_read_timeout": "13s"}},
		{"an if that does not hold",
			at(`location / { if ($uri = /other) { proxy_pass http://b:2; } proxy_pass http://a:1; }`), "/ask", []string{"a:1"},
			false, nil},
		{"the default server", "http { server { listen 80; server_name a.example; location / { proxy_pass http://a:1; } } " +
			"server { listen 80 default_server; location / { proxy_pass http://b:2; proxy_read_timeout 2h; } } }",
			"/", []string{"b:2"}, false, map[string]string{"proxy_read_timeout": "2h"}},
		{"a server of another port", "http { server { listen 80; location / { proxy_pass http://a:1; } } server { listen " +
			"81; location /longer { proxy_pass http://b:2; } } }", "/longer", []string{"a:1"}, false, nil},
		{"fastcgi", at(`fastcgi_read_timeout 11s; location / { fastcgi_pass php:9000; }`), "/chat", []string{"php:9000"},
			false, map[string]string{"fastcgi_read_timeout": "11s", "fastcgi_buffering": "on", "proxy_read_timeout": "",
				"proxy_http_version": ""}},
		{"uwsgi", at(`location / { uwsgi_pass app:3031; uwsgi_buffering off; }`), "/chat", []string{"app:3031"}, false,
			map[string]string{"uwsgi_read_timeout": "60s", "uwsgi_buffering": "off"}},
		{"gRPC", at(`location / { grpc_pass grpc://app:50051; grpc_read_timeout 1d; }`), "/pkg.Chat/Ask",
			[]string{"app:50051"}, false, map[string]string{"grpc_read_timeout": "1d", "grpc_buffering": ""}},
		{"the last slash", at(`location / { proxy_pass http://a:1; } location /chat/ { proxy_pass http://b:2; }`), "/chat",
			[]string{"b:2"}, false, nil},
		{"no slash where it is a path", at(`location / { proxy_pass http://a:1; } location /chat/ { root /srv; }`), "/chat",
			[]string{"a:1"}, false, nil},
		{"an escaped path", at(`location "/my chat" { proxy_pass http://b:2; }`), "/my%20chat", []string{"b:2"}, false, nil},
		{"files alone", at(`location / { root /srv; }`), "/chat", nil, false, map[string]string{"proxy_read_timeout": "60s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := settings.Nginx("nginx.conf", []byte(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if why := c.Unknown(tc.path); why != "" {
				t.Fatalf("unknown: %s", why)
			}
			protocol := map[string]string{"fastcgi": "fastcgi", "a fallback that is a path": "fastcgi", "uwsgi": "uwsgi",
				"gRPC": "grpc", "files alone": ""}
			if want, told := protocol[tc.name]; c.Protocol(tc.path) != want && (told || c.Protocol(tc.path) != "proxy") {
				t.Errorf("protocol %q, want %q", c.Protocol(tc.path), want)
			}
			if got := c.Upstreams(tc.path); !slices.Equal(got, tc.upstreams) || c.Anew(tc.path) != tc.anew {
				t.Errorf("upstreams %q, anew %t; want %q, %t", got, c.Anew(tc.path), tc.upstreams, tc.anew)
			}
			got := c.For("1.22.1", tc.path)
			for k, want := range tc.set {
				if got[k] != want {
					t.Errorf("%s = %q, want %q", k, got[k], want)
				}
			}
		})
	}
}

// TestNginxChoosesByMethod: a request is served by what its own method leads to. nginx
// 1.22.1 was asked, and chose what is wanted here.
func TestNginxChoosesByMethod(t *testing.T) {
	const a, b, none = "a:1", "b:2", ""
	for name, tc := range map[string]struct {
		text, get, post string
		timeouts        [2]string // of GET and POST, where something is passed on
	}{
		"an if beside": {`location / { if ($request_method = POST) { proxy_pass http://b:2; } proxy_pass ` +
			`http://a:1; }`,
			a, b, [2]string{}},
		"an if alone": {`location / { if ($request_method = POST) { proxy_pass http://b:2; } }`,
			none, b, [2]string{}},
		"two ifs": {`location / { if ($request_method = POST) { proxy_pass http://b:2; } if ($request_method = GET) { ` +
			`proxy_pass http://a:1; } }`, a, b, [2]string{}},
		"any but": {`location / { if ($request_method != POST) { proxy_pass http://a:1; } proxy_pass http://b:2; }`,
			a, b, [2]string{}},
		"an expression": {`location / { if ($request_method ~* ^(post|put)$) { proxy_pass http://b:2; } proxy_pass http://a:1; }`,
			a, b, [2]string{}},
		"a variable set": {`location / { set $to a:1; if ($request_method = POST) { set $to b:2; } ` +
			`proxy_pass http://$to; }`,
			a, b,
			[2]string{}},
		"a status": {`location / { error_page 418 = @b; if ($request_method = POST) { return 418; } proxy_pass http://a:1; } ` +
			`location @b { proxy_pass http://b:2; proxy_read_timeout 9s; }`, a, b, [2]string{"60s", "9s"}},
		"refused": {`location / { if ($request_method = GET) { return 405; } proxy_pass http://b:2; }`,
			none, b, [2]string{}},
		"rewritten": {`location / { if ($request_method = POST) { rewrite ^ /b last; } proxy_pass http://a:1; } location /b { ` +
			`proxy_pass http://b:2; }`, a, b, [2]string{}},
		"limit_except": {`location / { proxy_pass http://a:1; limit_except GET { proxy_pass http://b:2; } }`,
			a, b, [2]string{}},
		"the other way": {`location / { proxy_pass http://b:2; limit_except POST PUT { proxy_pass http://a:1; } }`,
			a, b,
			[2]string{}},
		"limit_except inherits": {`location / { proxy_pass http://a:1; limit_except GET { allow all; } }`,
			a, a, [2]string{}},
		"limit_except denies": {`location / { proxy_pass http://a:1; limit_except GET { deny all; } }`,
			a, none, [2]string{}},
	} {
		for i, method := range []string{"GET", "POST"} {
			c, err := settings.Nginx("nginx.conf", []byte(at(tc.text)))
			if err != nil {
				t.Fatal(err)
			}
			c.Method = method
			want := []string{tc.get, tc.post}[i]
			if got := strings.Join(c.Upstreams("/chat"), " "); got != want || c.Unknown("/chat") != "" {
				t.Errorf("%s, %s: passed on to %q, want %q; unknown: %s", name, method, got, want, c.Unknown("/chat"))
			}
			if got, want := c.For("1.22.1", "/chat")["proxy_read_timeout"], tc.timeouts[i]; want != "" && got != want {
				t.Errorf("%s, %s: proxy_read_timeout %s, want %s", name, method, got, want)
			}
		}
	}
	c, err := settings.Nginx("nginx.conf", []byte("http { map $request_method $to { default a:1; POST b:2; } "+
		"server { listen 80; location / { proxy_pass http://$to; } } }"))
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]string{"GET": a, "POST": b, "": "$to"} {
		c.Method = method
		if got := strings.Join(c.Upstreams("/chat"), " "); got != want {
			t.Errorf("a map, %s: passed on to %q, want %q", method, got, want)
		}
	}
}

// What nginx decides by a request that there is not yet, or by what we do not read, is
// not told as a fact.
func TestNginxThatCannotBeTold(t *testing.T) {
	for name, text := range map[string]string{
		"an expression of PCRE's": at(`location / { proxy_pass http://a:1; } location ~ ^/(?!admin) { proxy_pass ` +
			`http://b:2; }`),
		"two conditions": at(`location / { if ($http_a) { proxy_pass http://a:1; } if ($http_b) { proxy_pass ` +
			`http://b:2; } }`),
		"a limit by a method that is not known": at(`location / { proxy_pass http://a:1; limit_except GET { proxy_pass ` +
			`http://b:2; } }`),
		"a rewrite by the request": at(`location / { rewrite ^ /$http_x_part last; }`),
		"a loop":                   at(`location / { rewrite ^(.*)$ /x$1 last; }`),
		"a name that is not there": at(`location / { try_files $uri @gone; }`),
	} {
		c, err := settings.Nginx("nginx.conf", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.For("1.22.1", "/chat"); len(got) != 1 || got["unknown"] == "" || len(c.Upstreams("/chat")) > 0 {
			t.Errorf("%s: %v, upstreams %v; want only why it is not known", name, got, c.Upstreams("/chat"))
		}
	}
}

// files writes a folder.
func files(t *testing.T, texts map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func nothing(string) (string, bool) { return "", false }

// A configuration of several files is one, and nginx reads it as one.
func TestNginxOfSeveralFiles(t *testing.T) {
	dir := files(t, map[string]string{
		"nginx.conf": "events {}\nhttp {\n  include mime.types;\n  include /etc/nginx/conf.d/*.conf;\n}\n",
		"conf.d/10-app.conf": "server { listen 8080; include snippets/stream.conf; location /chat { proxy_pass " +
			"http://app:8000; } }\n",
		"conf.d/20-else.conf": "server { listen 9090; location / { proxy_pass http://other:1; } }\n",
		"snippets/stream.conf": "proxy_buffering off;\nproxy_read_timeout 31m;\n" +
			"map_hash_bucket_size 128; add_header X-A \"a b; c\";\n",
	})
	c, err := settings.ReadNginx(filepath.Join(dir, "nginx.conf"), nothing)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as it is, and as nginx gets it
		got := c.For("1.22.1", "/chat")
		if got["proxy_read_timeout"] != "31m" || got["proxy_buffering"] != "off" || c.Port() != 8080 ||
			!slices.Equal(c.Upstreams("/chat"), []string{"app:8000"}) {
			t.Errorf("port %d, upstreams %v, %v", c.Port(), c.Upstreams("/chat"), got)
		}
		if text := string(c.Text); !strings.Contains(text, "include mime.types;") || strings.Contains(text, "conf.d") ||
			!strings.Contains(text, `"a b; c"`) {
			t.Fatalf("what nginx is to read:\n%s", text)
		}
		if c, err = settings.Nginx("nginx.conf", c.Text); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNginxIncludesThatFail(t *testing.T) {
	for name, tc := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"a loop": {map[string]string{"nginx.conf": "include nginx.conf;"}, "more than 10 deep"},
		"torn": {map[string]string{"nginx.conf": "events {}\nhttp { include a.conf; }",
			"a.conf": "server {\n  listen 80;\n"}, "a.conf:"},
		"no values": {map[string]string{"nginx.conf": "http { include a.conf; }", "a.conf": "server { listen ${WEB_PORT}; }"},
			"a.conf is a template, and its values are not known: WEB_PORT"},
	} {
		_, err := settings.ReadNginx(filepath.Join(files(t, tc.texts), "nginx.conf"), nothing)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

// A template says which values it lacks, and is read with those of the environment.
// nginx's own variables make none.
func TestNginxTemplate(t *testing.T) {
	dir := files(t, map[string]string{
		"nginx.conf.template": "worker_processes ${PROCS};\nevents {}\n" +
			"http { server { listen ${WEB_PORT}; location / { proxy_pass http://${host}; proxy_read_timeout ${READ}; }\n" +
			" ${MORE}\n} }\n",
		"plain.conf": "http { map $uri $UPSTREAM { default a:1; } server { listen 80; location / { proxy_pass " +
			"http://${UPSTREAM}; } } }\n",
	})
	path := filepath.Join(dir, "nginx.conf.template")
	var template *settings.Template
	if _, err := settings.ReadNginx(path, nothing); !errors.As(err, &template) ||
		!slices.Equal(template.Missing, []string{"PROCS", "WEB_PORT", "READ", "MORE"}) {
		t.Errorf("error %v", err)
	}
	values := map[string]string{"PROCS": "2", "WEB_PORT": "8088", "READ": "40s", "MORE": ""}
	c, err := settings.ReadNginx(path, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	if c.Port() != 8088 || c.For("", "/")["proxy_read_timeout"] != "40s" ||
		!strings.Contains(string(c.Text), "http://${host};") {
		t.Errorf("port %d\n%s", c.Port(), c.Text)
	}
	if c, err = settings.ReadNginx(filepath.Join(dir, "plain.conf"), nothing); err != nil ||
		!slices.Equal(c.Upstreams("/"), []string{"a:1"}) {
		t.Errorf("its own variable: %v", err)
	}
}
