package fleet

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/memory"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

const ms = time.Millisecond

// A trial is a fleet on a stack in memory, and what it told.
type trial struct {
	t       *testing.T
	url     string
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	begin   time.Time
	workers sync.WaitGroup

	mu    sync.Mutex // guards what follows
	begun map[uint64]int
	ended map[uint64]record.Stream
}

func (x *trial) now() time.Duration { return time.Since(x.begin) }

// try hands a trial to f, in a bubble.
func try(t *testing.T, f func(x *trial)) {
	t.Helper()
	harnesstest.InMemory(t, func(t *testing.T, m *memory.Opener) {
		x := &trial{t: t, dial: m.DialContext, begin: time.Now(), begun: map[uint64]int{}, ended: map[uint64]record.Stream{}}
		st, err := m.Open(t.Context(), stack.Spec{App: stack.App{Origin: &stack.Origin{}}, Replicas: 1,
			Edge: stack.Edge{Form: stack.EdgeNone}, LogDir: t.TempDir(), Now: x.now, Notify: func(stack.Event) {}})
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close(context.Background())
		x.url = st.Hops()[0].URL
		f(x)
	})
}

func (x *trial) options() Options {
	return Options{Version: "v1", Seed: 7, Now: x.now, Elsewhere: true,
		Begin: func(s *record.Stream) { x.mu.Lock(); x.begun[s.Seq]++; x.mu.Unlock() },
		Done:  func(s *record.Stream) { x.mu.Lock(); x.ended[s.Seq] = *s; x.mu.Unlock() }}
}

// A wire is a connection to a worker that somebody meddles with: with each message to
// the worker and from it. Nil lets it through; what is returned is sent instead.
type wire struct {
	net.Conn
	to, from func(k kind, message []byte) []byte
	buf      []byte
}

func (w *wire) Write(b []byte) (int, error) {
	if w.to == nil {
		return w.Conn.Write(b)
	}
	if out := w.to(kind(b[4]), b); out != nil {
		_, err := w.Conn.Write(out)
		return len(b), err
	}
	return len(b), nil
}

func (w *wire) Read(b []byte) (int, error) {
	for len(w.buf) == 0 {
		var head [4]byte
		if _, err := io.ReadFull(w.Conn, head[:]); err != nil {
			return 0, err
		}
		m := append(head[:], make([]byte, binary.BigEndian.Uint32(head[:]))...)
		if _, err := io.ReadFull(w.Conn, m[4:]); err != nil {
			return 0, err
		}
		if w.from != nil {
			m = w.from(kind(m[4]), m)
		}
		w.buf = m
	}
	n := copy(b, w.buf)
	w.buf = w.buf[n:]
	return n, nil
}

// muster starts n workers and greets them. meddle may be nil.
func (x *trial) muster(n int, meddle func(i int, w *Worker, c *wire)) *Fleet {
	var members []Member
	for i := range n {
		ours, theirs := net.Pipe()
		w, c := Worker{Version: "v1", Dial: x.dial}, &wire{Conn: ours}
		if meddle != nil {
			meddle(i, &w, c)
		}
		x.workers.Go(func() {
			if err := w.Serve(x.t.Context(), theirs); err != nil {
				x.t.Logf("worker %d: %v", i+1, err)
			}
		})
		members = append(members, Member{Conn: c})
	}
	return Muster(x.t.Context(), x.options(), members)
}

// finish closes the fleet and waits for its workers.
func (x *trial) finish(f *Fleet) {
	if err := f.Close(); err != nil {
		x.t.Error(err)
	}
	x.workers.Wait()
}

// wave is a load of so many streams of ten events, one each 20 ms. A third is broken
// after an event.
func (x *trial) wave(w load.Wave) Wave {
	x.t.Helper()
	d, _ := stream.Lookup("origin")
	w.Scenario, w.First, w.Dialect, w.Method = "s", 1, &d, "GET"
	w.Follow = &tap.Follow{Own: []string{"a:1"}}
	path := "/stream?events=10&gap=20ms"
	deal := load.Deal{Draw: load.Draw{Scenario: "s", Seed: 7, Grouped: true, Victims: 0.5}, Path: path,
		Broken: []string{path + "&sabotage=silent-truncation", path + "&sabotage=cut-in-frame"},
		Targets: map[record.Group]load.Target{record.Victim: {Group: record.Victim, Hop: "app", URL: x.url},
			record.Control: {Group: record.Control, Hop: "app", URL: x.url}}}
	data, err := DataOf(w, deal, nil, record.Policy{}, tap.Reach{})
	if err != nil {
		x.t.Fatal(err)
	}
	return data
}

