package play

import (
	"context"
	"errors"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/tap"
)

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
func (f *injection) await(ctx context.Context, w harness.When) error {
	v, stop := f.changes(tap.Interest{Events: w.Events, Heartbeats: w.Heartbeats > 0})
	defer stop()
	v.turn, v.now, v.begun, v.replica = f.turn, f.now, f.seen.begunVictims, f.roster.name
	return v.keep(ctx, w)
}

// A vigil waits for a condition. It is told which streams have changed, and looks at no
// others:
//
//	begin, head, event n, end of a stream ─▶ bell ─▶ changed ─▶ fault.Moment ─▶ met?
//	When.After ──────────────────────────────────────────────────────────────▶ met?
type vigil struct {
	turn    turn
	now     func() time.Duration
	bell    <-chan struct{}                 // there is something in changed
	changed func(yield func(tap.Live) bool) // since the last call
	all     func(yield func(tap.Live) bool) // streams in flight
	begun   func() int                      // victims of the turn
	replica func(upstream string) string    // its name, "" where that is not known
}

// keep is [injection.await].
func (v *vigil) keep(ctx context.Context, w harness.When) error {
	limit, after := time.NewTimer(w.Limit()), time.NewTimer(w.After)
	defer limit.Stop()
	defer after.Stop()
	began := v.now()
	m := w.Moment(fault.Turn{Open: v.turn.open, Awaited: v.turn.victims})
	for ctx.Err() == nil {
		v.look(m, began, v.changed)
		if m.Met() {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-v.turn.over:
			return m.Missed()
		case <-limit.C:
			v.look(m, began, v.all) // how many events each has by now
			return m.Missed()
		case <-v.bell:
		case <-after.C:
			if left := w.After - (v.now() - began); left > 0 {
				after.Reset(left) // the run's clock is behind the timer's
			}
		}
	}
	return ctx.Err()
}

// look brings m up to date with some of the streams.
func (v *vigil) look(m *fault.Moment, began time.Duration, streams func(yield func(tap.Live) bool)) {
	// Begun is read first: a stream is told before it counts as begun.
	m.Since, m.Begun = v.now()-began, v.begun()
	for l := range streams {
		if l.Group != record.Victim && l.Group != record.Control {
			continue
		}
		if l.Over {
			m.End(l.Seq, v.flying(&l))
		} else {
			m.Put(l.Seq, v.flying(&l))
		}
	}
}

// flying is what conditions see of a stream.
func (v *vigil) flying(l *tap.Live) fault.Flying {
	s := fault.Flying{Victim: l.Group == record.Victim, FirstTurn: l.Seq >= v.turn.from && l.Seq < v.turn.to,
		InBody: l.InBody, Events: l.Events, Heartbeats: l.Heartbeats}
	if l.InBody {
		s.Replica = v.replica(l.Upstream)
	}
	return s
}

// stand lets a fault be until hold has passed or until is met, at most until the
// main wave is over. A fault with neither stands until then.
func (f *injection) stand(ctx context.Context, hold time.Duration, until harness.When) {
	if hold > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, hold)
		defer cancel()
		until.Within = hold + time.Second // the hold ends the waiting, and is no doubt
	}
	if until.IsZero() {
		select {
		case <-ctx.Done():
		case <-f.turn.over:
		}
		return
	}
	var missed *fault.MissedError
	if err := f.await(ctx, until); errors.As(err, &missed) {
		f.note(f.sc.ID, record.NoteDoubt, "the fault was healed before its time: "+missed.Why, missed.Settle)
	}
}

// inBody counts victims between their head and their end.
func (f *injection) inBody() int {
	n := 0
	f.flying(func(l tap.Live) bool {
		if l.Group == record.Victim && l.InBody {
			n++
		}
		return true
	})
	return n
}
