package play

import (
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
)

func drawFor(seed uint64, streams int) *draw {
	d := drawOf(harness.Scenario{ID: "stall", Fault: fault.Stall("edge", 0), Load: harness.Load{Streams: streams}}, seed,
		harness.Sabotage{})
	return &d
}

func victimsOf(d *draw, n int) []uint64 {
	var v []uint64
	for i := range uint64(n) {
		if d.Group(i) == record.Victim {
			v = append(v, i)
		}
	}
	return v
}

func TestSameSeedSameVictims(t *testing.T) {
	a, b := victimsOf(drawFor(7, 40), 40), victimsOf(drawFor(7, 40), 40)
	if !slices.Equal(a, b) {
		t.Fatalf("seed 7 chose %v and then %v", a, b)
	}
	if c := victimsOf(drawFor(8, 40), 40); slices.Equal(a, c) {
		t.Fatalf("seeds 7 and 8 chose the same 20 of 40 streams: %v", a)
	}
}

func TestEverySmallWaveHasVictimsAndControls(t *testing.T) {
	for _, share := range []float64{0.5, 1.0 / 3, 0.2, 0.9} {
		for seed := range uint64(50) {
			d := drawFor(seed, 10)
			d.Victims = share
			n := len(victimsOf(d, 10))
			if n == 0 || n == 10 {
				t.Errorf("share %.2f, seed %d: %d victims of 10", share, seed, n)
			}
		}
	}
	for _, share := range []float64{0.01, 0.02, 0.05} {
		d := drawFor(3, 1000)
		d.Victims = share
		if n := len(victimsOf(d, 1000)); n != int(1000*share) {
			t.Errorf("share %.2f: %d victims of 1,000", share, n)
		}
	}
	if d := drawFor(1, 1); len(victimsOf(d, 1)) != 1 {
		t.Error("a wave of one stream has no victim")
	}
}
