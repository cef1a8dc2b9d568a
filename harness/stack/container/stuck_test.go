package container

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/streamproof/streamproof/harness/stack"
)

// sticky stands before the daemon and never answers what hangs picks, as an
// engine does whose shim is stuck.
func sticky(t *testing.T, hangs func(*http.Request) bool) *daemon {
	t.Helper()
	c, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := url.Parse(c.DaemonHost())
	if err != nil || u.Scheme != "unix" {
		t.Skipf("the daemon is at %s, not at a socket of this machine", c.DaemonHost())
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", u.Path)
		}},
	}
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if hangs(r) {
			<-r.Context().Done()
			return
		}
		proxy.ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }() // ends with Close
	t.Cleanup(func() {
		s.Close()
		<-served
	})
	d, err := connect(t.Context(), client.WithHost("unix://"+path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// A call for a container that will not stop ends by its deadline with an error
// that names it; Close removes what only the asking did not move; and nothing is
// left when the engine has come to itself.
func TestEngineThatWillNotStopAContainer(t *testing.T) {
	t.Parallel()
	app := fastapi()
	app.Grace = 500 * time.Millisecond
	s, _ := open(t, stack.Spec{App: app, Omit: edgeLink})
	through := func(d *daemon) {
		s.d = d
		for _, b := range s.boxes {
			b.d = d
		}
	}
	sound := s.d
	t.Cleanup(func() { through(sound) }) // before the stack is closed
	stop := func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/stop") }
	remove := func(r *http.Request) bool { return r.Method == http.MethodDelete }
	for _, tc := range []struct {
		name  string
		hangs func(*http.Request) bool
		limit time.Duration
		do    func(context.Context) error
		names string // in the error; "" for none
	}{
		{"stop", stop, time.Second, func(ctx context.Context) error { return s.Stop(ctx, "app[0]", time.Second) }, "app[0]"},
		{"close, nothing can be removed", remove, 2 * time.Second, s.Close, "container app[0] (Up"},
		{"close, only asking hangs", stop, patience, s.Close, ""},
	} {
		through(sticky(t, tc.hangs))
		ctx, cancel := context.WithTimeout(t.Context(), tc.limit)
		began := time.Now()
		err := tc.do(ctx)
		cancel()
		switch {
		case tc.names == "" && err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case tc.names != "" && (!errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tc.names) || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: error %v, want one line that names %s and the deadline", tc.name, err, tc.names)
		}
		if took := time.Since(began); took > tc.limit+time.Minute {
			t.Errorf("%s took %v, its deadline was %v", tc.name, took, tc.limit)
		}
	}
	if left := leftOf(t, s.id); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
