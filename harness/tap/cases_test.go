package tap

import (
	"cmp"
	"testing"

	"github.com/streamproof/streamproof/harness/http1/http1test"
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
			if rec.Wire.Framing != c.Framing || rec.Wire.Where != c.Where || rec.Wire.Garbage != c.Garbage || rec.Bytes != int64(len(c.Body)) {
				t.Errorf("framing %q, %d bytes, %q, garbage %q; want %q, %d, %q, %q", rec.Wire.Framing, rec.Bytes, rec.Wire.Where, rec.Wire.Garbage,
					c.Framing, len(c.Body), c.Where, c.Garbage)
			}
			if rec.Status != c.Status && c.Framing != "" {
				t.Errorf("status %d, want %d", rec.Status, c.Status)
			}
		})
	}
}
