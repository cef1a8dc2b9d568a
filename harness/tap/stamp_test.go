package tap_test

import (
	"net"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// A blocker is a reader that holds its carrier up at the first event.
type blocker struct {
	stream.Reader
	hold chan struct{}
}

func (b *blocker) Read(f *stream.Frame) stream.Event {
	<-b.hold
	return b.Reader.Read(f)
}

// TestArrivalsOfLateReader sends three events while the carrier is held up, so that
// one read returns two of them. The kernel merges segments that nobody reads, and
// keeps the last one's stamp for all: whatever bounds are given for an event must
// hold its true time.
func TestArrivalsOfLateReader(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		for range 5 {
			arrivalsOfLateReader(t, mode)
		}
	})
}

func arrivalsOfLateReader(t *testing.T, mode tap.Mode) {
	r := newRig(t, tap.Options{Mode: mode})
	hold := make(chan struct{})
	var sent []time.Duration
	mark := func(*net.TCPConn) bool { sent = append(sent, r.Now()); return true }
	release := func(*net.TCPConn) bool { close(hold); return true }
	s := serve(t, always(say(chunkedHead),
		mark, say(chunk(event(1))), wait(30*time.Millisecond),
		mark, say(chunk(event(2))), wait(60*time.Millisecond),
		mark, say(chunk(event(3))), wait(30*time.Millisecond),
		release, wait(30*time.Millisecond), say(chunk(done)+lastChunk), hold_))
	d, ask := generic(t)
	slow := *d
	slow.New = func(a stream.Ask) stream.Reader { return &blocker{d.New(a), hold} }
	got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: &slow, Ask: ask})
	i := 0
	for m := range got.Marks() {
		if i == len(sent) {
			break
		}
		// An event is sent a little after it is marked, and a millisecond is allowed
		// for the kernel.
		if m.Early > sent[i]+10*time.Millisecond || m.At < sent[i]-time.Millisecond {
			t.Errorf("event %d sent at %v, said to have come in [%v, %v]", i+1, sent[i], m.Early, m.At)
		}
		i++
	}
	if i != 3 || got.Wire.Where != record.AtEnd {
		t.Errorf("%d events, %+v", i, got.Wire)
	}
	inOrder(t, got)
}

var hold_ step = hold

// TestBurstAfterSilence: on an idle machine, events that come together after a
// long silence are known to have come together.
func TestBurstAfterSilence(t *testing.T) {
	carriers(t, func(t *testing.T, mode tap.Mode) {
		narrow := false
		for range 10 { // a busy machine may be late once, or twice
			s := serve(t, always(say(chunkedHead+chunk(event(0))), wait(300*time.Millisecond),
				say(chunk(event(1))), say(chunk(event(2))), say(chunk(event(3)+done)+lastChunk), hold))
			r := newRig(t, tap.Options{Mode: mode})
			d, ask := generic(t)
			got := r.get(tap.Job{URL: "http://" + s.Addr, Dialect: d, Ask: ask})
			widest := time.Duration(0)
			for m := range got.Marks() {
				widest = max(widest, m.At-m.Early)
			}
			if narrow = narrow || widest < 100*time.Millisecond; narrow {
				return
			}
		}
		t.Error("the bounds of a burst are as wide as the silence before it")
	})
}
