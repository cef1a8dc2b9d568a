package harness

import (
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// TestForeignIDs: the ID of another stream of the run convicts, one that nobody
// knows does not.
func TestForeignIDs(t *testing.T) {
	s := seen{hide: func(text string) string { return text }, nonces: map[string]uint64{}}
	s.began(&record.Stream{Seq: 1, Nonce: "0123456789abcdef0123456789abcdef"})
	for other, want := range map[string]stream.State{
		"":                                     stream.Complete,
		"chatcmpl-1":                           stream.Complete,
		"0123456789abcdef0123456789abcdef":     stream.Foreign,
		"01234567-89AB-cdef-0123-456789abcdef": stream.Foreign,
	} {
		st := &record.Stream{Seq: 2, Nonce: "ffffffffffffffffffffffffffffffff", Content: stream.Summary{State: stream.Complete, Other: other}}
		s.began(st)
		if s.ended(st); st.Content.State != want {
			t.Errorf("other ID %q: %s, want %s", other, st.Content.State, want)
		}
	}
}
