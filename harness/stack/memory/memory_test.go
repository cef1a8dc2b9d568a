package memory

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// ticking answers with five events, one a second.
func ticking(replica int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			if _, err := fmt.Fprintf(w, "data: %d of %d\n\n", i, replica); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(time.Second):
			case <-r.Context().Done():
				return
			}
		}
	})
}

// A bench is a stack under test, with the events that it told.
type bench struct {
	*Stack
	opener *Opener
	start  time.Time

	mu     sync.Mutex // guards events
	events []string
}

// told lists the events so far.
func (b *bench) told() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.events)
}

// open opens a stack for the length of a test in a bubble.
func open(t *testing.T, spec stack.Spec) *bench {
	t.Helper()
	b := &bench{opener: &Opener{App: ticking}, start: time.Now()}
	spec.Now = func() time.Duration { return time.Since(b.start) }
	spec.Notify = func(e stack.Event) {
		b.mu.Lock()
		b.events = append(b.events, fmt.Sprintf("%v %s %s %d", e.At, e.Kind, e.Subject, e.Code))
		b.mu.Unlock()
	}
	s, err := b.opener.Open(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	b.Stack = s.(*Stack)
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// An outcome is what a client saw: when each event came, and how the stream ended.
type outcome struct {
	at       []time.Duration // since the stack was opened
	upstream string
	status   int
	end      error
	ended    time.Duration
}

// get asks at a host for one stream, numbered as given.
func (b *bench) get(t *testing.T, host string, number uint64) (o outcome) {
	t.Helper()
	defer func() { o.ended = time.Since(b.start) }()
	tr := &http.Transport{DialContext: b.opener.DialContext, DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(stack.StreamHeader, fmt.Sprint(number))
	resp, err := tr.RoundTrip(req)
	if err != nil {
		o.end = err
		return o
	}
	defer resp.Body.Close()
	o.status, o.upstream = resp.StatusCode, resp.Header.Get(stack.ReplicaHeader)
	r := bufio.NewReader(resp.Body)
	for {
		line, err := r.ReadString('\n')
		if strings.HasPrefix(line, "data:") {
			o.at = append(o.at, time.Since(b.start))
		}
		if err != nil {
			if err != io.EOF {
				o.end = err
			}
			return o
		}
	}
}

// seconds are those times, in whole seconds.
func seconds(s ...int) (at []time.Duration) {
	for _, n := range s {
		at = append(at, time.Duration(n)*time.Second)
	}
	return at
}

// link is the named link, nil where there is none.
func (b *bench) link(name string) stack.Link {
	for _, l := range b.Links() {
		if l.Name() == name {
			return l
		}
	}
	return nil
}

// After d, act does something to the stack, which must not fail.
func (b *bench) after(t *testing.T, d time.Duration, act func() error) {
	time.AfterFunc(d, func() {
		if err := act(); err != nil {
			t.Error(err)
		}
	})
}

const ms = time.Millisecond

// cut is how a stream ends whose connection ends before it.
var cut = io.ErrUnexpectedEOF

// An act does something to the stack, now or later.
type act func(t *testing.T, b *bench)

// What a fault does to a stream that was asked for at 0: each event at its time.
func TestFaults(t *testing.T) {
	ctx := context.Background()
	for name, tc := range map[string]struct {
		spec stack.Spec
		do   act
		host string
		at   []time.Duration
		end  error
		over time.Duration
	}{
		"none": {at: seconds(0, 1, 2, 3, 4), over: 5 * time.Second},
		"none, no edge": {spec: stack.Spec{Edge: stack.Edge{Form: stack.EdgeNone}}, at: seconds(0, 1, 2, 3, 4),
			over: 5 * time.Second},
		"the app itself": {host: "app-0.memory", at: seconds(0, 1, 2, 3, 4), over: 5 * time.Second},
		"the other lane": {host: "control.memory", at: seconds(0, 1, 2, 3, 4), over: 5 * time.Second, do: down("edge", 0)},
		"latency in front": {spec: stack.Spec{Toxics: map[string][]stack.Toxic{"edge": {stack.Latency(3*time.Second, 0)}}},
			at: seconds(3, 4, 5, 6, 7), over: 8 * time.Second},
		"latency": {at: seconds(0, 1, 7, 8, 9), over: 10 * time.Second, do: func(t *testing.T, b *bench) {
			b.after(t, 1500*ms, func() error { return b.link("upstream[0]").Add(ctx, stack.Latency(5*time.Second, 0)) })
		}},
		"stall": {at: seconds(0, 1, 10, 10, 10), over: 10 * time.Second, do: func(t *testing.T, b *bench) {
			b.after(t, 1500*ms, func() error { return b.link("edge").Add(ctx, stack.Stall()) })
			b.after(t, 10*time.Second, func() error { return b.link("edge").Remove(ctx, "stall") })
		}},
		"swallowed, then cut": {at: seconds(0, 1), end: cut, over: 9 * time.Second, do: func(t *testing.T, b *bench) {
			b.after(t, 1500*ms, func() error {
				return b.link("edge").Add(ctx, stack.Toxic{Name: "hole", Type: "timeout", Direction: stack.Downstream})
			})
			b.after(t, 9*time.Second, func() error { return b.link("edge").Remove(ctx, "hole") })
		}},
		"down":         {at: seconds(0, 1), end: cut, over: 1500 * ms, do: down("edge", 1500*ms)},
		"down behind":  {at: seconds(0, 1), end: cut, over: 1500 * ms, do: down("upstream[0]", 1500*ms)},
		"down before":  {end: syscall.ECONNREFUSED, do: down("edge", 0)},
		"killed":       {at: seconds(0, 1, 2), end: cut, over: 2500 * ms, do: signal(syscall.SIGKILL, 2500*ms)},
		"asked to end": {at: seconds(0, 1, 2, 3, 4), over: 5 * time.Second, do: signal(syscall.SIGTERM, 2500*ms)},
		"no grace": {spec: stack.Spec{App: stack.App{Grace: time.Second}}, at: seconds(0, 1, 2, 3), end: cut, over: 3500 * ms,
			do: signal(syscall.SIGTERM, 2500*ms)},
		"frozen": {at: seconds(0, 1, 9, 10, 11), over: 12 * time.Second, do: func(t *testing.T, b *bench) {
			signal(syscall.SIGSTOP, 1500*ms)(t, b)
			signal(syscall.SIGCONT, 9*time.Second)(t, b)
		}},
		"rst": {at: seconds(0, 1), end: syscall.ECONNRESET, over: time.Second,
			do: struck(stack.Strike{After: 2, Action: stack.RST})},
		"fin":      {at: seconds(0, 1), end: cut, over: time.Second, do: struck(stack.Strike{After: 2, Action: stack.FIN})},
		"fin at 0": {end: cut, do: struck(stack.Strike{Action: stack.FIN})},
		"held": {at: seconds(0, 1, 4, 4, 4), over: 5 * time.Second,
			do: struck(stack.Strike{After: 2, Action: stack.Hold, For: 3 * time.Second})},
		"not struck": {at: seconds(0, 1, 2, 3, 4), over: 5 * time.Second,
			do: struck(stack.Strike{After: 2, Action: stack.FIN, Stream: 8})},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := open(t, tc.spec)
				if tc.do != nil {
					tc.do(t, b)
				}
				if tc.host == "" {
					tc.host = "edge.memory"
				}
				synctest.Wait() // what is done at 0 is done
				o := b.get(t, tc.host, 7)
				if !slices.Equal(o.at, tc.at) || !errors.Is(o.end, tc.end) || o.ended != tc.over {
					t.Errorf("events at %v, end %v at %v; want %v, %v at %v", o.at, o.end, o.ended, tc.at, tc.end, tc.over)
				}
			})
		})
	}
}

