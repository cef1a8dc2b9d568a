package origin

import (
	"net"
	"net/http"
	"testing"
	"unicode/utf8"
)

// A sink is a connection that takes everything.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// emitter is a reply that writes to nowhere, as fast as it can.
func emitter(t testing.TB, format string) *reply {
	t.Helper()
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	a := DefaultAnswer
	a.Gap, a.Format = 0, format
	r := s.newReply(&http.Request{ProtoMajor: 1, ProtoMinor: 1}, a, "0d9a6e1c-stream")
	r.conn, r.account = sink{}, new(account)
	return r
}

func TestEmittingAllocatesNothing(t *testing.T) {
	for _, format := range Formats() {
		r := emitter(t, format)
		seq := 0
		next := func() {
			seq++
			if err := r.event(seq); err != nil {
				t.Fatal(err)
			}
		}
		next() // grows the buffers
		if n := testing.AllocsPerRun(100, next); n > 0 {
			t.Errorf("%s: %v allocations per event", format, n)
		}
	}
}

// BenchmarkEvent is the way of one event without its wait and its write.
func BenchmarkEvent(b *testing.B) {
	for _, format := range Formats() {
		b.Run(format, func(b *testing.B) {
			r := emitter(b, format)
			b.ReportAllocs()
			for seq := 1; b.Loop(); seq++ {
				if err := r.event(seq); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestChunkSize(t *testing.T) {
	for size, want := range map[int]string{0: "0\r\n", 15: "f\r\n", 16: "10\r\n", 0x5e: "5e\r\n", maxSize: "1000000\r\n"} {
		var b [headRoom]byte
		if got := string(b[putChunkSize(b[:], size):]); got != want {
			t.Errorf("size %d: %q, want %q", size, got, want)
		}
	}
}

func TestTextHasItsSize(t *testing.T) {
	for size := 1; size < 200; size++ {
		if got := appendText(nil, uint64(size), 1, size); len(got) != size || !utf8.Valid(got) {
			t.Errorf("text of size %d is %q", size, got)
		}
	}
}
