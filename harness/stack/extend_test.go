package stack_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

func TestPage(t *testing.T) { page.Agrees(t, "README.md", "extend_test.go") }

// Handlers is a machine: its replicas are handlers in this process.
type Handlers struct{}

// Open starts replica i. It has no link, so that only the app can be done something to.
func (Handlers) Open(_ context.Context, i int) (*chain.Replica, error) {
	g := &gate{}
	return &chain.Replica{Name: chain.ReplicaName(i), App: &handler{g, httptest.NewServer(g)}}, nil
}

// Retire takes away what is left of a replica that has been stopped.
func (Handlers) Retire(context.Context, *chain.Replica) error { return nil }

// A handler is one running replica. That it can be frozen makes its stack a [stack.Pauser].
type handler struct {
	gate   *gate
	server *httptest.Server
}

func (h *handler) At() chain.Entrance            { return chain.At(h.server.Listener.Addr().String()) }
func (h *handler) Pause(context.Context) error   { h.gate.set(true); return nil }
func (h *handler) Unpause(context.Context) error { h.gate.set(false); return nil }

func (h *handler) Stop(context.Context, time.Duration) error { h.server.Close(); return nil }
func (*handler) Start(context.Context) error                 { return errNoProcess }

func (*handler) Pid() int                                           { return 0 }
func (*handler) Processes(context.Context) ([]chain.Process, error) { return nil, errNoProcess }
func (*handler) Signal(context.Context, int, syscall.Signal) error  { return errNoProcess }
func (*handler) Ended(context.Context) error                        { return nil }
func (*handler) Tail(context.Context) []string                      { return nil }

var errNoProcess = &stack.Unable{What: "see and start processes", Why: "the app is a handler"}

// A Stack is a chain of handlers: what the chain has not is who closes it.
type Stack struct{ chain.Chain }

func (*Stack) Logs() []stack.Log           { return nil }
func (*Stack) Versions() map[string]string { return nil }

func (s *Stack) Close(ctx context.Context) (err error) {
	for _, r := range s.Living() {
		err = errors.Join(err, r.App.Stop(ctx, 0))
	}
	return err
}

// HandlersOpener opens chains of handlers.
type HandlersOpener struct{}

func (HandlersOpener) Kind() string { return "handlers" }

func (HandlersOpener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	if err := chain.Prepare(&spec, func() error { return nil }); err != nil {
		return nil, err
	}
	s := &Stack{chain.Chain{Spec: &spec, Machine: Handlers{}, What: "a handler in this process"}}
	return s, s.OpenReplicas(ctx)
}

// Bare is the smallest stack: a server of this process that nothing can be done to.
type Bare struct{ server *httptest.Server }

func (s Bare) Hops() []stack.Hop {
	return []stack.Hop{{Name: "app", What: "a handler in this process", URL: s.server.URL, Control: s.server.URL}}
}

func (s Bare) Replicas() []stack.Replica {
	return []stack.Replica{{Name: "app[0]", Addr: s.server.Listener.Addr().String(), URL: s.server.URL}}
}

func (Bare) Links() []stack.Link         { return nil }
func (Bare) Logs() []stack.Log           { return nil }
func (Bare) Versions() map[string]string { return nil }
func (Bare) Layers() []stack.Layer       { return nil }

// Close may be called twice, and waits for what it stops.
func (s Bare) Close(context.Context) error { s.server.Close(); return nil }

// An Opener starts a stack for each scenario. The spec says what of; this one has
// its stack already.
type Opener struct{ stack stack.Stack }

func (Opener) Kind() string { return "in-process" }

func (o Opener) Open(context.Context, stack.Spec) (stack.Stack, error) { return o.stack, nil }

// A gate lets streams pass while it is open. The zero gate is open.
type gate struct {
	mu   sync.Mutex
	shut chan struct{} // closed when the gate opens again; nil while it is open
}

// set shuts or opens the gate. Doing either twice does nothing.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case shut && g.shut == nil:
		g.shut = make(chan struct{})
	case !shut && g.shut != nil:
		close(g.shut)
		g.shut = nil
	}
}

// pass waits until the gate is open.
func (g *gate) pass() {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut != nil {
		<-shut
	}
}

// ServeHTTP sends ?events=20&gap=50ms, then the event "done".
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events, _ := strconv.Atoi(r.FormValue("events"))
	gap, _ := time.ParseDuration(r.FormValue("gap"))
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	for i := range max(events, 20) {
		g.pass()
		fmt.Fprintf(w, "data: %d\n\n", i)
		flush()
		select {
		case <-time.After(max(gap, time.Millisecond)):
		case <-r.Context().Done():
			return
		}
	}
	fmt.Fprint(w, "event: done\ndata: {}\n\n")
}

func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	app := harness.App{URL: "http://127.0.0.1", Stream: harness.Stream{Path: "/?events={events}&gap={gap}",
		Dialect: "sse-generic", Terminal: "event == done"}}
	freeze := scenarios.Pause()
	freeze.Shape = harness.Shape{Events: 30, Gap: 20 * time.Millisecond}
	freeze.Fault, freeze.Hold = fault.Pause{For: 300 * time.Millisecond}, 300*time.Millisecond
	for i, opener := range []stack.Opener{HandlersOpener{}, Opener{Bare{httptest.NewServer(&gate{})}}} {
		report, err := scenarios.Execute(context.Background(), harness.Options{App: app, Opener: opener, Seed: 1,
			Dir: filepath.Join(dir, strconv.Itoa(i)), Load: harness.Load{Streams: 4},
			Scenarios: []harness.Scenario{freeze}})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s\n", opener.Kind(), report.Verdict)
		if report.Verdict != verdict.Pass {
			fmt.Println(report.Scenarios[0].Why)
		}
	}
	// Output:
	// handlers: pass
	// in-process: inconclusive
	// not possible here: cannot freeze a replica: this stack has no such ability
}