// fate is what must be the same of a stream, whoever sent it.
func fate(s record.Stream) string {
	return fmt.Sprint(s.Seq, s.Group, s.Nonce, s.Hop, s.Status, s.Contents, s.Content.State, s.Limit, s.Wire.Where)
}

func fates(all map[uint64]record.Stream) (list []string) {
	for _, seq := range slices.Sorted(maps.Keys(all)) {
		list = append(list, fate(all[seq]))
	}
	return list
}

// alone is what one process comes to without a fleet.
func alone(t *testing.T, w load.Wave) (rec record.Wave, all []string) {
	try(t, func(x *trial) {
		taps, err := tap.New(tap.Options{Seed: 7, Dial: x.dial, Begin: x.options().Begin, Done: x.options().Done})
		if err != nil {
			x.t.Fatal(err)
		}
		data := x.wave(w)
		wave, err := data.Load()
		if err == nil {
			rec, err = load.Drive(x.t.Context(), taps, wave)
		}
		if err != nil || taps.Close() != nil {
			x.t.Fatal(err)
		}
		all = fates(x.ended)
	})
	return rec, all
}

// TestFleetSendsTheWave: whatever the number of workers, each stream has the fate that it
// has when one process sends the whole wave.
func TestFleetSendsTheWave(t *testing.T) {
	for name, w := range map[string]load.Wave{
		"closed": {Streams: 24, Total: 24}, "turns": {Streams: 8, Total: 24}, "open": {Rate: 100, Total: 24},
	} {
		want, all := alone(t, w)
		if text := fmt.Sprint(all); len(all) != 24 || !strings.Contains(text, "complete") ||
			!strings.Contains(text, "victim") || !strings.Contains(text, "control") {
			t.Fatalf("%s: %v", name, all)
		}
		for _, n := range []int{1, 2, 4, 9} {
			t.Run(fmt.Sprint(name, " by ", n), func(t *testing.T) {
				try(t, func(x *trial) {
					f := x.muster(n, nil)
					rec, came, err := f.Drive(x.t.Context(), x.wave(w))
					x.finish(f)
					if got := fates(x.ended); err != nil || !slices.Equal(got, all) {
						x.t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(all, "\n"))
					}
					if rec.Asked != want.Asked || rec.Started != want.Started || rec.Group != want.Group || rec.Hop != want.Hop {
						x.t.Errorf("wave %+v, want %+v", rec, want)
					}
					sum := 0
					for _, c := range came {
						sum += c.Started
						if bound, known := c.ClockBound(); c.State != record.LoadWorkerDone || !known || bound > clockBound ||
							c.Asked != c.Started || c.Ended != c.Started {
							x.t.Errorf("%s: %+v", c.Name(), c)
						}
					}
					if len(came) != n || sum != 24 {
						x.t.Errorf("%d workers, %d streams", len(came), sum)
					}
				})
			})
		}
	}
}

// whole checks that every stream has begun and ended once, and counts those that were
// lost.
func (x *trial) whole(rec record.Wave) (lost int) {
	x.t.Helper()
	for seq, n := range x.begun {
		if s, ok := x.ended[seq]; n != 1 || !ok {
			x.t.Errorf("stream %d began %d times, and ended: %v", seq, n, ok)
		} else if s.Limit == record.CancelledByLoss {
			lost++
		}
	}
	if len(x.begun) != rec.Started || len(x.ended) != rec.Started {
		x.t.Errorf("%d streams began, %d ended, the wave says %d", len(x.begun), len(x.ended), rec.Started)
	}
	return lost
}

