package tap

import (
	"math"
	"strings"
	"testing"
)

// TestNonceTellsItsStream, however an app writes it, and nobody else's.
func TestNonceTellsItsStream(t *testing.T) {
	ours, others := newNonces(7), newNonces(8)
	seen := map[string]bool{}
	for _, seq := range []uint64{1, 2, 3, 1 << 20, math.MaxUint64} {
		id := ours.of(seq)
		if len(id) != 32 || seen[id] || id != Nonce(7, seq) {
			t.Errorf("nonce of %d is %q", seq, id)
		}
		seen[id] = true
		dashed := id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
		for _, written := range []string{id, dashed, strings.ToUpper(dashed)} {
			if got, ok := ours.owner(written); got != seq || !ok {
				t.Errorf("owner of %q is %d, %v; want %d", written, got, ok, seq)
			}
		}
		for _, foreign := range []string{others.of(seq), id[:30], id + "00", "chatcmpl-1", "", strings.Repeat("g", 32)} {
			if got, ok := ours.owner(foreign); ok {
				t.Errorf("owner of %q is %d, want nobody", foreign, got)
			}
		}
	}
}
