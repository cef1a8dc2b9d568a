package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/stack/settings"
)

func conf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nginx.conf")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

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
			got, err := settings.Nginx(conf(t, tc.text), tc.version, tc.path)
			if err != nil {
				t.Fatal(err)
			}
			for k, want := range tc.want {
				if got[k] != want {
					t.Errorf("%s = %q, want %q", k, got[k], want)
				}
			}
		})
	}
}

func TestNginxFollowsIncludes(t *testing.T) {
	path := conf(t, "events{} http { include more.conf; }")
	more := "server { location / { proxy_pass http://a:1; proxy_read_timeout 9s; } }"
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "more.conf"), []byte(more), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := settings.Nginx(path, "1.22.1", "/")
	if err != nil || got["proxy_read_timeout"] != "9s" {
		t.Errorf("proxy_read_timeout = %q (%v), want that of the included file", got["proxy_read_timeout"], err)
	}
}

func TestNginxThatDoesNotParse(t *testing.T) {
	_, err := settings.Nginx(conf(t, "events {\n  worker_connections 8\n"), "", "/")
	if err == nil || !strings.Contains(err.Error(), "nginx.conf") {
		t.Errorf("error %v does not name the file", err)
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
		{"sh -c 'exec gunicorn -c gunicorn.conf.py -t 5 main:app'", "gunicorn", map[string]string{"config": "gunicorn.conf.py", "timeout": "5"}},
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