// TestLostWorkers: a worker that is killed at any moment is named, and each stream that
// it had begun is ended as lost; the others send theirs.
func TestLostWorkers(t *testing.T) {
	for _, at := range []time.Duration{1 * ms, 150 * ms, 199 * ms, 200 * ms, 205 * ms, 210 * ms, 250 * ms, 333 * ms, 399 * ms} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			try(t, func(x *trial) {
				f := x.muster(3, nil)
				time.AfterFunc(at, func() { f.members[1].conn.rw.(*wire).Conn.Close() })
				w := x.wave(load.Wave{Streams: 30, Total: 30, Ramp: 50 * ms})
				w.Deal.Broken = nil
				rec, came, err := f.Drive(x.t.Context(), w)
				second, again, _ := f.Drive(x.t.Context(), w)
				x.finish(f)
				if err != nil || len(came) != 3 || came[1].State != record.LoadWorkerLost || came[1].Why == "" ||
					came[0].State != record.LoadWorkerDone || came[2].State != record.LoadWorkerDone {
					x.t.Errorf("%v: %+v", err, came)
				}
				lost := x.whole(rec)
				if c := came[1]; lost != c.Unknown || c.Started != c.Ended+c.Unknown || rec.Asked != 30 ||
					rec.Started != 20+c.Started {
					x.t.Errorf("%d streams were lost: %+v, wave %+v", lost, c, rec)
				}
				if second.Started != 0 || again[1].State != record.LoadWorkerLost {
					x.t.Errorf("without it %d streams of the next wave were sent: %+v", second.Started, again)
				}
			})
		})
	}
}

// cut swallows messages of one kind.
func cut(which kind) func(kind, []byte) []byte {
	return func(k kind, m []byte) []byte {
		if k == which {
			return nil
		}
		return m
	}
}

// TestFaultyWorkers: what a worker is not at one with us on is named, and never passes.
func TestFaultyWorkers(t *testing.T) {
	type blame struct {
		state record.LoadWorkerState
		on    record.Agreement
		sent  bool // the others sent their shares
	}
	once := func(which kind, do func(m []byte) []byte) func(kind, []byte) []byte {
		n := 0
		return func(k kind, m []byte) []byte {
			if k != which || n > 0 {
				return m
			}
			n++
			return do(m)
		}
	}
	hold := func(d time.Duration) func([]byte) []byte {
		return func(m []byte) []byte { time.Sleep(d); return m }
	}
	swallow := func([]byte) []byte { return nil }
	for name, tc := range map[string]struct {
		want   blame
		meddle func(w *Worker, c *wire)
	}{
		"version": {blame{record.LoadWorkerDisagrees, record.OnVersion, false},
			func(w *Worker, _ *wire) { w.Version = "v2" }},
		"protocol": {blame{record.LoadWorkerDisagrees, record.OnProtocol, false},
			func(_ *Worker, c *wire) {
				c.from = once(kindHere, func(m []byte) []byte {
					m[5+2]++ // {1: Protocol, …}
					return m
				})
			}},
		"plan": {blame{record.LoadWorkerDisagrees, record.OnPlan, false}, func(_ *Worker, c *wire) {
			c.to = once(kindWave, func(m []byte) []byte {
				return []byte(strings.Replace(string(m), "gap=20ms", "gap=21ms", 1))
			})
		}},
		"a plan that it cannot read": {blame{record.LoadWorkerDisagrees, record.OnPlan, false},
			func(_ *Worker, c *wire) {
				c.to = once(kindWave, func(m []byte) []byte {
					return []byte(strings.Replace(string(m), "forigin", "fnogirO", 1))
				})
			}},
		"clock from the beginning": {blame{record.LoadWorkerDisagrees, record.OnClock, false},
			func(w *Worker, _ *wire) {
				first := true
				w.skew = func(d time.Duration) time.Duration {
					if first = first && d < 5*ms; first {
						return d
					}
					return d + 11*ms
				}
			}},
		"clock at the end": {blame{record.LoadWorkerDisagrees, record.OnClock, true}, func(w *Worker, _ *wire) {
			w.skew = func(d time.Duration) time.Duration {
				if d > 300*ms {
					return d - 20*ms
				}
				return d
			}
		}},
		"a clock that nobody can tell": {blame{record.LoadWorkerDisagrees, record.OnClock, false},
			func(_ *Worker, c *wire) {
				c.from = func(k kind, m []byte) []byte {
					if k == kindPong {
						time.Sleep(25 * ms)
					}
					return m
				}
			}},
		"no room for its share": {blame{record.LoadWorkerDisagrees, record.OnRoom, false},
			func(w *Worker, _ *wire) { w.room = 9 }},
		"cannot reach the app": {blame{record.LoadWorkerDisagrees, record.OnReach, false},
			func(w *Worker, _ *wire) {
				w.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") }
			}},
		"does not trust the app": {blame{record.LoadWorkerDisagrees, record.OnTLS, false},
			func(_ *Worker, c *wire) {
				c.from = once(kindReady, func(m []byte) []byte {
					r, err := read[ready](m[5:])
					if err != nil {
						t.Error(err)
					}
					r.Address, r.Why, r.TLS = "a:1", "x509: unknown authority", true
					return message(t, kindReady, r)
				})
			}},
		"one end is missing": {blame{record.LoadWorkerDisagrees, record.OnStreams, true},
			func(_ *Worker, c *wire) { c.from = once(kindEnd, swallow) }},
		"late to begin": {blame{record.LoadWorkerLate, record.OnStart, true},
			func(_ *Worker, c *wire) { c.to = once(kindGo, hold(lead+11*ms)) }},
		"not ready": {blame{record.LoadWorkerLate, record.OnReady, false},
			func(_ *Worker, c *wire) { c.from = cut(kindReady) }},
		"silent": {blame{record.LoadWorkerLost, record.OnSilence, true}, func(_ *Worker, c *wire) {
			c.from = func(k kind, m []byte) []byte {
				if k >= kindChanges {
					return nil
				}
				return m
			}
		}},
		"does not greet": {blame{record.LoadWorkerLost, record.OnGreeting, false},
			func(_ *Worker, c *wire) { c.from = cut(kindHere) }},
		"no message at all": {blame{record.LoadWorkerLost, "", true},
			func(_ *Worker, c *wire) {
				c.from = once(kindChanges, func(m []byte) []byte { m[0] = 0xff; return m })
			}},
	} {
		t.Run(name, func(t *testing.T) {
			try(t, func(x *trial) {
				f := x.muster(3, func(i int, w *Worker, c *wire) {
					if i == 1 {
						tc.meddle(w, c)
					}
				})
				time.Sleep(6 * ms)
				rec, came, err := f.Drive(x.t.Context(), x.wave(load.Wave{Streams: 30, Total: 30}))
				if name == "one end is missing" {
					f.members[1].hangUp("", nil)
				}
				x.finish(f)
				got := came[1]
				if err != nil || got.State != tc.want.state || got.On != tc.want.on || rec.Asked != 30 || got.Index != 1 {
					x.t.Errorf("%v: %+v", err, got)
				}
				if sent := rec.Started > 0; sent != tc.want.sent {
					x.t.Errorf("%d streams were sent", rec.Started)
				}
				for _, i := range []int{0, 2} {
					if c := came[i]; tc.want.sent && c.State != record.LoadWorkerDone || !tc.want.sent && c.State != "" {
						x.t.Errorf("%s: %+v", c.Name(), c)
					}
				}
				x.whole(rec)
			})
		})
	}
}

