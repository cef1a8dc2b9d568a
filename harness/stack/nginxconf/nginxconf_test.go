package nginxconf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// base is a configuration whose paths lie in dir.
func base(dir string, form stack.EdgeForm) Config {
	return Config{
		Edge:   stack.Edge{Form: form},
		Listen: "127.0.0.1:18080",
		Upstreams: []Upstream{
			{Main: "127.0.0.1:19001", Control: "127.0.0.1:19002"},
			{Main: "127.0.0.1:19003", Control: "127.0.0.1:19004"},
		},
		AccessLog: filepath.Join(dir, "access.log"), ErrorLog: filepath.Join(dir, "error.log"),
		Pid: filepath.Join(dir, "nginx.pid"), Temp: dir,
	}
}

func TestFormsDifferInWhatTheyStandFor(t *testing.T) {
	tests := []struct {
		form     stack.EdgeForm
		has, not []string
	}{
		{stack.EdgeStreaming, []string{"proxy_http_version 1.1;", "proxy_buffering off;"}, []string{"gzip", "1.0"}},
		{stack.EdgeDefault, []string{"proxy_http_version 1.0;"}, []string{"gzip", "proxy_buffering"}},
		{stack.EdgeGzip, []string{"proxy_http_version 1.0;", "gzip on;", "text/event-stream"}, []string{"proxy_buffering"}},
		{stack.EdgeHTTP10, []string{"proxy_http_version 1.0;", "proxy_buffering off;"}, []string{"gzip", "1.1"}},
		{stack.EdgeCache, []string{"proxy_http_version 1.1;", "proxy_cache streamproof;", "proxy_cache_path"},
			[]string{"gzip", "proxy_buffering"}},
	}
	for _, tt := range tests {
		t.Run(string(tt.form), func(t *testing.T) {
			b, err := base("tmp", tt.form).Render()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(tt.has, "info;", "$msec $http_x_request_id", "X-Streamproof-Upstream") {
				if !strings.Contains(string(b), want) {
					t.Errorf("lacks %q", want)
				}
			}
			for _, unwanted := range append(tt.not, "proxy_read_timeout") {
				if strings.Contains(string(b), unwanted) {
					t.Errorf("has %q", unwanted)
				}
			}
		})
	}
}

func TestReadTimeoutIsWrittenAndListed(t *testing.T) {
	c := base("tmp", stack.EdgeStreaming)
	if got := c.Settings()["proxy_read_timeout"]; got != "1m0s" {
		t.Errorf("default read timeout is listed as %q, want nginx's 1m0s", got)
	}
	c.ReadTimeout = 1500 * time.Millisecond
	b, err := c.Render()
	if err != nil || !strings.Contains(string(b), "proxy_read_timeout 1500ms;") {
		t.Errorf("Render() = %v, lacks proxy_read_timeout 1500ms:\n%s", err, b)
	}
	if got := c.Settings()["proxy_read_timeout"]; got != "1.5s" {
		t.Errorf("read timeout is listed as %q, want 1.5s", got)
	}
}

// Each setting is in the file where it belongs, and in the table of the report.
func TestSettingsAreWrittenAndListed(t *testing.T) {
	c := base("tmp", stack.EdgeStreaming)
	c.SendTimeout, c.ShutdownTimeout, c.KeepAlive, c.Conns = 1500*time.Millisecond, 2*time.Second, 4, 10
	b, err := c.Render()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"send_timeout 1500ms;", "sndbuf=16k;", "worker_shutdown_timeout 2000ms;", "keepalive 4;",
		"limit_conn streamproof_conns 10;", "limit_conn_status 429;"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("lacks %q:\n%s", want, b)
		}
	}
	got := c.Settings()
	for key, want := range map[string]string{"send_timeout": "1.5s", "worker_shutdown_timeout": "2s", "keepalive": "4",
		"limit_conn": "10"} {
		if got[key] != want {
			t.Errorf("%s is listed as %q, want %q", key, got[key], want)
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"unknown edge form": func(c *Config) { c.Form = "fancy" },
		"no upstream":       func(c *Config) { c.Upstreams = nil },
		"cannot be written": func(c *Config) { c.ErrorLog = `a"; include /etc/passwd;` },
	} {
		c := base("tmp", stack.EdgeDefault)
		spoil(&c)
		if _, err := c.Render(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("Render() = %v, want an error with %q", err, name)
		}
	}
}

// nginx itself is the judge of the syntax.
func TestNginxAcceptsEveryForm(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("no nginx on this host: its opinion of the file is not tested")
	}
	for _, form := range []stack.EdgeForm{stack.EdgeStreaming, stack.EdgeDefault, stack.EdgeGzip, stack.EdgeHTTP10,
		stack.EdgeCache} {
		dir := t.TempDir()
		c := base(dir, form)
		c.ReadTimeout, c.SendTimeout, c.ShutdownTimeout = time.Second, time.Second, time.Second
		c.KeepAlive, c.Conns = 4, 10
		b, err := c.Render()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "nginx.conf")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(nginx, "-t", "-p", dir, "-c", file).CombinedOutput(); err != nil {
			t.Errorf("nginx -t on form %s: %v\n%s", form, err, out)
		}
	}
}
