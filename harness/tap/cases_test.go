package tap

import (
	"cmp"
	"testing"

	"github.com/streamproof/streamproof/harness/http1/http1test"
	"github.com/streamproof/streamproof/harness/record"
)

// TestResponseCases: the record of a stream says of each case what the table says.
func TestResponseCases(t *testing.T) {
	for _, c := range http1test.Responses {
		t.Run(c.Name, func(t *testing.T) {
			tp, err := New(Options{Mode: Conn})
			if err != nil {
				t.Fatal(err)
			}
			defer tp.Close()
			f := &flight{tap: tp, news: make(chan struct{}, 1)}
			f.begin(&Job{}, &request{method: cmp.Or(c.Method, "GET"), header: map[string][]string{}})
			f.connected(1)
			f.sent(2)
			f.feed([]byte(c.Wire), reading{at: 3, now: 3})
			f.finishWire(true)
			rec := &f.rec
			got := record.Wire{Framing: rec.Wire.Framing, Where: rec.Wire.Where, Garbage: rec.Wire.Garbage}
			want := record.Wire{Framing: c.Framing, Where: c.Where, Garbage: c.Garbage}
			if got != want || rec.Bytes != int64(len(c.Body)) {
				t.Errorf("%d bytes, %+v; want %d, %+v", rec.Bytes, got, len(c.Body), want)
			}
			if rec.Status != c.Status && c.Framing != "" {
				t.Errorf("status %d, want %d", rec.Status, c.Status)
			}
		})
	}
}