// TestStoppedFleet: streams end as cancelled, and no worker is blamed.
func TestStoppedFleet(t *testing.T) {
	for _, at := range []time.Duration{0, 100 * ms, 210 * ms, 300 * ms} {
		try(t, func(x *trial) {
			f := x.muster(2, nil)
			ctx, cancel := context.WithCancel(x.t.Context())
			defer cancel()
			if at == 0 {
				cancel()
			}
			time.AfterFunc(at, cancel)
			rec, came, err := f.Drive(ctx, x.wave(load.Wave{Streams: 10, Total: 10}))
			x.finish(f)
			for _, c := range came {
				if c.State != record.LoadWorkerDone {
					x.t.Errorf("stopped after %v: %+v", at, c)
				}
			}
			if lost := x.whole(rec); err != nil || lost > 0 || at > lead && rec.Started != 10 {
				x.t.Errorf("stopped after %v: %v, %d lost, %+v", at, err, lost, rec)
			}
		})
	}
}

// TestWorkersGoWithTheirParent: no stream of a worker outlives the connection.
func TestWorkersGoWithTheirParent(t *testing.T) {
	try(t, func(x *trial) {
		f := x.muster(2, nil)
		time.AfterFunc(260*ms, func() { f.Close() })
		f.Drive(x.t.Context(), x.wave(load.Wave{Streams: 10, Total: 10}))
		at := x.now()
		x.workers.Wait()
		if took := x.now() - at; took > 100*ms {
			x.t.Errorf("the workers went after %v", took)
		}
	})
}

