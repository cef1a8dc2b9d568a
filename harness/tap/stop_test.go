package tap_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// begin starts n streams that say one event and no more, and waits until all are
// in their bodies. over is closed when they have ended.
func (r *rig) begin(ctx context.Context, n int, job tap.Job) (over chan struct{}) {
	r.t.Helper()
	over = make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { r.send(ctx, uint64(i), job) })
	}
	go func() { wg.Wait(); close(over) }() // ends with the streams
	await(r.t, "all streams in their bodies", func() bool {
		inBody := 0
		r.Live(func(l tap.Live) bool {
			if l.InBody && l.Contents == 1 {
				inBody++
			}
			return true
		})
		return inBody == n
	})
	return over
}

// await fails the test if cond does not come true in good time.
func await(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// TestEndedByUs ends streams in flight in each way in which we can.
func TestEndedByUs(t *testing.T) {
	ways := []struct {
		name string
		end  func(r *rig, cancel func())
		want record.Limit
	}{
		{"stop", func(r *rig, _ func()) { r.Stop(record.CancelledByEnd) }, record.CancelledByEnd},
		{"stop for another reason", func(r *rig, _ func()) { r.Stop(record.TotalLimit) }, record.TotalLimit},
		{"context", func(_ *rig, cancel func()) { cancel() }, record.CancelledByEnd},
		{"close", func(r *rig, _ func()) { r.Tap.Close() }, record.CancelledByEnd},
	}
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				s := serve(t, always(say(chunkedHead+chunk(event(1))), hold))
				r := newRig(t, tap.Options{Mode: mode})
				d, ask := generic(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				over := r.begin(ctx, 50, tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask})
				way.end(r, cancel)
				<-over
				if len(r.ended) != 50 {
					t.Errorf("%d streams recorded, want 50", len(r.ended))
				}
				for _, got := range r.ended {
					if got.Limit != way.want || got.Wire.Close != record.CloseNone || got.Wire.Where != record.BetweenChunks {
						t.Errorf("limit %q, %+v; want %q between chunks", got.Limit, got.Wire, way.want)
					}
				}
			})
		}
	})
}

// TestCompressedEndedByUs: a stream that left its loop hears of it too.
func TestCompressedEndedByUs(t *testing.T) {
	s := serve(t, always(say(gzipHead), hold))
	r := newRig(t, tap.Options{})
	over := make(chan error, 1)
	go func() { over <- r.send(t.Context(), 0, tap.Job{URL: "http://" + s.Addr}) }() // awaited below
	await(t, "the stream's head", func() (in bool) {
		r.Live(func(l tap.Live) bool { in = l.InBody; return true })
		return in
	})
	r.Stop(record.CancelledByUs)
	var end *tap.EndError
	if err := <-over; !errors.As(err, &end) || end.Limit != record.CancelledByUs {
		t.Errorf("stream ended with %v, want a client abort", err)
	}
}

func TestClientAbort(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for name, abort := range map[string]tap.Abort{"events": {AfterEvents: 3}, "time": {After: 100 * time.Millisecond}} {
			s := serve(t, always(say(chunkedHead+chunk(event(1)+event(2)+event(3)+event(4))), hold))
			r := newRig(t, tap.Options{Mode: mode})
			d, ask := generic(t)
			got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask, Abort: abort})
			if got.Limit != record.CancelledByUs || abort.AfterEvents > 0 && got.Contents != 3 {
				t.Errorf("after %s: limit %q after %d events", name, got.Limit, got.Contents)
			}
		}
	})
}

func TestClosedTapRefuses(t *testing.T) {
	r := newRig(t, tap.Options{})
	r.Tap.Close()
	if err := r.send(t.Context(), 0, tap.Job{URL: "http://127.0.0.1:1"}); !errors.Is(err, tap.ErrClosed) {
		t.Errorf("stream on a closed tap: %v, want %v", err, tap.ErrClosed)
	}
}

func TestNeverConnected(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for url, want := range map[string]string{
			"http://127.0.0.1:1":              "connection refused",
			"http://no-such-host.invalid:80/": "no-such-host.invalid",
		} {
			r := newRig(t, tap.Options{Mode: mode})
			got := r.get(tap.Job{URL: url})
			w := got.Wire
			if w.Where != record.BeforeConnect || w.Close != record.CloseError || !strings.Contains(w.Err, want) ||
				got.Connect != record.Never {
				t.Errorf("%s: %+v, connected at %v", url, w, got.Connect)
			}
		}
	})
}

// TestSecondAddress: a name's next address is tried when the first refuses.
func TestSecondAddress(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, always(say(chunkedHead+chunk(done)+lastChunk), hold)) // on 127.0.0.1 alone
		r := newRig(t, tap.Options{Mode: mode})
		if got := r.get(tap.Job{URL: "http://localhost" + s.Addr[strings.LastIndex(s.Addr,
			":"):]}); got.Status != http.StatusOK {
			t.Errorf("status %d, %+v", got.Status, got.Wire)
		}
	})
}

// TestNoFileStaysOpen counts descriptors before and after.
func TestNoFileStaysOpen(t *testing.T) {
	const dir = "/proc/self/fd"
	if _, err := os.ReadDir(dir); err != nil {
		t.Skipf("this system has no %s to count open files in", dir)
	}
	count := func() int {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	before := count()
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for _, c := range endings {
			t.Run(c.name, func(t *testing.T) { c.check(t, mode) })
		}
	})
	await(t, "all files closed", func() bool { return count() <= before })
}
