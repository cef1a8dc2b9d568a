package harness

import (
	"context"
	"errors"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

// poll is how often a condition is looked at. Streams deliver events every few
// tens of milliseconds, so that a fault strikes within one event of its
// condition.
const poll = 2 * time.Millisecond

// A turn is the first streams of the main wave, one for each slot: those that
// conditions on "every victim" are about.
type turn struct {
	from, to uint64        // sequence numbers, to excluded
	victims  int           // among them
	open     bool          // the wave has a rate, and no slots
	over     chan struct{} // closed when the wave has ended
}

// await waits until w is met. The error is a [*fault.MissedError] where the main
// wave or the time was over first, and the context's where that ended.
func (p *player) await(ctx context.Context, w When) error {
	limit := time.NewTimer(w.Limit())
	defer limit.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	began := p.now()
	var m fault.Moment
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.turn.over:
			return w.Missed(&m)
		case <-limit.C:
			return w.Missed(&m)
		case <-tick.C:
			p.look(&m, began)
			if w.Met(&m) {
				return nil
			}
		}
	}
}

// stand lets a fault be until hold has passed or until is met, at most until the
// main wave is over. A fault with neither stands until then.
func (p *player) stand(ctx context.Context, hold time.Duration, until When) {
	if hold > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hold)
		defer cancel()
		until.Within = hold + time.Second // the hold ends the waiting, and is no doubt
	}
	if until.IsZero() {
		select {
		case <-ctx.Done():
		case <-p.turn.over:
		}
		return
	}
	var missed *fault.MissedError
	if err := p.await(ctx, until); errors.As(err, &missed) {
		p.note(p.sc.ID, record.NoteDoubt, "the fault was healed before its time: "+missed.Why, missed.Settle)
	}
}

// look brings m up to date.
func (p *player) look(m *fault.Moment, began time.Duration) {
	m.Since, m.Open, m.Awaited, m.Begun = p.now()-began, p.turn.open, p.turn.victims, p.seen.begunVictims()
	m.Streams = m.Streams[:0]
	p.tap.Live(func(l tap.Live) bool {
		if l.Group != record.Victim && l.Group != record.Control {
			return true
		}
		s := fault.Flying{Victim: l.Group == record.Victim, FirstTurn: l.Seq >= p.turn.from && l.Seq < p.turn.to,
			InBody: l.InBody, Events: l.Events, Heartbeats: l.Heartbeats}
		if l.InBody {
			s.Replica = p.roster.name(l.Upstream)
		}
		m.Streams = append(m.Streams, s)
		return true
	})
}

// inBody counts victims between their head and their end.
func (p *player) inBody() int {
	n := 0
	p.tap.Live(func(l tap.Live) bool {
		if l.Group == record.Victim && l.InBody {
			n++
		}
		return true
	})
	return n
}
