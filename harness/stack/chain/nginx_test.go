package chain

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

// A fakeNginx is a part that serves the readiness question of the configuration
// that it has read last. Its old worker retires a few looks after a reload.
type fakeNginx struct {
	*httptest.Server
	mu      sync.Mutex // guards what follows
	text    []byte
	serving string // generation
	workers []string
	looks   int
}

var generation = regexp.MustCompile(`return 200 "?(\d+)`)

func startFakeNginx(t *testing.T) *fakeNginx {
	f := &fakeNginx{workers: []string{"nginx: worker process"}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		w.Header().Set("Server", "nginx/1.22.1")
		fmt.Fprint(w, f.serving)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeNginx) addr() string { return strings.TrimPrefix(f.URL, "http://") }

func (f *fakeNginx) put(_ context.Context, text []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = text
	return nil
}

func (*fakeNginx) Pid() int                      { return 1 }
func (*fakeNginx) Ended(context.Context) error   { return nil }
func (*fakeNginx) Tail(context.Context) []string { return nil }

// Signal is the reload.
func (f *fakeNginx) Signal(_ context.Context, pid int, sig syscall.Signal) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if pid != 1 || sig != syscall.SIGHUP {
		return fmt.Errorf("signal %v to pid %d", sig, pid)
	}
	f.serving = string(generation.FindSubmatch(f.text)[1])
	f.workers, f.looks = append(f.workers, "nginx: worker process"), 0
	return nil
}

// Processes retires all but the newest worker at the third look.
func (f *fakeNginx) Processes(context.Context) (ps []Process, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.looks++; f.looks >= 3 {
		for i := range f.workers[:len(f.workers)-1] {
			f.workers[i] = "nginx: worker process is shutting down"
		}
	}
	for i, command := range f.workers {
		ps = append(ps, Process{Process: stack.Process{Pid: 2 + i, Parent: 1, Command: command}})
	}
	return ps, nil
}

// A reload writes the next generation, asks for it by signal, and returns when the
// new one answers and the old workers take nothing more.
func TestNginxRoute(t *testing.T) {
	var told []record.EventKind
	spec := stack.Spec{Edge: stack.Edge{Form: stack.EdgeStreaming}, LogDir: t.TempDir(),
		Notify: func(e stack.Event) { told = append(told, e.Kind) }}
	if err := Prepare(&spec, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	f := startFakeNginx(t)
	n := NewNginx(&spec, "nginx", nginxconf.Config{Edge: spec.Edge, Listen: "80",
		AccessLog: "a", ErrorLog: "e", Pid: "p", Temp: "t"}, nil)
	text, err := n.Text([]nginxconf.Upstream{{Main: "10.0.0.1:1", Control: "10.0.0.1:2"}})
	if err != nil {
		t.Fatal(err)
	}
	f.text = text
	f.serving = string(generation.FindSubmatch(text)[1])
	if err := n.Await(t.Context(), f, f.addr(), f.put); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := n.Route(t.Context(), []nginxconf.Upstream{{Main: "10.0.0.9:1", Control: "10.0.0.9:2"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(f.text), "10.0.0.9:1") || f.serving != "2" || f.looks < 3 {
		t.Errorf("generation %s after %d looks and %v, of\n%s", f.serving, f.looks, time.Since(began), f.text)
	}
	if want := []record.EventKind{record.KindReady, record.KindReload}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if got := n.What(); got != "nginx 1.22.1, form streaming" {
		t.Errorf("it is called %q", got)
	}
	if got := n.Layer().Settings; got["proxy_buffering"] != "off" || got["unknown"] != "" {
		t.Errorf("settings: %v", got)
	}
}
