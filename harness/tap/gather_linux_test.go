//go:build linux && (amd64 || arm64)

package tap

import (
	"testing"
	"time"
)

// A crowded loop waits before it looks again, and no other one does, nor one that has
// something left to read.
func TestOnlyACrowdedLoopGathers(t *testing.T) {
	for _, tc := range []struct {
		name    string
		streams int
		again   []*flight
		waits   bool
	}{{"few", crowd - 1, nil, false}, {"crowd", crowd, nil, true}, {"more to read", crowd, []*flight{nil}, false}} {
		l := &loop{clock: *newClock(time.Now(), false), table: make([]*flight, crowd+3), again: tc.again}
		l.free = make([]int32, len(l.table)-tc.streams)
		least := time.Hour // of some, since anybody may lose the CPU
		for range 20 {
			began := l.clock.now()
			l.looked = began
			l.gatherMore()
			least = min(least, l.clock.now()-began)
		}
		if waits := least >= gather; waits != tc.waits {
			t.Errorf("%s: waits for %v or more", tc.name, least)
		}
	}
}
