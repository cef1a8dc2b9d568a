package load

import (
	"testing"
	"testing/synctest"
	"time"
)

// starts lists when the pacer lets streams start, in virtual time.
func starts(t *testing.T, w Wave) (at []time.Duration) {
	begin := time.Now()
	p := newPacer(t.Context(), func() time.Duration { return time.Since(begin) }, &w)
	for n := uint64(0); n < 10_000; n++ {
		if _, stop := p.Pace(0, n); stop {
			break
		}
		at = append(at, time.Since(begin))
	}
	if asked := p.asked(); !p.closed && len(at) != asked {
		t.Errorf("%d streams started, %d asked", len(at), asked)
	}
	return at
}

func TestPacer(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		name      string
		wave      Wave
		n         int
		at, other int           // two streams …
		want      time.Duration // … and when they start
		want2     time.Duration
	}{
		{"open", Wave{Rate: 10, Duration: 3 * s}, 30, 1, 29, s / 10, 29 * s / 10},
		{"open, total", Wave{Rate: 10, Total: 5}, 5, 0, 4, 0, 4 * s / 10},
		{"open, ramp", Wave{Rate: 10, Ramp: 10 * s, Duration: 20 * s}, 150, 18, 50, 6 * s, 10 * s},
		{"open, less than one", Wave{Rate: 0.5, Duration: 4 * s}, 2, 0, 1, 0, 2 * s},
		{"closed, at once", Wave{Streams: 7}, 7, 0, 6, 0, 0},
		{"closed, ramp", Wave{Streams: 10, Ramp: 5 * s}, 10, 1, 9, s / 2, 9 * s / 2},
		{"closed, total", Wave{Streams: 3, Total: 8}, 8, 0, 7, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := starts(t, c.wave)
				if len(got) != c.n {
					t.Fatalf("%d streams, want %d", len(got), c.n)
				}
				if !near(got[c.at], c.want) || !near(got[c.other], c.want2) {
					t.Errorf("streams %d and %d start at %v and %v, want %v and %v", c.at, c.other, got[c.at], got[c.other], c.want,
						c.want2)
				}
			})
		})
	}
}

func near(a, b time.Duration) bool { return a-b < time.Microsecond && b-a < time.Microsecond }
