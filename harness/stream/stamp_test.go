package stream

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Stamps are what package time reads, whatever stands there.
func TestStamp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		at := time.Unix(r.Int64N(7_000_000_000)-100, r.Int64N(1e9)).UTC()
		text := []byte(at.Format([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z07:00"}[r.IntN(3)]))
		if r.IntN(3) == 0 {
			text[r.IntN(len(text))] = "0123456789:-.TZ+x"[r.IntN(17)]
		}
		var want int64
		if parsed := (time.Time{}); parsed.UnmarshalText(text) == nil {
			want = parsed.UnixNano()
		}
		if got := stamp(fmt.Appendf(nil, "%q", text)); got != want {
			t.Fatalf("%s: %d, want %d", text, got, want)
		}
	}
}
