package tap

import (
	"time"
)

// reading says when the last read came.
func (l *line) reading() reading {
	now := l.clock.now()
	if l.f.pace.slow() {
		return reading{at: now, now: now}
	}
	l.clock.sample()
	if !l.tcp.empty.IsZero() {
		l.f.floor = max(l.f.floor, l.tcp.empty.Sub(l.clock.start))
	}
	return reading{at: l.clock.arrival(l.tcp.stamp, l.f.floor, now), now: now}
}

// Read waits for bytes until one of the flight's limits strikes.
func (l *line) Read(p []byte) (int, error) {
	if l.f.pace.slow() {
		l.rest()
		p = l.f.pace.ration(p)
	}
	for last := false; ; {
		if !last {
			l.armRead()
		}
		if l.f.cut.Load() != nil {
			return 0, errInterrupted
		}
		n, err := l.conn.Read(p)
		if l.f.pace.slow() {
			l.f.pace.took(n, l.clock.now())
		}
		if n > 0 || !timedOut(err) {
			return n, err
		}
		l.until = 0
		switch d := l.f.due(); {
		case d.at > l.clock.now():
			last = false
		case last || d.at == l.looked:
			return 0, errInterrupted
		default:
			// If we were late ourselves, the bytes may lie in the socket already, and a
			// read after its deadline does not look. Bytes that do not move the limit do
			// not buy another look.
			last, l.looked = true, d.at
			l.conn.SetReadDeadline(time.Now().Add(lastLook))
		}
	}
}

// rest waits for the next ration of a slow client, for a limit or an interrupt.
func (l *line) rest() {
	t := time.NewTimer(min(l.f.pace.next, l.f.due().at) - l.clock.now())
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.woken:
	}
}

// lastLook is how long a limit that has struck waits for bytes that came before.
const lastLook = time.Millisecond

// fewLines is how many streams on goroutines may look at their sockets again and
// again, each lineLook, while they are silent: see lookEvery.
const (
	fewLines = 64
	lineLook = 20 * time.Millisecond
)

// armRead sets the deadline of reads to the next limit, or the next look, if that
// is not what it is. The deadline is set before f.cut is looked at, so that an
// interrupt in between is not lost.
func (l *line) armRead() {
	if l.until != 0 && !l.f.rearm {
		return
	}
	l.f.rearm = false
	l.until = l.f.due().at
	if l.tcp.looks() && l.crew.n.Load() <= fewLines {
		l.until = min(l.until, l.clock.now()+lineLook)
	}
	l.conn.SetReadDeadline(l.deadline(l.until))
}

func (l *line) deadline(at time.Duration) time.Time {
	if at == never {
		return time.Time{}
	}
	return l.clock.start.Add(at)
}

func (l *line) write(p []byte) error {
	l.conn.SetWriteDeadline(l.deadline(l.f.due().at))
	if l.f.cut.Load() != nil {
		return errInterrupted
	}
	_, err := l.conn.Write(p)
	if timedOut(err) {
		return errInterrupted
	}
	return err
}
