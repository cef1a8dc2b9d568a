package settings_test

import (
	"io/fs"
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
		{"innermost wins", layered, "1.22.1", "/chat/stream?q=1", map[string]string{"proxy_read_timeout": "5s", "proxy_send_timeout": "7s",
			"gzip": "off", "proxy_buffering": "off", "proxy_http_version": "1.1", "keepalive": "8", "send_timeout": "60s"}},
		{"another location", layered, "1.22.1", "/v1", map[string]string{"proxy_read_timeout": "20s", "gzip": "on", "proxy_buffering": "on",
			"proxy_http_version": "1.0", "keepalive": "off"}},
		{"exact before prefix", layered, "1.22.1", "/exact", map[string]string{"proxy_read_timeout": "1h", "keepalive": "8"}},
		{"old default", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.29.6", "/", map[string]string{
			"proxy_http_version": "1.0", "keepalive": "off", "proxy_read_timeout": "60s"}},
		{"new default", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.29.7", "/", map[string]string{
			"proxy_http_version": "1.1", "keepalive": "32"}},
		{"next release", "events{} http { server { location / { proxy_pass http://a:1; } } }", "1.30.0", "/", map[string]string{"proxy_http_version": "1.1"}},
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
		{"several", "daemon off; http { upstream a { server x:1; server y:2 resolve; } server { listen 443 ssl; listen [::]:81; location / { proxy_pass http://a/; } } }",
			"/", 81, true, []string{"x:1", "y:2 resolve"}},
		{"a variable", "http { server { listen 8080; set $b app; location / { proxy_pass http://$b:8000; } } }", "/", 8080, false, []string{"$b:8000"}},
		{"nothing", "http { server { listen unix:/s; root /srv; } }", "/", 80, false, nil},
	} {
		c, err := settings.Nginx("nginx.conf", []byte(tc.text))
		if err != nil {
			t.Fatal(err)
		}
		if c.Port() != tc.port || c.Daemon() != tc.daemon || !slices.Equal(c.Upstreams(tc.path), tc.upstreams) {
			t.Errorf("%s: port %d, daemon %t, upstreams %q; want %d, %t, %q", tc.name, c.Port(), c.Daemon(), c.Upstreams(tc.path), tc.port, tc.daemon, tc.upstreams)
		}
	}
}

func TestNginxPort(t *testing.T) {
	for args, want := range map[string]int{"81": 81, "0.0.0.0:8081": 8081, "[::]:82 default_server": 82, "443 ssl": 9, "unix:/x": 9, "127.0.0.1": 80} {
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
		{"gunicorn main:app", "gunicorn", map[string]string{"timeout": "30", "graceful_timeout": "30", "worker_class": "sync"}},
		{"/usr/bin/python3 /usr/bin/gunicorn -k uvicorn.workers.UvicornWorker --timeout=3 -w4 main:app", "gunicorn",
			map[string]string{"worker_class": "uvicorn.workers.UvicornWorker", "timeout": "3", "workers": "4"}},
		{"sh -c 'exec gunicorn -c gunicorn.conf.py -t 5 main:app'", "gunicorn", map[string]string{"config": "gunicorn.conf.py", "timeout": "5", "worker_class": "", "workers": ""}},
		{"python3 -m uvicorn main:app --timeout-graceful-shutdown 2 --limit-concurrency 10", "uvicorn",
			map[string]string{"timeout_graceful_shutdown": "2", "limit_concurrency": "10", "timeout_keep_alive": "5"}},
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
		"conf.py":          "import os\nworker_class = os.getenv(\"WORKER_CLASS\", \"uvicorn.workers.UvicornWorker\")\nworkers = int(os.getenv('WEB', '2'))\ntimeout = 120  # seconds\ngraceful_timeout = 60 * 2\nerrorlog = '-'\n",
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
		{"gunicorn -c conf.py app:app", nil, map[string]string{"worker_class": "uvicorn.workers.UvicornWorker", "workers": "2", "timeout": "120", "graceful_timeout": "", "keepalive": "2"}},
		{"gunicorn -c conf.py app:app", []string{"WEB=8", "WORKER_CLASS=gthread"}, map[string]string{"worker_class": "gthread", "workers": "8"}},
		{"gunicorn -c conf.py -t 9 app:app", []string{"GUNICORN_CMD_ARGS=--timeout 8 --workers 5"}, map[string]string{"timeout": "9", "workers": "5"}},
		{"gunicorn app:app", []string{"GUNICORN_CMD_ARGS=-k uvicorn.workers.UvicornWorker --workers 2 --timeout 120"}, map[string]string{"worker_class": "uvicorn.workers.UvicornWorker", "workers": "2", "timeout": "120"}},
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
