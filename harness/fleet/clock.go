package fleet

import (
	"context"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// pings is how many exchanges one measurement of a clock has, at least; mostPings is
// how many it goes on for while the best is not good enough.
const (
	pings     = 8
	mostPings = 64
	goodPing  = clockBound / 10
)

// measure tells how far the worker's clock is ahead of the run's, by the exchange that
// took the shortest time.
func (m *member) measure(ctx context.Context) (best record.ClockOffset, err error) {
	for n := 0; n < pings || n < mostPings && best.Within > goodPing; n++ {
		sent := m.fleet.o.Now()
		m.send(kindPing, ping{N: n})
		p, err := await(ctx, m, m.pongs, clockLimit)
		if err != nil {
			return best, err
		}
		back := m.fleet.o.Now()
		if p.N != n {
			return best, errOrder
		}
		x := offsetOf(sent, p.Clock, back)
		if !best.Known || x.Within < best.Within {
			best = x
		}
	}
	return best, nil
}

// offsetOf is what one exchange tells.
func offsetOf(sent, theirs, back time.Duration) record.ClockOffset {
	return record.ClockOffset{Known: true, At: back, Ahead: theirs - (sent+back)/2, Within: (back - sent + 1) / 2}
}
