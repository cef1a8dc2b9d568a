package scenarios_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/shrink"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
	"github.com/streamproof/streamproof/harness/verdict"
	"github.com/streamproof/streamproof/scenarios"
)

// A defective app is our own origin with a defect that one kind of fault brings out.
type defective struct {
	http.Handler
	write func(*writer, []byte) (int, error) // instead of the connection's own
	query string                             // of each request besides its own
	left  *atomic.Bool                       // set when a client is gone before the end
	open  *atomic.Int64                      // counts streams whose last chunk was not sent
}

// A writer is that of one stream. The origin takes the connection over.
type writer struct {
	http.ResponseWriter
	conn net.Conn
	app  *defective
	lost bool // the next write is dropped
	over bool // the last chunk was sent
}

func (w *writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.conn = conn
	if err == nil && w.app.open != nil {
		w.app.open.Add(1)
	}
	return hijacked{conn, w}, rw, err
}

// A hijacked connection writes as the app does.
type hijacked struct {
	net.Conn
	w *writer
}

func (h hijacked) Write(b []byte) (int, error) {
	if !h.w.over && bytes.HasSuffix(b, []byte("0\r\n\r\n")) {
		h.w.over = true
		if h.w.app.open != nil {
			h.w.app.open.Add(-1)
		}
	}
	if h.w.app.write == nil {
		return h.Conn.Write(b)
	}
	return h.w.app.write(h.w, b)
}

func (h hijacked) Close() error {
	if !h.w.over && h.w.app.left != nil {
		h.w.app.left.Store(true)
	}
	return h.Conn.Close()
}

func (f *defective) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.query != "" {
		r = r.Clone(r.Context())
		r.URL.RawQuery += "&" + f.query
	}
	f.Handler.ServeHTTP(&writer{ResponseWriter: w, app: f}, r)
}

// defects are three apps that pass alone and under two of three faults.
var defects = map[string]struct {
	app    func() func(int) http.Handler
	faults fault.All
	needed fault.Fault
}{
	// A client that leaves takes the streams of the others with it.
	"leaving": {
		app: func() func(int) http.Handler {
			var left atomic.Bool
			return func(int) http.Handler {
				return &defective{Handler: honestOrigin(), left: &left, write: func(w *writer, b []byte) (int, error) {
					if left.Load() {
						return 0, net.ErrClosed
					}
					return w.conn.Write(b)
				}}
			}
		},
		faults: fault.All{strike4, frozen, slow}, needed: strike4,
	},
	// An app that stood still loses an event of each stream.
	"frozen": {
		app: func() func(int) http.Handler {
			return func(int) http.Handler {
				return &defective{Handler: honestOrigin(), write: func(w *writer, b []byte) (int, error) {
					if w.lost {
						w.lost = false
						return len(b), nil
					}
					begun := time.Now()
					n, err := w.conn.Write(b)
					w.lost = time.Since(begun) > time.Second
					return n, err
				}}
			}
		},
		faults: fault.All{strike4, frozen, slow}, needed: frozen,
	},
	// An app that was started anew after a crash sends events twice.
	"restarted": {
		app: func() func(int) http.Handler {
			var open atomic.Int64 // streams whose last chunk was not sent
			return func(int) http.Handler {
				f := &defective{Handler: honestOrigin(), open: &open}
				if open.Load() > 0 {
					f.query = "sabotage=duplicated-event"
				}
				return f
			}
		},
		faults: fault.All{strike4, slow, fault.Crash{}}, needed: fault.Crash{},
	},
}

var (
	strike4 = fault.Strike{Link: stack.EdgeLink, After: 4, Action: stack.RST}
	frozen  = fault.Pause{For: 2 * time.Second}
	slow    = fault.Latency(stack.EdgeLink, 300*time.Millisecond, 0)
)

func honestOrigin() http.Handler {
	s, err := origin.New(origin.Options{})
	if err != nil {
		panic(err) // the zero Options are good
	}
	return s
}

// TestInMemoryShrink: 200 streams and 3 faults become 1 fault and 4 streams at most, for
// three defects, each of which another of the faults brings out.
func TestInMemoryShrink(t *testing.T) {
	if raceEnabled {
		t.Skip("runs without the race detector: make norace")
	}
	for name, d := range defects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := harness.Options{Load: harness.Load{Streams: 200}, Seed: 5,
				Scenarios: []harness.Scenario{scenario(t, "control"), {ID: "three", When: harness.When{Events: 2}, Hold: 2 * time.Second,
					Share: 0.5, Shape: harness.Shape{Events: 60, Gap: 50 * time.Millisecond}, Fault: d.faults,
					Policy: record.Policy{Kills: true, Refuses: true, Recovery: 10 * time.Second, GapLimit: 5 * time.Second, MinInBody: 1}}}}
			harnesstest.InMemory(t, func(t *testing.T, stacks *memory.Opener) {
				dir, n := t.TempDir(), 0
				play := func(ctx context.Context, o harness.Options) (*verdict.Report, error) {
					n++
					stacks.App = d.app()
					o.Opener, o.Dir = stacks, filepath.Join(dir, fmt.Sprint(n))
					return scenarios.Execute(ctx, o)
				}
				first, err := play(t.Context(), o)
				if err != nil {
					t.Fatal(err)
				}
				pastable(t, first)
				failure, ok := shrink.FailureOf(first, "")
				if !ok || failure.Scenario != "three" {
					t.Fatalf("it does not fail: %s, %+v", first.Verdict, first.Scenarios)
				}
				got, err := shrink.Find(t.Context(), shrink.Task{Options: o, Failure: failure, Play: play})
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%+v after %d runs, by %v; left out %+v", got.After, got.Runs, got.Options.Scenarios[0].Fault, got.Left)
				if got.After.Scenarios != 1 || got.After.Faults != 1 || got.After.Streams > 4 || got.Spent ||
					reflect.TypeOf(got.Options.Scenarios[0].Fault) != reflect.TypeOf(d.needed) {
					t.Errorf("%+v is left, with the fault %v; want 1 fault, %v, and 4 streams at most", got.After,
						got.Options.Scenarios[0].Fault, d.needed)
				}
			})
		})
	}
}
