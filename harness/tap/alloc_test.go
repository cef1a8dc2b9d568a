package tap

import (
	"fmt"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stream"
)

// inBody returns a flight in the body of a chunked answer of our own server, and
// one chunk with event n.
func inBody(t testing.TB) *flight {
	d, ok := stream.Lookup("origin")
	if !ok {
		t.Fatal("no dialect origin")
	}
	tp, err := New(Options{Mode: Conn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tp.Close() })
	f := &flight{tap: tp, news: make(chan struct{}, 1)}
	f.begin(&Job{Dialect: &d}, &request{method: "GET", header: map[string][]string{}})
	f.connected(1)
	f.sent(2)
	f.feed([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), reading{at: 3, now: 3})
	return f
}

func oneChunk(f *flight, n int) []byte {
	ev := fmt.Sprintf("id: %d\ndata: {\"seq\":%d,\"t\":%d,\"nonce\":%q,\"pid\":1,\"text\":\"the quick brown fox\"}\n\n",
		n, n, 1764057600000000000+n*1e8, f.rec.Nonce)
	return fmt.Appendf(nil, "%x\r\n%s\r\n", len(ev), ev)
}

// TestNoAllocationPerEvent feeds events from their bytes on the wire to the
// timeline. A timeline grows by doubling, which is rare: fewer than one allocation
// in a hundred events. Who waits for an event changes nothing.
func TestNoAllocationPerEvent(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates on its own account")
	}
	t.Run("unwatched", func(t *testing.T) { noAllocationPerEvent(t, inBody(t)) })
	t.Run("watched", func(t *testing.T) {
		f := inBody(t)
		w := f.tap.Watch(Interest{Events: 1500, Heartbeats: true})
		defer w.Stop()
		noAllocationPerEvent(t, f)
		if len(w.changed) != 1 || w.changed[0] != f {
			t.Errorf("told %d times, want once, at event 1500", len(w.changed))
		}
	})
}

func noAllocationPerEvent(t *testing.T, f *flight) {
	const runs = 2000
	chunks := make([][]byte, runs+2)
	for i := range chunks {
		chunks[i] = oneChunk(f, i+1)
	}
	n := 0
	perHundred := testing.AllocsPerRun(runs/100, func() {
		for range min(100, len(chunks)-n) {
			at := time.Duration(n) * time.Millisecond
			f.feed(chunks[n], reading{at: at, now: at})
			n++
		}
	})
	if perHundred > 1 {
		t.Errorf("%v allocations per hundred events", perHundred)
	}
	if f.rec.Contents != n || f.halt != nil {
		t.Fatalf("%d of %d events read (%+v)", f.rec.Contents, n, f.halt)
	}
}

// BenchmarkFeed is the whole way of an event, from the bytes of a read to the
// timeline, but for the system call.
func BenchmarkFeed(b *testing.B) {
	f := inBody(b)
	c := oneChunk(f, 1)
	b.SetBytes(int64(len(c)))
	b.ReportAllocs()
	for at := time.Duration(0); b.Loop(); at++ {
		f.feed(c, reading{at: at, now: at})
		f.events.line.Bytes = f.events.line.Bytes[:0]
	}
	if f.rec.Contents == 0 {
		b.Fatal("no event read")
	}
}