// TestFleetWatch: a condition over all workers sees each stream begin, get its events and
// end, no later than it is told.
func TestFleetWatch(t *testing.T) {
	try(t, func(x *trial) {
		f := x.muster(3, nil)
		w := f.Watch(tap.Interest{Events: 5})
		seen := map[uint64][]tap.Live{}
		over := make(chan struct{})
		go func() {
			defer close(over)
			ended := 0
			for ended < 12 {
				<-w.C
				for l := range w.Changed {
					seen[l.Seq] = append(seen[l.Seq], l)
					if l.Over {
						ended++
					}
				}
			}
		}()
		data := x.wave(load.Wave{Streams: 12, Total: 12})
		data.Deal.Broken = nil
		data.Deal.Path = "/stream?events=20&gap=30ms"
		if _, _, err := f.Drive(x.t.Context(), data); err != nil {
			x.t.Error(err)
		}
		<-over
		w.Stop()
		w.Stop()
		for l := range f.Live {
			x.t.Errorf("stream %d is still in flight", l.Seq)
		}
		x.finish(f)
		for seq, ls := range seen {
			five := slices.IndexFunc(ls, func(l tap.Live) bool { return l.Events >= 5 })
			if last := ls[len(ls)-1]; ls[0].Events != 0 || ls[0].Group == "" || five < 1 || ls[five].Over || !last.Over ||
				last.Events != 21 || !slices.IsSortedFunc(ls, func(a, b tap.Live) int { return cmp.Compare(a.Events, b.Events) }) {
				x.t.Errorf("stream %d was told as %+v", seq, ls)
			}
		}
		if len(seen) != 12 {
			x.t.Errorf("%d streams were told", len(seen))
		}
	})
}

// TestWavesAreData: what a worker reads is what was meant, to the last field.
func TestWavesAreData(t *testing.T) {
	terminal, err := stream.ParseTerminal("data == [DONE]")
	if err != nil {
		t.Fatal(err)
	}
	order, err := stream.ParsePlace(".n")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := stream.Lookup("sse-generic")
	own := d
	own.Name = "my-own"
	own.Spec = &stream.Spec{Name: "my-own", Like: "sse-generic"}
	w := load.Wave{Scenario: "s", Dialect: &own, Ask: stream.Ask{Terminal: terminal, Order: order, Sentinel: "end"},
		Schedule: make([]time.Duration, 200_000), Rate: 1.1, Prompts: []string{"a\xff"}, Body: []byte{},
		Header: map[string][]string{"A": {"b", "c"}}, Follow: &tap.Follow{}}
	data, err := DataOf(w, load.Deal{Path: "/"}, &load.Requests{Seed: 1 << 63}, record.Policy{}, tap.Reach{Hosts: []string{"Chat.test"}})
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := data.bytes()
	if err != nil {
		t.Fatal(err)
	}
	back, err := read[Wave](bytes)
	if err != nil {
		t.Fatal(err)
	}
	again, err := back.bytes()
	if err != nil || digest(again, 1, 2) != digest(bytes, 1, 2) || !reflect.DeepEqual(back, data) {
		t.Errorf("%v: a wave has changed on the wire", err)
	}
	if digest(bytes, 0, 2) == digest(bytes, 1, 2) {
		t.Error("two shares have one digest")
	}
	got, err := back.Load()
	if err != nil {
		t.Fatal(err)
	}
	if got.Ask.Terminal.String() != terminal.String() || got.Ask.Order.String() != ".n" || got.Ask.Failure != nil ||
		got.Dialect.Name != "my-own" {
		t.Errorf("%+v", got)
	}
	for host, want := range map[string]bool{"chat.TEST": true, "127.0.0.9": true, "localhost": true, "::1": true,
		"other.test": false} {
		if _, ok := got.Follow.Way(&url.URL{Scheme: "http", Host: net.JoinHostPort(host, "80")}); ok != want {
			t.Errorf("redirects to %s: %v", host, !want)
		}
	}
}

// message is one as it is sent.
func message(t *testing.T, k kind, body any) []byte {
	t.Helper()
	b, err := encode.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	m := binary.BigEndian.AppendUint32(nil, uint32(1+len(b)))
	return append(append(m, byte(k)), b...)
}
