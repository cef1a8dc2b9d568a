package origin

import "time"

// watch reads what the client should not send, until it leaves. It ends when the
// connection is closed by either side.
func (s *reply) watch() {
	defer close(s.gone)
	var b [64]byte
	for {
		if _, err := s.conn.Read(b[:]); err != nil {
			return
		}
	}
}

// wait sleeps until t and sends heartbeats on the way.
func (s *reply) wait(t time.Time) error {
	for {
		wake := t
		if s.beats() {
			if b := s.last.Add(s.Heartbeat); b.Before(t) {
				wake = b
			}
		}
		if err := s.sleep(wake); err != nil || wake.Equal(t) {
			return err
		}
		s.beat.open()
		s.enc.ping(&s.beat)
		if err := s.send(&s.beat); err != nil {
			return err
		}
		s.last = time.Now() // also for a format without heartbeats
	}
}

func (s *reply) beats() bool {
	return s.Heartbeat > 0 && (s.hooks == nil || !s.hooks.silent)
}

// sleep returns at t, or with errGone as soon as the client has left.
func (s *reply) sleep(t time.Time) error {
	d := time.Until(t)
	if d <= 0 {
		if s.left() && !s.deaf {
			return errGone
		}
		return nil
	}
	s.timer.Reset(d)
	for {
		gone, drain := s.gone, chan struct{}(nil)
		if s.deaf {
			gone, drain = nil, s.server.draining
		}
		select {
		case <-s.timer.C:
			return nil
		case <-gone:
			return errGone
		case <-drain:
			s.deaf = false // nothing goes on for ever
		}
	}
}

// left reports whether the client has left.
func (s *reply) left() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}
