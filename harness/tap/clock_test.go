package tap

import (
	"testing"
	"time"
)

// TestArrivalAcrossSteps moves the wall clock under the tap's feet.
func TestArrivalAcrossSteps(t *testing.T) {
	const ms = time.Millisecond
	epoch := time.Duration(1_764_000_000) * time.Second
	for _, c := range []struct {
		name  string
		step  time.Duration // of the wall clock, between the stamp and the read
		stamp time.Duration // the arrival's true run offset
		floor time.Duration
		want  time.Duration
	}{
		{"no step", 0, 100 * ms, 50 * ms, 100 * ms},
		{"forward an hour", time.Hour, 100 * ms, 50 * ms, 100 * ms},
		{"back an hour", -time.Hour, 100 * ms, 50 * ms, 100 * ms},
		{"forward 80 ms", 80 * ms, 100 * ms, 90 * ms, 100 * ms},
		{"stamped a little before the floor", 0, 100 * ms, 100*ms + 30*time.Microsecond, 100 * ms},
	} {
		clk := clock{diff: epoch, before: epoch}
		clk.adopt(epoch+c.step, func() time.Duration { return epoch + c.step })
		stamp := int64(epoch + c.stamp)
		if got := clk.arrival(stamp, c.floor, 120*ms); got != c.want {
			t.Errorf("%s: arrival %v, want %v", c.name, got, c.want)
		}
	}
}

func TestArrivalWithoutUsableStamp(t *testing.T) {
	clk := clock{diff: time.Hour, before: time.Hour}
	for _, stamp := range []int64{0, int64(3 * time.Hour), int64(time.Hour) - 1e9} {
		if got := clk.arrival(stamp, 0, time.Second); got != time.Second {
			t.Errorf("stamp %d: arrival %v, want the time of the read", stamp, got)
		}
	}
}

// TestSampleLooksTwice: a difference that is out of line because we lost the CPU
// between two clocks is measured again.
func TestSampleLooksTwice(t *testing.T) {
	clk := clock{diff: time.Hour, before: time.Hour}
	clk.adopt(time.Hour+5*time.Millisecond, func() time.Duration { return time.Hour + time.Microsecond })
	if clk.diff != time.Hour+time.Microsecond || clk.before != time.Hour {
		t.Errorf("diff %v, before %v: took a late reading for a step", clk.diff, clk.before)
	}
}

func TestMeasureAgreesWithItself(t *testing.T) {
	clk := newClock(time.Now(), true)
	if d := clk.measure() - clk.diff; d > time.Second || d < -time.Second {
		t.Errorf("two measurements differ by %v", d)
	}
}
