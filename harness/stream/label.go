package stream

import (
	"fmt"
	"strconv"
)

// A label follows what a server says about itself beside the fields of its API:
// the number of the event, its own clock, the request that it answers and its
// process.
type label struct {
	nonce   string // of this stream; "" until a chunk says so
	pid     int64
	numbers sequence
	foreign string

	fresh  bool // the chunk in hand bears one
	seq, t int64
}

// read takes the label of a chunk. One that is not an object says nothing.
func (l *label) read(raw []byte) {
	var e originEvent
	if len(raw) == 0 || raw[0] != '{' || !e.parse(raw) || e.seq < 1 {
		return
	}
	if l.nonce == "" && e.nonce.ok {
		l.nonce = e.nonce.String()
	}
	if e.nonce.ok && !e.nonce.is(l.nonce) {
		if l.foreign == "" {
			l.foreign = fmt.Sprintf("event with nonce %q", clip(e.nonce.raw, 60))
		}
		return
	}
	if l.pid == 0 {
		l.pid = e.pid
	}
	l.fresh, l.seq, l.t = true, e.seq, e.t
	l.numbers.add(e.seq)
}

// on puts the label of the chunk in hand on its event.
func (l *label) on(e Event) Event {
	if l.fresh {
		e.Seq, e.Emit = l.seq, l.t
	}
	return e
}

// sign adds to a summary what the labels say about the stream as a whole.
func (l *label) sign(s Summary) Summary {
	if l.pid != 0 {
		s.Worker = strconv.FormatInt(l.pid, 10)
	}
	state, why := l.numbers.fault()
	if l.foreign != "" {
		state, why = Foreign, l.foreign
	}
	if state != "" && s.State != Corrupt {
		s.State, s.Why = state, why
	}
	return s
}
