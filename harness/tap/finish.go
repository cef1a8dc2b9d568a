package tap

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// An ending is what a carrier saw of a flight's end.
type ending struct {
	at    time.Duration
	close record.Close // CloseNone where we ended it
	err   error
	limit record.Limit
}

// closeOf tells the ways apart in which a read, write or dial can fail.
func closeOf(err error) record.Close {
	switch {
	case err == nil:
		return record.CloseNone
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return record.CloseFIN
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return record.CloseRST
	}
	return record.CloseError
}

// finish completes the record and wakes whoever waits, or goes where a redirect
// leads. The carrier calls it once, after it has closed the connection, and touches
// the flight no more.
func (f *flight) finish(e ending) {
	if f.goOn() {
		return
	}
	rec := &f.rec
	rec.Limit, rec.Wire.Close = e.limit, e.close
	if f.halt != nil {
		rec.Limit, rec.Wire.Close, e.err = f.halt.limit, record.CloseNone, f.halt.reason
	} else if cut := f.cut.Load(); cut != nil && e.close == record.CloseNone && e.limit == record.NoLimit && !f.whole() {
		rec.Limit = *cut
	}
	if e.err != nil && !errors.Is(e.err, io.EOF) {
		rec.Wire.Err = e.err.Error()
	}
	rec.End = f.endedAt(e.at)
	f.finishWire(e.close != record.CloseNone)
	f.body.close(f, f.whole())
	f.events.close(rec)
	f.publish()
	f.over.Store(true)
	f.tell()
	if f.batch != nil {
		f.tap.launches.Go(f.conclude) // before anybody can know that f is over
	}
	close(f.news)
}

// whole reports that the framing has ended the body.
func (f *flight) whole() bool {
	return f.resp.Whole() || f.rec.Wire.Where == record.AtEnd
}

// endedAt is when the body ended: with the bytes that its framing ends with, or
// when we learned that no more will come.
func (f *flight) endedAt(now time.Duration) time.Duration {
	switch {
	case f.tail >= 0:
		return f.tail
	case f.whole(), f.resp.Broken() && f.resp.Gathered():
		return f.at
	}
	return max(now, f.at)
}

func (f *flight) finishWire(closed bool) {
	rec := &f.rec
	w := &rec.Wire
	if w.Framing != record.H2 && rec.Connect >= 0 {
		w.Where = f.resp.Where()
		w.Garbage, w.Spliced = f.resp.Garbage(closed)
	}
	if f.linger >= 0 && rec.End > f.linger {
		w.Lingered = rec.End - f.linger
	}
}

// An EndError is the error that an HTTP client sees for a stream that did not
// end with a whole body.
type EndError struct {
	Limit record.Limit
	Wire  record.Wire
}

func (e *EndError) Error() string {
	switch {
	case e.Limit != record.NoLimit:
		return fmt.Sprintf("read stream: ended by us: %s", e.Limit)
	case e.Wire.Garbage != "":
		return "read stream: " + e.Wire.Garbage
	case e.Wire.Err != "":
		return fmt.Sprintf("read stream: %s: %s", e.Wire.Where, e.Wire.Err)
	}
	return fmt.Sprintf("read stream: %s: connection closed", e.Wire.Where)
}

// err is nil for a whole body, as an HTTP client counts it.
func (f *flight) err() error {
	w := f.rec.Wire
	if f.rec.Limit == record.NoLimit && w.Garbage == "" &&
		(w.Where == record.AtEnd || w.Framing == record.CloseDelimited && w.Close == record.CloseFIN) {
		return nil
	}
	return &EndError{Limit: f.rec.Limit, Wire: w}
}

// timedOut reports a deadline on a net.Conn, or a cancelled dial.
func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
