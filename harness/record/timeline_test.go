package record

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/stream"
)

func TestTimelineRoundTrip(t *testing.T) {
	want := []Mark{
		{At: 100, Early: 100, Kind: stream.Meta, Seq: -1},
		{At: 250, Early: 250, Kind: stream.Content, Seq: 1, Emit: 1764057600e9, Size: 100},
		{At: 250, Early: 100, Kind: stream.Content, Seq: 2, Emit: 1764057600e9 + 5, Size: 1},
		{At: 300, Early: 300, Kind: stream.Heartbeat, Seq: -1},
		{At: 200, Early: 200, Kind: stream.Content, Seq: 9, Size: math.MaxInt32}, // back in time, and a gap
		{At: 400, Early: 400, Kind: stream.Content, Seq: 3, Emit: 7},
		{At: time.Hour, Early: time.Minute, Kind: stream.Terminal, Seq: 0, Emit: 8},
		{At: time.Hour, Early: time.Hour, Kind: stream.Error, Seq: 1},
	}
	var tl Timeline
	for _, m := range want {
		tl.Append(m)
	}
	if got := slices.Collect(Marks(tl.Bytes)); !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	// Cut anywhere, it yields whole events up to the cut.
	for n := range tl.Bytes {
		got := slices.Collect(Marks(tl.Bytes[:n]))
		if len(got) >= len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("%d bytes: %v", n, got)
		}
	}
	for range Marks(tl.Bytes) {
		break // stopping early is allowed
	}
}

func TestTimelineIsBounded(t *testing.T) {
	var tl Timeline
	for i := range 200_000 {
		tl.Append(Mark{At: time.Duration(i) * time.Second, Early: 0, Kind: stream.Content, Seq: int64(i)})
	}
	if len(tl.Bytes) > MaxTimeline+64 || tl.Omitted == 0 {
		t.Errorf("%d bytes, %d omitted", len(tl.Bytes), tl.Omitted)
	}
	if kept := len(slices.Collect(Marks(tl.Bytes))); kept+tl.Omitted != 200_000 {
		t.Errorf("%d kept and %d omitted of 200,000", kept, tl.Omitted)
	}
}

// An event of a steady stream takes 12 bytes at most.
func TestTimelineIsCompact(t *testing.T) {
	var tl Timeline
	for i := range int64(1000) {
		at := time.Duration(i)*100*time.Millisecond + time.Duration(i%7)*time.Microsecond
		tl.Append(Mark{At: at, Early: at, Kind: stream.Content, Seq: i + 1, Emit: 1764057600e9 + int64(at), Size: 120})
	}
	if n := len(tl.Bytes) / 1000; n > 12 {
		t.Errorf("%d bytes an event", n)
	}
}
