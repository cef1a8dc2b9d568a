package process

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// Reloads mid-stream cut nobody, and hang nobody: old and new workers share
// the listening socket for a while.
func TestReloadKeepsStreams(t *testing.T) {
	needNginx(t)
	r := open(t, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeStreaming}})
	var results []<-chan answer
	for range 6 {
		results = append(results, inFlight(t, r, 100))
		if err := r.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i, result := range results {
		if a := <-result; !a.done || a.events != 100 {
			t.Errorf("stream before reload %d: %v", i+1, a)
		}
	}
}

// inFlight starts a stream through the whole chain and returns once it is in
// its body.
func inFlight(t *testing.T, r rig, events int) <-chan answer {
	t.Helper()
	begun, result := make(chan struct{}), make(chan answer, 1)
	var once sync.Once
	q := request{url: r.hop(t, "edge").URL, id: 1, events: events, gap: 10 * time.Millisecond,
		on: func(int) { once.Do(func() { close(begun) }) }}
	go func() {
		result <- stream(t.Context(), q)
		once.Do(func() { close(begun) })
	}()
	<-begun
	return result
}

// A new replica gets streams; one that is removed finishes its own.
func TestScale(t *testing.T) {
	for _, nginx := range []string{"", NoNginx} {
		t.Run("nginx="+nginx, func(t *testing.T) {
			if nginx == "" {
				needNginx(t)
			}
			o := opener()
			o.opt.NginxPath = nginx
			r := openWith(t, o, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeStreaming}})
			result := inFlight(t, r, 100)
			added, err := r.AddReplica(t.Context())
			if err != nil || added.Name != "app[1]" {
				t.Fatalf("AddReplica() = %+v, %v", added, err)
			}
			if err := r.RemoveReplica(t.Context(), "app[0]"); err != nil {
				t.Fatal(err)
			}
			if a := <-result; !a.done || a.events != 100 {
				t.Errorf("stream on the removed replica: %v", a)
			}
			for i := range 4 {
				a := stream(t.Context(), request{url: r.hop(t, "edge").URL, id: i, events: 1})
				if got := a.header.Get(stack.ReplicaHeader); got != added.Addr || !a.done {
					t.Errorf("stream went to %s, want the new replica at %s: %v", got, added.Addr, a)
				}
			}
			if err := r.RemoveReplica(t.Context(), "app[1]"); err == nil {
				t.Error("the last replica was removed")
			}
		})
	}
}

// proxy_read_timeout is in force.
func TestReadTimeoutCuts(t *testing.T) {
	t.Parallel()
	needNginx(t)
	r := open(t, stack.Spec{App: originApp,
		Edge: stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: 500 * time.Millisecond}})
	q := request{url: r.hop(t, "edge").URL, id: 1, events: 4, gap: 3 * time.Second}
	if a := stream(t.Context(), q); a.done || a.err == nil {
		t.Errorf("stream with gaps above the read timeout: %v, want it cut", a)
	}
	const says = "upstream timed out (110: Connection timed out) while reading upstream"
	if log := r.log(t, "nginx_error.log"); !strings.Contains(log, says) {
		t.Errorf("error log does not name the timeout:\n%s", log)
	}
}

// Without nginx the streaming edge is Go's, and says so; the other forms are
// refused as what this machine cannot do.
func TestWithoutNginx(t *testing.T) {
	o := opener()
	o.opt.NginxPath = NoNginx
	r := openWith(t, o, stack.Spec{App: originApp, Edge: stack.Edge{Form: stack.EdgeStreaming}, Replicas: 2})
	for _, h := range r.Hops() {
		if a := stream(t.Context(), request{url: h.URL, id: 1, events: 3}); !a.done {
			t.Errorf("hop %s: %v", h.Name, a)
		}
	}
	const what = "go httputil edge (no nginx on this host)"
	if h := r.hop(t, "nginx"); h.What != what || r.Versions()["edge"] != what {
		t.Errorf("hop is %q and version %q, want both %q", h.What, r.Versions()["edge"], what)
	}
	for _, edge := range []stack.Edge{{Form: stack.EdgeDefault}, {Form: stack.EdgeGzip},
		{Form: stack.EdgeStreaming, ReadTimeout: time.Second}} {
		_, err := o.Open(t.Context(), stack.Spec{App: originApp, Edge: edge, LogDir: t.TempDir()})
		var unable *stack.Unable
		if !errors.As(err, &unable) || !strings.Contains(err.Error(), "install") {
			t.Errorf("Open with edge %+v = %v, want an Unable that says what would settle it", edge, err)
		}
	}
}

// The Go edge passes a cut on as a cut, and ends an upstream that is silent.
func TestGoEdgeSilenceLimit(t *testing.T) {
	stop := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-stop
	}))
	defer backend.Close()
	defer close(stop)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	req, _ := http.NewRequestWithContext(t.Context(), "GET", backend.URL, nil)
	res, err := silenceLimit{transport, 200 * time.Millisecond}.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "first" || err == nil {
		t.Errorf("read %q and %v, want the first part and an error", b, err)
	}
}

// A URL keeps its name: Host and TLS server name are its own, the connection
// goes through the link.
func TestURLApp(t *testing.T) {
	needNginx(t)
	seen := make(chan string, 1)
	handler := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := ""
		if req.TLS != nil {
			name = req.TLS.ServerName
		}
		seen <- req.Host + " " + name + " " + req.URL.Path
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	_, tlsPort, _ := net.SplitHostPort(secure.Listener.Addr().String())
	tests := []struct {
		url, hop string
		edge     stack.EdgeForm
		want     string
	}{
		{"http://localhost:" + port + "/", "edge", stack.EdgeNone, "localhost:" + port + "  /x"},
		{"https://localhost:" + tlsPort + "/v1", "edge", stack.EdgeNone, "localhost:" + tlsPort + " localhost /v1/x"},
		{"http://localhost:" + port, "edge", stack.EdgeStreaming, "localhost:" + port + "  /x"},
		{"http://localhost:" + port, "upstream", stack.EdgeStreaming, "localhost:" + port + "  /x"},
		{"http://localhost:" + port, "app", stack.EdgeStreaming, "localhost:" + port + "  /x"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.url[:5], tt.edge, tt.hop), func(t *testing.T) {
			r := open(t, stack.Spec{App: stack.App{URL: tt.url}, Edge: stack.Edge{Form: tt.edge}})
			h := r.hop(t, tt.hop)
			for _, dial := range []string{h.Dial, h.DialControl} {
				transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
				if dial != "" {
					var d net.Dialer
					transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
						return d.DialContext(ctx, network, dial)
					}
				}
				res, err := (&http.Client{Transport: transport}).Get(h.URL + "/x")
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if got := <-seen; got != tt.want {
					t.Errorf("app saw %q, want %q", got, tt.want)
				}
			}
			var unable *stack.Unable
			if _, err := r.Processes(t.Context()); !errors.As(err, &unable) {
				t.Errorf("Processes() = %v, want an Unable", err)
			}
		})
	}
}