// down takes a link down.
func down(link string, at time.Duration) act {
	return func(t *testing.T, b *bench) {
		b.after(t, at, func() error { return b.link(link).SetUp(context.Background(), false) })
	}
}

// signal sends one to the first process.
func signal(sig syscall.Signal, at time.Duration) act {
	return func(t *testing.T, b *bench) {
		b.after(t, at, func() error {
			ps, err := b.Processes(context.Background())
			if err != nil || len(ps) == 0 {
				return fmt.Errorf("processes: %v, %v", ps, err)
			}
			return b.Signal(context.Background(), ps[0], int(sig))
		})
	}
}

// struck arms the upstream link with a strike at stream 7, or where it says.
func struck(s stack.Strike) act {
	return func(t *testing.T, b *bench) {
		if s.Stream == 0 {
			s.Stream = 7
		}
		l := b.link("upstream[0]").(stack.Striker)
		if err := l.Arm(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			done, err := l.Ledger(context.Background())
			want := map[bool]int{true: 1}[s.Stream == 7]
			if err != nil || len(done) != want || want == 1 && (done[0].Passed != s.After || done[0].Strike != s) {
				t.Errorf("the ledger says %+v, %v", done, err)
			}
		})
	}
}

// What there is not in memory is refused, and not passed over.
func TestUnable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, stack.Spec{Edge: stack.Edge{Form: stack.EdgeNone}})
		l := b.link("edge")
		_, scaled := b.AddReplica(t.Context())
		for what, err := range map[string]error{
			"toxic": l.Add(t.Context(), stack.Toxic{Name: "x", Type: "slicer", Direction: stack.Downstream,
				Attr: map[string]any{"average_size": 10}}),
			"strike":  l.(stack.Striker).Arm(t.Context(), stack.Strike{Action: stack.Flip}),
			"age":     l.(stack.Striker).Arm(t.Context(), stack.Strike{Action: stack.RST, Age: 1}),
			"signal":  b.Signal(t.Context(), stack.Process{Replica: "app[0]"}, int(syscall.SIGHUP)),
			"replica": scaled,
		} {
			var cannot *stack.Unable
			if !errors.As(err, &cannot) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := b.Stop(t.Context(), "app[9]", 0); err == nil {
			t.Error("a replica was stopped that there is not")
		}
		if err := l.Add(t.Context(), stack.Toxic{Name: "x", Type: "latncy", Direction: stack.Downstream}); err == nil {
			t.Error("a misspelt toxic was taken")
		}
	})
}

