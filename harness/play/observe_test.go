package play

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// TestForeignIDs: the ID of another stream of the run convicts, one that nobody
// knows does not.
func TestForeignIDs(t *testing.T) {
	const first, own = "0123456789abcdef0123456789abcdef", "ffffffffffffffffffffffffffffffff"
	names := map[string]uint64{first: 1, "01234567-89AB-cdef-0123-456789abcdef": 1, own: 2, strings.ToUpper(own): 2}
	s := seen{hide: func(text string) string { return text }}
	s.owner = func(id string) (uint64, bool) { seq, ok := names[id]; return seq, ok }
	for other, want := range map[string]stream.State{
		"":                                     stream.Complete,
		"chatcmpl-1":                           stream.Complete,
		first:                                  stream.Foreign,
		"01234567-89AB-cdef-0123-456789abcdef": stream.Foreign,
		strings.ToUpper(own):                   stream.Complete,
	} {
		// A retry: its number is not that of the stream whose nonce it bears.
		st := &record.Stream{Seq: 102, Nonce: own, Content: stream.Summary{State: stream.Complete, Other: other}}
		if s.ended(st); st.Content.State != want {
			t.Errorf("other ID %q: %s, want %s", other, st.Content.State, want)
		}
	}
}
