package origin

import (
	"bytes"
	"time"
)

// The sabotages that leave the response well formed. At event K the packet of that
// event is prepared in next.

// leakFor is how long a stream that leaks produces at the least: long enough to
// be caught by a client that asks some seconds after it has left.
const leakFor = 10 * time.Second

func truncate(s *reply, seq int) error { return s.quit(seq - 1) }

// cutInFrame sends three quarters of the event: the stamp is in, the end is not.
func cutInFrame(s *reply, seq int) error {
	s.next.buf = s.next.buf[:headRoom+len(s.next.frame())*3/4]
	if err := s.send(&s.next); err != nil {
		return err
	}
	return s.quit(seq - 1)
}

const failure = "generate text: the model is gone"

func failInBand(s *reply, _ int) error {
	if err := s.failEvent(); err != nil {
		return err
	}
	if err := s.endBody(); err != nil {
		return err
	}
	return s.fail(failure)
}

func failThenSucceed(s *reply, _ int) error {
	if err := s.failEvent(); err != nil {
		return err
	}
	if err := s.terminal(); err != nil {
		return err
	}
	if err := s.endBody(); err != nil {
		return err
	}
	return s.fail(failure)
}

func (s *reply) failEvent() error {
	s.next.open()
	s.enc.fail(&s.next, failure)
	return s.send(&s.next)
}

func stall(s *reply, _ int) error { return s.hang() }

// holdBack sends the head in time; a middleware that joins the body does so too.
func holdBack(s *reply) error {
	err := s.honestHead()
	s.hold = true
	return err
}

func release(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	s.hold = false
	if err := s.raw(s.held); err != nil {
		return err
	}
	return s.endBody()
}

func lose(*reply, int) error { return nil }

func duplicate(s *reply, _ int) error {
	if err := s.send(&s.next); err != nil {
		return err
	}
	s.next.unseal(s.framing)
	return s.send(&s.next)
}

// reorder sends the event after seq first. Answer.at leaves room for it.
func reorder(s *reply, seq int) error {
	early := s.next
	s.next = packet{}
	s.prepare(seq + 1)
	s.produced(seq + 1)
	s.skip = seq + 1
	if err := s.send(&s.next); err != nil {
		return err
	}
	return s.send(&early)
}

func confuse(s *reply, seq int) error {
	other := "not-" + s.nonce
	enc := formats[s.Format](speaker{quote(other), s.server.pid})
	s.next.open()
	enc.event(&s.next, seq, appendText(nil, keyOf(other), seq, s.Size))
	return s.send(&s.next)
}

// corrupt changes the first ASCII byte of the text: there always is one, as
// words are parted by blanks.
func corrupt(s *reply, _ int) error {
	f := s.next.frame()
	at := bytes.LastIndex(f, s.text)
	i := at + bytes.IndexFunc(s.text, func(r rune) bool { return r < 0x80 })
	if f[i]++; f[i] == '"' || f[i] == '\\' || f[i] == 0x7f {
		f[i] = '_'
	}
	return s.send(&s.next)
}

func linger(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	return s.hang()
}

func endTwice(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	if err := s.terminal(); err != nil {
		return err
	}
	return s.endBody()
}

func fallSilent(s *reply, _ int) error {
	if s.Pause == 0 {
		if err := s.wait(time.Now().Add(s.Delay)); err != nil {
			return err
		}
	}
	return s.send(&s.next)
}

func thinkFirst(s *reply) error {
	if err := s.honestHead(); err != nil {
		return err
	}
	return s.wait(time.Now().Add(s.Delay))
}

func goDeaf(s *reply) error {
	s.deaf = true
	return s.honestHead()
}

// produceOn is honest as long as the client is there. Without one it goes on at
// the pace of its events, at least at ten a second.
func produceOn(s *reply) error {
	pace := min(max(s.Gap, time.Millisecond), 100*time.Millisecond)
	seq := s.Events
	for until := time.Now().Add(leakFor); s.left() && time.Now().Before(until); {
		if err := s.sleep(time.Now().Add(pace)); err != nil {
			return err
		}
		seq++
		s.produced(seq)
	}
	if s.left() {
		return errGone
	}
	if err := s.terminal(); err != nil {
		return err
	}
	return s.endBody()
}
