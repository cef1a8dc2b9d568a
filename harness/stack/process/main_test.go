package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain/chaintest"
)

// patience bounds every wait in the tests; nothing should come near it.
const patience = 2 * time.Minute

// The test binary plays four parts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "guard":
			os.Exit(GuardMain())
		case "origin":
			os.Exit(origin.Main(context.Background(), os.Args[2:], os.Stdout, os.Stderr))
		case "victim":
			os.Exit(playVictim())
		}
	}
	goleak.VerifyTestMain(m)
}

func self() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
}

func opener() *Opener {
	return New(Options{OriginCommand: []string{self(), "origin"}, GuardCommand: []string{self(), "guard"}})
}

// needNginx skips where the test is about nginx itself.
func needNginx(t *testing.T) {
	t.Helper()
	if findNginx("") == "" {
		t.Skip("no nginx on this host: what it does in the chain is not tested")
	}
}

// A diary collects events.
type diary struct {
	mu     sync.Mutex
	events []stack.Event
}

func (d *diary) write(e stack.Event) {
	d.mu.Lock()
	d.events = append(d.events, e)
	d.mu.Unlock()
}

// await returns the first event of its kind and subject.
func (d *diary) await(t *testing.T, kind record.EventKind, subject string, pid int) stack.Event {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(5 * time.Millisecond) {
		d.mu.Lock()
		for _, e := range d.events {
			if e.Kind == kind && e.Who() == subject && (pid == 0 || e.Pid == pid) {
				d.mu.Unlock()
				return e
			}
		}
		d.mu.Unlock()
	}
	t.Fatalf("no %s of %s (pid %d) in %+v", kind, subject, pid, d.events)
	return stack.Event{}
}

// A rig is an open stack under test.
type rig struct {
	*Stack
	diary *diary
	dir   string
}

func open(t *testing.T, spec stack.Spec) rig {
	t.Helper()
	return openWith(t, opener(), spec)
}

func openWith(t *testing.T, o *Opener, spec stack.Spec) rig {
	t.Helper()
	d := &diary{}
	spec.LogDir, spec.Notify = t.TempDir(), d.write
	s, err := o.Open(t.Context(), spec)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	r := rig{s.(*Stack), d, spec.LogDir}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Close(ctx); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := r.Close(ctx); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
	return r
}

func (r rig) hop(t *testing.T, name string) stack.Hop {
	t.Helper()
	for _, h := range r.Hops() {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no hop %q in %+v", name, r.Hops())
	return stack.Hop{}
}

func (r rig) log(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(r.dir + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// An answer is a stream as a plain client saw it.
type answer struct {
	status int
	header http.Header
	events int  // whole content events
	done   bool // the terminal event came
	err    error
}

func (a answer) String() string {
	return fmt.Sprintf("status %d, %d events, done %v, error %v", a.status, a.events, a.done, a.err)
}

// A request is a stream to be asked for.
type request struct {
	url    string
	id     int  // stream number and nonce
	ctrl   bool // by header, as behind the edge
	events int
	gap    time.Duration
	on     func(event int) // called at each content event
}

// stream reads a whole stream of the origin.
func stream(ctx context.Context, q request) (a answer) {
	url := fmt.Sprintf("%s/stream?events=%d&gap=%v", q.url, q.events, q.gap)
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set(stack.StreamHeader, fmt.Sprint(q.id))
	req.Header.Set(stack.NonceHeader, fmt.Sprintf("nonce-%d", q.id))
	if q.ctrl {
		req.Header.Set(stack.LaneHeader, stack.ControlLane)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	a.status, a.header = res.StatusCode, res.Header
	a.events, a.done, a.err = chaintest.ReadEvents(res.Body, q.on)
	return a
}

// stubborn is a program that ignores SIGTERM, and whose child has left its
// process group and its parent: only a reaper of orphans finds it.
const stubborn = `trap '' TERM; (setsid sleep 987 &) ; setsid sleep 986 & sleep 985 & ` +
	`exec python3 -m http.server --bind 127.0.0.1 {port}`

// playVictim opens a stack as the harness does, prints the pids of all that it
// started, and waits to be killed.
func playVictim() int {
	spec := stack.Spec{LogDir: os.Args[2], App: stack.App{Command: []string{"sh", "-c", stubborn}}}
	if findNginx("") != "" {
		spec.Edge.Form = stack.EdgeStreaming
	}
	s, err := opener().Open(context.Background(), spec)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close(context.Background())
	json.NewEncoder(os.Stdout).Encode(descendants(os.Getpid()))
	io.Copy(io.Discard, os.Stdin)
	return 0
}