// The edge deals connections out in turn, passes over replicas that are dead, and
// answers 502 where there is none.
func TestReplicasComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, stack.Spec{Replicas: 2})
		served := func(want string) {
			t.Helper()
			if o := b.get(t, "edge.memory", 1); o.upstream != want {
				t.Errorf("served by %q, want %q: %+v", o.upstream, want, o)
			}
		}
		served("app-0.memory:80")
		served("app-1.memory:80")
		added, err := b.AddReplica(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := b.RemoveReplica(t.Context(), "app[0]"); err != nil {
			t.Fatal(err)
		}
		served("app-1.memory:80")
		served(added.Addr)
		for _, name := range []string{"app[1]", "app[2]"} {
			if err := b.Stop(t.Context(), name, time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if o := b.get(t, "edge.memory", 1); o.status != http.StatusBadGateway {
			t.Errorf("without a replica: %+v", o)
		}
		if err := errors.Join(b.Start(t.Context(), "app[2]"), b.Start(t.Context(), "app[2]")); err != nil {
			t.Fatal(err)
		}
		served(added.Addr)
		want := []string{"0s start app[0] 0", "0s ready app[0] 0", "0s start app[1] 0", "0s ready app[1] 0",
			"10s start app[2] 0", "10s ready app[2] 0", "10s stop app[0] 15", "10s exit app[0] 0",
			"20s stop app[1] 15", "20s exit app[1] 0", "20s stop app[2] 15", "20s exit app[2] 0",
			"20s start app[2] 0", "20s ready app[2] 0"}
		if got := b.told(); !slices.Equal(got, want) {
			t.Errorf("events:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// A stack that is closed refuses connections, and ends those that stand.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, stack.Spec{})
		b.after(t, 1500*ms, func() error { return errors.Join(b.Close(context.Background()), b.Close(context.Background())) })
		if o := b.get(t, "edge.memory", 1); !slices.Equal(o.at, seconds(0, 1)) || o.ended != 1500*ms {
			t.Errorf("%+v", o)
		}
		if o := b.get(t, "edge.memory", 1); !errors.Is(o.end, syscall.ECONNREFUSED) {
			t.Errorf("a closed stack answers: %+v", o)
		}
		synctest.Wait() // until the handler's end has been told
		if got := b.told(); got[len(got)-1] != fmt.Sprintf("1.5s %s app[0] 137", record.KindExit) {
			t.Errorf("%q", got)
		}
	})
}

// A connection keeps what was written, holds up who writes more than it takes, and
// ends as TCP does.
func TestConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := connect("c", "s")
		var wrote time.Duration
		begin := time.Now()
		go func() { // ends when the client has read enough
			n, err := s.Write(make([]byte, bufferSize+1))
			if n != bufferSize+1 || err != nil {
				t.Errorf("wrote %d, %v", n, err)
			}
			wrote = time.Since(begin)
			s.Close()
		}()
		c.SetReadDeadline(begin.Add(-time.Second))
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read past the deadline: %v", err)
		}
		c.SetReadDeadline(time.Time{})
		time.Sleep(time.Second)
		if n, err := io.Copy(io.Discard, c); n != bufferSize+1 || err != nil || wrote != time.Second {
			t.Errorf("read %d, %v; the writer was held up for %v", n, err, wrote)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write to who has closed: %v", err)
		}
		c.Close()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read after Close: %v", err)
		}

		c, s = connect("c", "s")
		s.Write([]byte("sent"))
		s.SetLinger(0)
		time.AfterFunc(time.Second, func() { s.Close() })
		c.SetReadDeadline(time.Now().Add(time.Minute))
		time.Sleep(2 * time.Second)
		if got, err := io.ReadAll(c); string(got) != "sent" || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read %q before a reset: %v", got, err)
		}
		c.Close()

		c, s = connect("c", "s")
		c.CloseWrite()
		if _, err := s.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("read from who has ended: %v", err)
		}
		s.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := s.Write(make([]byte, 2*bufferSize))
		if n != bufferSize || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d until the deadline, %v", n, err)
		}
		s.Close()
		if c.LocalAddr().Network() != "memory" || s.RemoteAddr().String() != "c" {
			t.Error("addresses")
		}
	})
}

// A stop without a grace of its own leaves the app the one that a deploy would.
func TestStopGivesTheAppsOwnGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := open(t, stack.Spec{Replicas: 1, App: stack.App{Grace: time.Minute}})
		done := make(chan struct{})
		go func() { // for 5 s
			defer close(done)
			b.get(t, "edge.memory", 1)
		}()
		synctest.Wait()
		if err := b.Stop(t.Context(), "app[0]", 0); err != nil {
			t.Fatal(err)
		}
		<-done
		if got := b.told(); !strings.HasSuffix(got[len(got)-1], " exit app[0] 0") {
			t.Errorf("told %q", got)
		}
	})
}
