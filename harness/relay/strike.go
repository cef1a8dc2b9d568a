package relay

import (
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// struck is the ledger's line; the clock is read when it is booked.
func struck(s stack.Strike, passed int, bytes int64, why string) stack.Struck {
	return stack.Struck{Strike: s, Passed: passed, Bytes: bytes, Err: why}
}

// strikesAt does every strike that is due after d.passed events, which end at
// p[at] and at body offset pos. It returns what is written up to.
func (d *downward) strikesAt(p []byte, from, at int, pos int64) (int, error) {
	for d.isDue() {
		s := d.relay.schedule.take(d.ex.stream, d.reached)
		d.seen = 0 // look again for the one after it
		if s == nil {
			continue
		}
		if err := d.write(p[from:at]); err != nil {
			return at, err
		}
		from = at
		if s.Action == stack.Flip || s.Action == stack.Truncate {
			d.want = s
			return from, nil
		}
		d.settled = true
		d.relay.book(struck(*s, d.passed, pos, ""))
		if err := d.act(*s); err != nil {
			return from, err
		}
	}
	return from, nil
}

// reached picks a strike whose place is here, or was passed before it was armed.
func (d *downward) reached(s stack.Strike) bool { return inBody(s) && s.After <= d.passed }

// isDue asks the schedule only when something was armed since, so that an idle
// relay takes no lock per event. The loop does no strikes: it gives the connection
// away first.
func (d *downward) isDue() bool {
	if d.polled {
		return false
	}
	if changes := d.relay.schedule.changes.Load(); d.seen != changes {
		d.seen, d.due = changes, -1
		if after, ok := d.relay.schedule.next(d.ex.stream); ok {
			d.due = after
		}
	}
	return d.due >= 0 && d.passed >= d.due && d.want == nil
}

// act does a strike that needs no more bytes. errStruck says that the way down
// is over.
func (d *downward) act(s stack.Strike) error {
	switch s.Action {
	case stack.RST:
		d.reset()
	case stack.FIN:
		d.finish()
	case stack.HalfClose:
		d.client.CloseWrite()
		d.drop()
	case stack.Blackhole:
		d.swallow.Store(true)
		d.drop()
	case stack.Hold:
		d.sleep(s.For)
		return nil
	}
	return errStruck
}

// sleep holds everything back. Not reading makes the target's kernel hold it.
func (d *downward) sleep(f time.Duration) {
	timer := time.NewTimer(f)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.gone:
	}
}

// complete does a strike that waited for event m, which is now held whole.
func (d *downward) complete(m mark) error {
	s := *d.want
	d.want, d.settled = nil, true
	if s.Action == stack.Truncate {
		return d.truncate(s, m)
	}
	why := ""
	if !d.held.flip(m) {
		why = "the event has no letter or digit to change"
	}
	d.relay.book(struck(s, d.passed, m.from, why))
	return d.write(d.held.take())
}

func (d *downward) truncate(s stack.Strike, m mark) error {
	half := (m.from + m.to) / 2
	cut, ok := d.held.find(half)
	if !ok || half == m.from {
		d.relay.book(struck(s, d.passed, m.from, "the event is too short to be cut"))
		return d.write(d.held.take())
	}
	if err := d.write(d.held.take()[:cut]); err != nil {
		return err
	}
	d.relay.book(struck(s, d.passed, half, ""))
	d.finish()
	return errStruck
}

// hold keeps p for the strike that waits.
func (d *downward) hold(p []byte) error {
	d.held.add(p)
	if d.held.len() > heldLimit {
		return d.release("the event is longer than what may be held back")
	}
	return nil
}

// release lets the held bytes go; the strike that waited for them cannot be
// done.
func (d *downward) release(why string) error {
	if d.want == nil {
		return nil
	}
	d.relay.book(struck(*d.want, d.passed, d.offset, why))
	d.want, d.settled = nil, true
	return d.write(d.held.take())
}

// giveUp books all strikes on the stream as not done.
func (d *downward) giveUp(why string) {
	for {
		s := d.relay.schedule.take(d.ex.stream, inBody)
		if s == nil {
			return
		}
		d.relay.book(struck(*s, d.passed, d.offset, why))
	}
}
