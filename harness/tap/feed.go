package tap

import (
	"errors"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// news about a flight that was fed.
type news uint8

const (
	goesOn  news = iota
	ended        // finish must be called
	encoded      // the body is compressed: the rest is to be fed away from other streams
)

// A reading is the circumstances of one read.
type reading struct {
	at  time.Duration // arrival of its last segment
	now time.Duration // when it was read
	// emptied says that the read left nothing in the socket, so that the next
	// bytes come later than now.
	emptied bool
}

// feed takes the bytes of one read. The rest that it returns is to be fed again
// with refeed, for the news encoded.
func (f *flight) feed(p []byte, r reading) (rest []byte, _ news) {
	f.rec.WireBytes += int64(len(p))
	f.stamp(r)
	return f.refeed(p)
}

// stamp begins a read.
func (f *flight) stamp(r reading) {
	f.rec.Reads++
	f.at = max(f.at, r.at)
	f.rec.Lag = max(f.rec.Lag, r.now-f.at)
	f.events.begin(f.at, f.floor)
	f.floor = f.at
	if r.emptied {
		f.floor = r.now
	}
}

// refeed decodes bytes of the read that feed was told of.
func (f *flight) refeed(p []byte) (rest []byte, _ news) {
	for len(p) > 0 && f.halt == nil {
		data, n, err := f.resp.Next(p)
		if err != nil {
			f.stop(record.HeaderSize, err)
		}
		if p = p[n:]; len(data) > 0 {
			f.take(data)
		}
		if f.head != nil && f.resp.InBody() {
			if f.redirected(f.head) {
				return nil, ended
			}
			f.headWhole()
			if f.body.inflate != nil {
				return p, encoded
			}
		}
		if f.resp.Broken() && f.resp.Gathered() {
			f.stop(record.NoLimit, nil)
		}
	}
	f.events.end(f.body.plain)
	f.publish()
	if f.resp.Whole() && !f.resp.Past() && f.halt == nil {
		f.bodyWhole()
	}
	if f.halt != nil || f.complete || f.resp.Past() {
		return nil, ended
	}
	return nil, goesOn
}

// headWhole takes over what the response head says.
func (f *flight) headWhole() {
	h := f.head
	f.beginBody(h)
	f.rec.Wire.Framing = h.Framing
}

// beginBody gets ready for the body of a response with head h.
func (f *flight) beginBody(h *head) {
	f.rec.Headers, f.rearm = f.at, true
	f.rec.Status, f.rec.Proto, f.rec.ContentType = h.Status, h.Proto, h.ContentType
	f.rec.Encoding, f.rec.Header = h.Encoding, h.kept()
	f.body.open(f, h)
	f.job, f.trail, f.head, f.resp.Head = nil, nil, nil, nil
	f.events.open(f.at)
	f.upstream = f.rec.Header[stack.ReplicaHeader]
	f.headed.Store(true)
	f.tell()
	f.news <- struct{}{}
}

// take takes body bytes as the framing gave them.
func (f *flight) take(p []byte) {
	if f.fed < 0 {
		f.rearm = true // silence counts from now on
	}
	f.fed = f.at
	f.rec.Bytes += int64(len(p))
	if exceeds(f.rec.Bytes, f.limits.Body) {
		f.stop(record.BodySize, errors.New("read body: longer than the limit"))
		return
	}
	f.body.push(p, f)
}

// Frame takes one frame of the body; it makes f a [stream.Sink].
func (f *flight) Frame(fr *stream.Frame) {
	if f.halt != nil {
		return
	}
	ev := f.body.reader.Read(fr)
	if f.after != nil {
		f.after.see(fr, ev)
	}
	if first := f.events.add(fr, ev, &f.rec); first {
		f.rearm = true
	}
	switch ev.Kind {
	case stream.Content:
		if f.abort.AfterEvents > 0 && f.rec.Contents >= f.abort.AfterEvents {
			f.stop(record.CancelledByUs, nil)
		}
		if f.rec.TerminalAt == record.Never && f.linger >= 0 {
			f.linger, f.rearm = record.Never, true // the error was not the last word
		}
		if ev.Last && f.linger < 0 {
			f.linger, f.rearm = f.at, true
		}
	case stream.Terminal, stream.Error:
		if f.linger < 0 {
			f.linger, f.rearm = f.at, true
		}
	}
}

// bodyWhole decides whether to look past a body that its framing has ended.
func (f *flight) bodyWhole() {
	if f.rec.Wire.Framing == record.Length && f.rec.Frames > 0 && f.linger < 0 {
		f.tail, f.rearm = f.at, true
		return
	}
	f.complete = true
}
