package tap_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// answer is a complete response of n events, each of some size.
func answer(n, size int) (s string, bytes int) {
	var b strings.Builder
	for range n {
		b.WriteString("data: " + strings.Repeat("x", size) + "\n\n")
	}
	b.WriteString(done)
	return chunkedHead + chunk(b.String()) + lastChunk, b.Len()
}

// TestSlowReaderTakesItsTime: the complete response lies in the socket from the start.
func TestSlowReaderTakesItsTime(t *testing.T) {
	const rate = 40_000
	text, size := answer(100, 192)
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, always(say(text), fin))
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask, Read: tap.Reading{Rate: rate},
			Limits: tap.Limits{Gap: 400 * time.Millisecond}})
		if got.Content.State != "complete" || got.Contents != 100 || got.Limit != record.NoLimit {
			t.Fatalf("%s (%s), %d events, limit %q", got.Content.State, got.Content.Why, got.Contents, got.Limit)
		}
		least := time.Duration(size) * time.Second / rate * 9 / 10
		if took := got.End - got.Send; took < least {
			t.Errorf("%d bytes taken in %v, want at least %v", size, took, least)
		}
		var last time.Duration
		steps := 0
		for m := range got.Marks() {
			if m.At > last {
				steps++
			}
			last = m.At
		}
		if steps < 15 {
			t.Errorf("100 events arrived in %d steps: they were not taken bit by bit", steps)
		}
	})
}

// TestSlowReaderHoldsNobodyUp: on the same loop, quick streams end while slow
// ones have hardly begun.
func TestSlowReaderHoldsNobodyUp(t *testing.T) {
	text, _ := answer(100, 192)
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, always(say(text), fin))
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		job := tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask}
		slow := job
		slow.Read.Rate = 100
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var sluggish sync.WaitGroup
		for i := range uint64(20) {
			sluggish.Go(func() {
				slow := slow
				slow.Seq = 1 + i
				r.send(ctx, 0, slow)
			})
		}
		var quick sync.WaitGroup
		for i := range uint64(20) {
			quick.Go(func() {
				job := job
				job.Seq = 100 + i
				if err := r.send(ctx, 0, job); err != nil {
					t.Errorf("quick stream: %v", err)
				}
			})
		}
		quick.Wait()
		r.mu.Lock()
		ended := len(r.ended)
		r.mu.Unlock()
		if ended != 20 {
			t.Errorf("%d streams had ended when the quick ones had, want those 20", ended)
		}
		stop()
		sluggish.Wait()
		for _, got := range r.ended[20:] {
			if got.Limit != record.CancelledByEnd || got.Contents > 10 {
				t.Errorf("slow stream %d: limit %q, %d events", got.Seq, got.Limit, got.Contents)
			}
		}
	})
}

// TestSlowReaderPressesBack: what a client does not take, its server cannot send
// for ever.
func TestSlowReaderPressesBack(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, always(say(closeHead), flood("data: more\n\n")))
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		job := tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask, Abort: tap.Abort{After: 500 * time.Millisecond}}
		quick := r.get(job)
		job.Read = tap.Reading{Rate: 10_000, Buffer: 4096}
		slow := r.get(job)
		if quick.Limit != record.CancelledByUs || slow.Limit != record.CancelledByUs {
			t.Fatalf("limits %q and %q", quick.Limit, slow.Limit)
		}
		if most := int64(10_000 * 2 * (slow.End - slow.Send).Seconds()); slow.Bytes > most || slow.Bytes == 0 {
			t.Errorf("the slow client took %d bytes, want 1 to %d", slow.Bytes, most)
		}
		if quick.Bytes < 20*slow.Bytes {
			t.Errorf("the quick client took %d bytes, the slow one %d", quick.Bytes, slow.Bytes)
		}
	})
}

func TestClientIsToldHowItsStreamEnded(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		s := serve(t, always(say(chunkedHead+chunk("id: 6\nretry: 250\ndata: a\n\nid: 7\ndata: b\n\n")), fin))
		r := newRig(t, tap.Options{Mode: mode})
		d, ask := generic(t)
		var told []tap.Ended
		got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask, After: 41,
			Then: func(e tap.Ended) { told = append(told, e) }})
		if len(told) != 1 {
			t.Fatalf("told %d times", len(told))
		}
		if e := told[0]; e.LastID != "7" || e.Retry != 250*time.Millisecond || e.Stream.Seq != got.Seq ||
			e.Stream.TerminalAt != record.Never {
			t.Errorf("told %+v", e)
		}
		if got.After != 41 {
			t.Errorf("the record names %d as the one before", got.After)
		}
	})
}
