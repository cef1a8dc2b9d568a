package relay

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// errStruck ends the way down after a strike that leaves nothing to carry.
var errStruck = errors.New("struck")

// heldLimit bounds what a strike that needs a whole event may hold back.
const heldLimit = 2 << 20

// A downward carries what the target answers. While a response passes, each
// body piece goes to the decoder first, so that the end of every event in a read
// is known before the read is written:
//
//	read   …3\r\n{"a":1}\n\r\n9\r\n{"b":…
//	            └event k┘│
//	                     └ strike: what is left of it is written, the rest is not
type downward struct {
	*conn
	head   http1.Head
	msg    http1.Decoder // of the response at hand; without a Head between two
	opaque bool          // not HTTP/1: nothing to read

	ex      exchange       // that the response belongs to
	decoder stream.Decoder // nil where events cannot be counted
	offset  int64          // body offset of the next body byte
	passed  int            // whole events so far
	marks   []mark         // frames that the piece at hand completed

	seen uint64 // the schedule's changes that due knows of
	due  int    // events after which the next strike is due; -1 for none

	want *stack.Strike // waits for the whole of the next event
	held held          // and these are its bytes so far

	// settled says that a strike was done, or that a response ended: there may be
	// nothing left to watch.
	settled bool
	backlog
	delay delayed
	timed bool // the goroutine's reads have a deadline
}

// A mark is the place of a frame in the body.
type mark struct {
	from, to int64
	comment  bool
}

// Frame implements stream.Sink.
func (d *downward) Frame(f *stream.Frame) {
	d.marks = append(d.marks, mark{f.Offset, f.Offset + int64(f.Size), f.Comment})
}

// run carries the way down in a goroutine, until it ends or parks the connection.
func (d *downward) run() {
	if d.shut {
		return
	}
	err := d.write(d.take())
	buf := make([]byte, downBuffer)
	for err == nil {
		if d.tooOld() {
			return
		}
		if d.settled && d.relay.loop != nil {
			if d.settled = false; !d.watched() {
				d.park()
				return
			}
		}
		err = d.read(buf)
	}
	if errors.Is(err, errStruck) || d.tooOld() {
		d.forget()
		return
	}
	d.finished(err)
}

// read carries one read, or what an impairment lets go.
func (d *downward) read(buf []byte) error {
	m := d.relay.impaired.now.Load()
	if d.impaired() {
		return d.readDelayed(m, buf)
	}
	n, err := d.listen(time.Time{}, m, buf)
	if err == errLookAgain {
		return nil
	}
	// Bytes can end a read in the moment in which another condition was about to: a
	// connection that is ready is read in spite of its deadline.
	if d.impaired() {
		d.keep(buf[:n], err)
		return nil
	}
	d.moved()
	if n > 0 {
		if werr := d.carry(buf[:n]); errors.Is(werr, errStruck) || err == nil {
			return werr
		}
	}
	return err
}

// errLookAgain says that a read was ended to look at the impairment.
var errLookAgain = errors.New("look again")

// listen reads from the target until then, or until another condition holds than m.
func (d *downward) listen(until time.Time, m *condition, buf []byte) (n int, err error) {
	d.mu.Lock()
	d.reading = true
	if d.timed || !until.IsZero() {
		d.server.SetReadDeadline(until)
		d.timed = !until.IsZero()
	}
	d.mu.Unlock()
	// Both tell what they know before they end the read: after the deadline was set,
	// nothing is missed.
	if d.aged.Load() != nil {
		err = os.ErrDeadlineExceeded
	} else if d.relay.impaired.now.Load() != m {
		err = errLookAgain
	} else {
		n, err = d.server.Read(buf)
	}
	d.mu.Lock()
	d.reading = false
	d.mu.Unlock()
	if errors.Is(err, os.ErrDeadlineExceeded) && d.aged.Load() == nil {
		d.timed, err = true, errLookAgain
	}
	return n, err
}

// tooOld does a strike whose time has come, and reports whether there was one.
func (d *downward) tooOld() bool {
	s := d.aged.Load()
	if s == nil {
		return false
	}
	d.relay.book(struck(*s, d.passed, d.offset, ""))
	d.act(*s)
	return true
}

// finished hands on the end of what the target sends.
func (d *downward) finished(err error) {
	d.shut = true
	d.release("the stream ended before the event was whole")
	d.forget()
	d.pass(err, d.client)
}

