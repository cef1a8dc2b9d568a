package probe_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// An edgeUnderTest starts before an upstream and returns its URL.
type edgeUnderTest struct {
	name  string
	start func(t *testing.T, upstream string) string
}

var edges = []edgeUnderTest{
	{"nginx, its defaults", nginx(stack.EdgeDefault)},
	{"nginx, for streams", nginx(stack.EdgeStreaming)},
	{"haproxy", haproxy},
	{"apache", apache},
	{"go reverse proxy", reverseProxy},
	{"go, recover-all", recoverAll},
}

func nginx(form stack.EdgeForm) func(*testing.T, string) string {
	return func(t *testing.T, upstream string) string {
		dir, listen := t.TempDir(), freeAddr(t)
		c := nginxconf.Config{Edge: stack.Edge{Form: form}, Listen: listen, Temp: dir, Connections: 128,
			AccessLog: filepath.Join(dir, "access.log"), ErrorLog: filepath.Join(dir, "error.log"),
			Pid:       filepath.Join(dir, "pid"),
			Upstreams: []nginxconf.Upstream{{Main: upstream, Control: upstream}}}
		if os.Geteuid() == 0 {
			c.User = "root"
		}
		conf, err := c.Render()
		if err != nil {
			t.Fatal(err)
		}
		run(t, listen, write(t, dir, string(conf)), "nginx", "-p", dir, "-c")
		return "http://" + listen
	}
}

func haproxy(t *testing.T, upstream string) string {
	dir, listen := t.TempDir(), freeAddr(t)
	conf := `defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend front
    bind ` + listen + `
    default_backend back
backend back
    server app ` + upstream + "\n"
	run(t, listen, write(t, dir, conf), "haproxy", "-db", "-f")
	return "http://" + listen
}

func apache(t *testing.T, upstream string) string {
	dir, listen := t.TempDir(), freeAddr(t)
	const modules = "/usr/lib/apache2/modules/"
	conf := fmt.Sprintf(`ServerName localhost
ServerRoot %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
Mutex pthread default
Listen %[2]s
LoadModule mpm_event_module %[3]smod_mpm_event.so
LoadModule authz_core_module %[3]smod_authz_core.so
LoadModule proxy_module %[3]smod_proxy.so
LoadModule proxy_http_module %[3]smod_proxy_http.so
ProxyPass / http://%[4]s/
`, dir, listen, modules, upstream)
	if os.Geteuid() == 0 {
		conf += "User www-data\nGroup www-data\n"
	}
	run(t, listen, write(t, dir, conf), "apache2", "-X", "-f")
	return "http://" + listen
}

func reverseProxy(t *testing.T, upstream string) string {
	s := httptest.NewServer(proxyTo(upstream))
	t.Cleanup(s.Close)
	return s.URL
}

// recoverAll is std's proxy behind a middleware that catches panics, as many
// frameworks do: the abort of a broken copy is a panic.
func recoverAll(t *testing.T, upstream string) string {
	p := proxyTo(upstream)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				io.WriteString(w, "Internal Server Error\n")
			}
		}()
		p.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func proxyTo(upstream string) http.Handler {
	p := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: upstream})
	p.Transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	p.ErrorLog = log.New(io.Discard, "", 0)
	return p
}

// freeAddr is an address that nobody listens on. Somebody else may take it; the
// edge then does not start, and the test says so.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func write(t *testing.T, dir, conf string) string {
	t.Helper()
	path := filepath.Join(dir, "conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run starts a server in the foreground and waits until it accepts.
func run(t *testing.T, listen, conf string, argv ...string) {
	t.Helper()
	path, err := exec.LookPath(argv[0])
	if err != nil {
		if os.Getenv("STREAMPROOF_REQUIRE_EDGES") != "" {
			t.Fatalf("%s is required here and is not installed", argv[0])
		}
		t.Skipf("no %s on this host: 'make setup' installs it", argv[0])
	}
	cmd := exec.Command(path, append(argv[1:], conf)...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	dieWithUs(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process, which Cleanup ends
	t.Cleanup(func() { end(t, cmd, ended) })
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if c, err := net.Dial("tcp", listen); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", argv[0], err, out.String())
		default:
		}
	}
	t.Fatalf("%s does not listen on %s", argv[0], listen)
}

// end asks, then insists.
func end(t *testing.T, cmd *exec.Cmd, ended chan error) {
	cmd.Process.Signal(os.Interrupt)
	select {
	case <-ended:
		return
	case <-time.After(5 * time.Second):
	}
	cmd.Process.Kill()
	<-ended
	t.Logf("%s had to be killed", cmd.Path)
}
