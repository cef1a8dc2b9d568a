// Package chaintest is one table of tests for the stacks of all machines: the same
// chain, the same faults, the same words for what happened. A machine's own tests
// call [Run].
package chaintest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// patience bounds every wait; nothing should come near it.
const patience = 2 * time.Minute

// dialLimit bounds a connection.
const dialLimit = 3 * time.Second

// A Machine is what runs the stacks under test.
type Machine struct {
	Opener stack.Opener
	// Edge is what stands at the edge, as Versions and Layers name it, and Asks the
	// protocol in which one of the default form asks the app.
	Edge, Asks string
	// Mute says that its parts write no logs.
	Mute bool
	// Bubble runs a case on a clock of its own; nil is the machine's clock.
	Bubble func(t *testing.T, f func(*testing.T))
}

// Nginx are the facts of a machine whose edge is nginx.
func Nginx(o stack.Opener) Machine { return Machine{Opener: o, Edge: "nginx", Asks: "HTTP/1.0"} }

// A Rig is an open stack under test.
type Rig struct {
	stack.Stack
	Machine
	// Dir is its log folder.
	Dir string

	mu     sync.Mutex // guards events
	events []stack.Event
}

// Run plays all cases on the stacks of a machine, with our origin of two workers as the
// app. Each stack is closed twice.
func Run(t *testing.T, m Machine) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			spec := c.spec
			spec.App = stack.App{Origin: &stack.Origin{Workers: 2}}
			play := func(t *testing.T) { c.check(t, open(t, m, spec)) }
			if m.Bubble != nil {
				m.Bubble(t, play)
				return
			}
			t.Parallel() // they mostly wait
			play(t)
		})
	}
}

func open(t *testing.T, m Machine, spec stack.Spec) *Rig {
	t.Helper()
	r := &Rig{Machine: m, Dir: t.TempDir()}
	began := time.Now()
	spec.LogDir, spec.Notify, spec.Now = r.Dir, r.note, func() time.Duration { return time.Since(began) }
	s, err := m.Opener.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	r.Stack = s
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for range 2 {
			if err := s.Close(ctx); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	})
	return r
}

// transport connects by the machine's network, to addr where it is not "".
func (r *Rig) transport(addr string) *http.Transport {
	d := net.Dialer{Timeout: dialLimit} // nobody answers for the address of a stopped container
	dial := d.DialContext
	if own, ok := r.Opener.(stack.Dialer); ok {
		dial = own.DialContext
	}
	return &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, own string) (net.Conn, error) {
			return dial(ctx, network, cmp.Or(addr, own))
		}}
}

func (r *Rig) note(e stack.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

// told are the events so far that match.
func (r *Rig) told(match func(stack.Event) bool) (list []stack.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if match(e) {
			list = append(list, e)
		}
	}
	return list
}

// await returns the first event of the operating system that matches.
func (r *Rig) await(t *testing.T, kind record.EventKind, who string, match func(stack.Event) bool) stack.Event {
	t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(5 * time.Millisecond) {
		all := r.told(func(e stack.Event) bool {
			return e.Source == record.ProcessSource && e.Kind == kind && e.Who() == who && match(e)
		})
		if len(all) > 0 {
			return all[0]
		}
	}
	t.Fatalf("no %s of %s in %+v", kind, who, r.told(func(stack.Event) bool { return true }))
	return stack.Event{}
}

func (r *Rig) hop(t *testing.T, name string) stack.Hop {
	t.Helper()
	for _, h := range r.Hops() {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no hop %q in %+v", name, r.Hops())
	return stack.Hop{}
}

// A request is a stream of the origin to be asked for.
type request struct {
	hop     stack.Hop
	control bool // by the hop's control lane
	behind  bool // by the control lane behind the edge
	id      uint64
	events  int
	gap     time.Duration
	on      func(event int) // called at each content event; may be nil
}

// An answer is a stream as a plain client saw it.
type answer struct {
	replica string // as the edge named it
	events  int    // whole content events
	done    bool   // the terminal event came
	err     error
}

func (a answer) whole(events int) bool { return a.done && a.events == events && a.err == nil }

func (a answer) String() string {
	return fmt.Sprintf("%d events, done %v, error %v", a.events, a.done, a.err)
}

// send reads a whole stream.
func (r *Rig) send(t *testing.T, q request) (a answer) {
	base, dial := q.hop.URL, q.hop.Dial
	if q.control {
		base, dial = q.hop.Control, q.hop.DialControl
	}
	url := fmt.Sprintf("%s/stream?events=%d&gap=%v", base, q.events, q.gap)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set(stack.StreamHeader, fmt.Sprint(q.id))
	req.Header.Set(stack.NonceHeader, fmt.Sprintf("nonce-%d", q.id))
	if q.behind {
		req.Header.Set(stack.LaneHeader, stack.ControlLane)
	}
	res, err := r.transport(dial).RoundTrip(req)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	a.replica = res.Header.Get(stack.ReplicaHeader)
	a.events, a.done, a.err = ReadEvents(res.Body, q.on)
	return a
}

// ReadEvents reads an answer of the origin to its end: how many events with content
// came, and whether the last one did. on, if any, is told the number of each event as
// it comes. The error is the body's; a proper end is none.
func ReadEvents(body io.Reader, on func(event int)) (events int, done bool, err error) {
	content := false
	for lines := bufio.NewReader(body); ; {
		line, err := lines.ReadString('\n')
		switch {
		case err == io.EOF:
			return events, done, nil
		case err != nil:
			return events, done, err
		case strings.HasPrefix(line, "id:"):
			content = true
		case strings.HasPrefix(line, "event: done"):
			done = true
		case line == "\n" && content:
			content = false
			events++
			if on != nil {
				on(events)
			}
		}
	}
}

// start sends a stream and returns when it is in its body.
func (r *Rig) start(t *testing.T, q request) <-chan answer {
	t.Helper()
	begun, result := make(chan struct{}), make(chan answer, 1)
	var once sync.Once
	on := q.on
	q.on = func(n int) {
		once.Do(func() { close(begun) })
		if on != nil {
			on(n)
		}
	}
	go func() {
		result <- r.send(t, q)
		once.Do(func() { close(begun) })
	}()
	<-begun
	return result
}
