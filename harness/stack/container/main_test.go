package container

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/bynight"
	"github.com/streamproof/streamproof/harness/stack"
)

// nightly has every form of the example app, of which make test has those that need a
// container most.
var nightly = bynight.On

// patience is how long a test waits for what must come: on a machine that has hardly a
// moment for it an engine takes half a minute to stop what it stops in one second.
const patience = 2 * time.Minute

// requireDocker skips a test where there is no Docker, and fails it where
// STREAMPROOF_REQUIRE_DOCKER=1 promises one.
func requireDocker(t *testing.T) {
	t.Helper()
	err := Available(t.Context())
	if err == nil {
		return
	}
	if os.Getenv("STREAMPROOF_REQUIRE_DOCKER") == "1" {
		t.Fatalf("STREAMPROOF_REQUIRE_DOCKER=1, but: %v", err)
	}
	t.Skipf("no Docker: %v", err)
}

// fastapi is the example app, see docker/fastapi.
func fastapi(env ...string) stack.App {
	return stack.App{Image: "streamproof/fastapi:dev", Port: 8000, Health: "/healthz", Env: env, Grace: 2 * time.Second}
}

// A diary keeps the events of a stack.
type diary struct {
	mu     sync.Mutex
	events []stack.Event
}

func (d *diary) note(e stack.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

func (d *diary) all() []stack.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]stack.Event(nil), d.events...)
}

// find waits for an event.
func (d *diary) find(t *testing.T, what string, match func(stack.Event) bool) stack.Event {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, e := range d.all() {
			if match(e) {
				return e
			}
		}
	}
	t.Fatalf("no event: %s; there are %v", what, d.all())
	return stack.Event{}
}

// open opens a stack, closes it with the test, and proves that nothing is left.
func open(t *testing.T, spec stack.Spec) (*Stack, *diary) {
	t.Helper()
	requireDocker(t)
	d := &diary{}
	spec.Notify = d.note
	if spec.LogDir == "" {
		spec.LogDir = t.TempDir()
	}
	st, err := New(Options{}).Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	s := st.(*Stack)
	t.Logf("up after %s", s.timingText())
	t.Cleanup(func() { closeStack(t, s) })
	return s, d
}

func closeStack(t *testing.T, s *Stack) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if left := leftOf(t, s.id); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// leftOf lists what still bears a stack's label.
func leftOf(t *testing.T, id string) []string {
	t.Helper()
	d, err := connect(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := &Stack{d: d, id: id}
	if text := s.left(context.Background()); text != "" {
		return strings.Split(text, ", ")
	}
	return nil
}

// ask sends a request by a hop and reads the complete response.
func ask(t *testing.T, h stack.Hop, control bool, path string, header map[string]string) (*http.Response, string, error) {
	t.Helper()
	base, dial := h.URL, h.Dial
	if control {
		base, dial = h.Control, h.DialControl
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	if dial != "" {
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, dial)
		}
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func hop(t *testing.T, s *Stack, name string) stack.Hop {
	t.Helper()
	for _, h := range s.Hops() {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no hop %s in %v", name, s.Hops())
	return stack.Hop{}
}

// edgeLink is left out of a chain of which a test only needs the app: a container less.
var edgeLink = []string{stack.EdgeLink}

// originSpec is the built-in app with two workers, behind no edge and no edge link.
func originSpec() stack.Spec {
	return stack.Spec{App: stack.App{Origin: &stack.Origin{Workers: 2}}, Omit: edgeLink}
}
