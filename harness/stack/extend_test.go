package stack_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

func TestPage(t *testing.T) { page.Agrees(t, "README.md", "extend_test.go") }

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

// Pausing can also freeze its app: it is a [stack.Pauser].
type Pausing struct {
	Bare
	gate *gate
}

func (s Pausing) Pause(context.Context, string) error   { s.gate.set(true); return nil }
func (s Pausing) Unpause(context.Context, string) error { s.gate.set(false); return nil }

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
	pausing := &gate{}
	for i, st := range []stack.Stack{
		Bare{httptest.NewServer(&gate{})},
		Pausing{Bare{httptest.NewServer(pausing)}, pausing},
	} {
		report, err := scenarios.Execute(context.Background(), harness.Options{App: app, Opener: Opener{st}, Seed: 1,
			Dir: filepath.Join(dir, strconv.Itoa(i)), Load: harness.Load{Streams: 4},
			Scenarios: []harness.Scenario{freeze}})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%T: %s\n", st, report.Verdict)
		if report.Verdict != verdict.Pass {
			fmt.Println(report.Scenarios[0].Why)
		}
	}
	// Output:
	// stack_test.Bare: inconclusive
	// not possible here: cannot freeze a replica: this stack has no such ability
	// stack_test.Pausing: pass
}