// carry takes one read along, and writes it: whole, unless a strike falls due
// in it. from is where the bytes that are not yet written begin.
func (d *downward) carry(p []byte) (err error) {
	from := 0
	for i := 0; i < len(p) && !d.opaque && err == nil; {
		if d.msg.Head == nil {
			d.expect()
		}
		inHead := !d.msg.InBody()
		body, n, tooLong := d.msg.Next(p[i:])
		i += n
		switch {
		case tooLong != nil || d.msg.Broken():
			d.opaque = true
			from, err = d.letGo(p, from, i, "the framing of the body is broken")
		case inHead && d.msg.InBody():
			from, err = d.begin(p, from, i)
		case len(body) > 0 && d.decoder != nil:
			from, err = d.content(p, from, i-n, i)
		}
		if d.msg.Whole() && !d.opaque && err == nil {
			d.msg = http1.Decoder{}
			from, err = d.whole(p, from, i)
		}
	}
	if err != nil {
		return err
	}
	if d.want != nil {
		return d.hold(p[from:])
	}
	return d.write(p[from:])
}

// expect gets ready for a response: the request that it answers is the oldest one.
func (d *downward) expect() {
	d.ex = d.front()
	d.head.ToHEAD = d.ex.method == http.MethodHead
	d.msg = http1.NewResponse(&d.head, headLimit)
}

// begin starts the body of a response whose head ends at p[i].
func (d *downward) begin(p []byte, from, i int) (int, error) {
	if d.head.Status == http.StatusSwitchingProtocols {
		d.opaque = true
		return from, nil
	}
	d.pop()
	d.offset, d.passed, d.due, d.seen = 0, 0, -1, 0
	d.decoder = nil
	if !d.ex.known {
		return from, nil
	}
	if why := hidden(&d.head); why != "" {
		d.giveUp(why)
		return from, nil
	}
	d.decoder = formatOf(d.head.ContentType).New(stream.Limits{})
	return d.strikesAt(p, from, i, 0)
}

// content takes the body piece p[a:b].
func (d *downward) content(p []byte, from, a, b int) (int, error) {
	if d.want != nil {
		d.held.note(d.offset, a-from, b-a)
	}
	base := d.offset
	d.offset += int64(b - a)
	d.marks = d.marks[:0]
	if d.decoder.Push(p[a:b], d) != nil {
		d.forget()
		const why = "an event is longer than the decoder's limit"
		d.giveUp(why)
		return d.letGo(p, from, a, why)
	}
	var err error
	for _, m := range d.marks {
		// The place is inside the piece; it can lie before it only where the decoder
		// needed one byte more to be sure.
		at := a + int(max(0, m.to-base))
		if from, err = d.frame(m, p, from, at, b); err != nil {
			return from, err
		}
	}
	return from, nil
}

// frame is called for each frame, which ends at p[at]; its piece ends at p[b].
func (d *downward) frame(m mark, p []byte, from, at, b int) (int, error) {
	if m.comment {
		if d.want != nil { // a heartbeat is not held back for the event after it
			d.held.add(p[from:at])
			err := d.write(d.held.take())
			d.held.note(m.to, 0, b-at)
			return at, err
		}
		return from, nil
	}
	if d.want != nil {
		d.held.add(p[from:at])
		from = at
		if err := d.complete(m); err != nil {
			return from, err
		}
	}
	d.passed++
	from, err := d.strikesAt(p, from, at, m.to)
	if d.want != nil {
		d.held.note(m.to, at-from, b-at)
	}
	return from, err
}

// whole ends a response. A strike that still waits for its event will not get
// it.
func (d *downward) whole(p []byte, from, i int) (int, error) {
	d.forget()
	return d.letGo(p, from, i, "the stream ended before the event was whole")
}

// letGo releases what is held, with p[from:i] behind it.
func (d *downward) letGo(p []byte, from, i int, why string) (int, error) {
	if d.want == nil {
		return from, nil
	}
	d.held.add(p[from:i])
	return i, d.release(why)
}

// forget gives back what the decoder holds. There is nothing left to strike.
func (d *downward) forget() {
	d.settled = true
	if d.decoder != nil {
		d.decoder.Close(d)
		d.decoder = nil
	}
}

func (d *downward) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if d.polled {
		return d.put(d.poll.client, p)
	}
	_, err := d.client.Write(p)
	return err
}
