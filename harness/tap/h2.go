package tap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/record"
)

// An h2 carries one stream over HTTP/2 (RFC 9113), on a connection of its own.
// It works on frames, because an HTTP/2 client library hides which frame ended a
// stream: END_STREAM, RST_STREAM, GOAWAY or the connection's own end.
//
//  1. preface, SETTINGS, HEADERS with the request, DATA with its body as the
//     peer's windows allow
//  2. HEADERS with the response: the head; DATA: the body
//  3. END_STREAM: the body is whole
type h2 struct {
	*line
	in    *bufio.Reader
	fr    *http2.Framer
	reads int64 // tcp.bytes when the last read was stamped

	out      []byte // what is left of the request body
	room     int64  // of the stream's window to send
	connRoom int64  // of the connection's
	initial  int64  // the peer's initial window of a stream
	owed     int    // body bytes received and not yet returned to the windows
	gone     error  // GOAWAY came
}

const (
	h2Stream = 1       // the only stream of the connection
	h2Window = 1 << 30 // ours: a slow reader is not what we test
	h2Owed   = 1 << 20
	// h2Default is the initial window (RFC 9113 section 6.9.2).
	h2Default = 65535
	h2Frame   = 16384 // largest payload that every peer takes (section 4.2)
)

// errWhole ends the read loop of a body that END_STREAM has ended.
var errWhole = errors.New("stream ended")

func newH2(l *line) *h2 {
	c := &h2{line: l, in: bufio.NewReaderSize(l, lineBuf), room: h2Default, connRoom: h2Default, initial: h2Default}
	c.fr = http2.NewFramer(writer{l}, c.in)
	c.fr.SetReuseFrames()
	c.fr.SetMaxReadFrameSize(h2Frame)
	c.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if l.f.limits.Head > 0 {
		c.fr.MaxHeaderListSize = uint32(l.f.limits.Head)
	}
	return c
}

// A writer writes under the line's limits.
type writer struct{ l *line }

func (w writer) Write(p []byte) (int, error) { return len(p), w.l.write(p) }

func (c *h2) carry() ending {
	w := &c.f.rec.Wire
	w.Framing, w.Where = record.H2, record.BeforeHeaders
	err := c.request()
	for err == nil {
		var fr http2.Frame
		if c.in.Buffered() == 0 {
			c.f.events.end(c.f.body.plain)
		}
		if fr, err = c.fr.ReadFrame(); err == nil {
			c.stamp()
			err = c.handle(fr)
		}
	}
	c.f.events.end(c.f.body.plain)
	return c.ending(err)
}

// request sends everything that can be sent before the peer has spoken.
func (c *h2) request() error {
	if err := c.write([]byte(http2.ClientPreface)); err != nil {
		return err
	}
	c.out = c.f.req.body
	block := c.headerBlock()
	first := block[:min(len(block), h2Frame)]
	rest := block[len(first):]
	err := errors.Join(
		c.fr.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: h2Window}),
		c.fr.WriteWindowUpdate(0, h2Window-h2Default),
		c.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: h2Stream, BlockFragment: first,
			EndStream: len(c.out) == 0, EndHeaders: len(rest) == 0}))
	for err == nil && len(rest) > 0 {
		part := rest[:min(len(rest), h2Frame)]
		rest = rest[len(part):]
		err = c.fr.WriteContinuation(h2Stream, len(rest) == 0, part)
	}
	if err != nil {
		return err
	}
	return c.sendBody()
}

// unsent are the HTTP/1.1 fields that HTTP/2 forbids (RFC 9113 section 8.2.2),
// and those that become pseudo fields.
var unsent = map[string]bool{"Host": true, "Connection": true, "Keep-Alive": true, "Proxy-Connection": true,
	"Transfer-Encoding": true, "Upgrade": true, "Content-Length": true}

func (c *h2) headerBlock() []byte {
	r := c.f.req
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	put := func(k, v string) { enc.WriteField(hpack.HeaderField{Name: k, Value: v}) } // a Buffer takes all
	put(":method", r.method)
	put(":scheme", r.url.Scheme)
	put(":authority", r.host)
	put(":path", r.url.RequestURI())
	for k, vs := range r.header {
		for _, v := range vs {
			if !unsent[k] {
				put(strings.ToLower(k), v)
			}
		}
	}
	if len(r.body) > 0 {
		put("content-length", strconv.Itoa(len(r.body)))
	}
	return b.Bytes()
}

// sendBody sends as much of the request body as the windows allow.
func (c *h2) sendBody() error {
	began := c.clock.now()
	for len(c.out) > 0 && min(c.room, c.connRoom) > 0 {
		n := int(min(c.room, c.connRoom, int64(len(c.out)), h2Frame))
		began = c.clock.now()
		if err := c.fr.WriteData(h2Stream, n == len(c.out), c.out[:n]); err != nil {
			return err
		}
		c.out = c.out[n:]
		c.room -= int64(n)
		c.connRoom -= int64(n)
	}
	if len(c.out) == 0 && c.f.req != nil {
		c.f.sent(began)
	}
	return nil
}

// stamp begins a read of the flight where the socket was read.
func (c *h2) stamp() {
	if c.tcp.bytes != c.reads {
		c.reads = c.tcp.bytes
		c.f.rec.WireBytes = c.tcp.bytes
		c.f.stamp(c.reading())
	}
}

func (c *h2) handle(fr http2.Frame) error {
	switch fr := fr.(type) {
	case *http2.MetaHeadersFrame:
		return c.headers(fr)
	case *http2.DataFrame:
		return c.data(fr)
	case *http2.RSTStreamFrame:
		return http2.StreamError{StreamID: fr.StreamID, Code: fr.ErrCode, Cause: errReset}
	case *http2.GoAwayFrame:
		c.gone = fmt.Errorf("GOAWAY %v, last stream %d", fr.ErrCode, fr.LastStreamID)
		if fr.LastStreamID < h2Stream {
			return errGone
		}
	case *http2.SettingsFrame:
		return c.settings(fr)
	case *http2.PingFrame:
		if !fr.IsAck() {
			return c.fr.WritePing(true, fr.Data)
		}
	case *http2.WindowUpdateFrame:
		if fr.StreamID == 0 {
			c.connRoom += int64(fr.Increment)
		} else {
			c.room += int64(fr.Increment)
		}
		return c.sendBody()
	}
	return nil
}

var (
	errReset = errors.New("received from peer")
	// errGone is the end of a stream that a GOAWAY says was not looked at.
	errGone = errors.New("connection going away")
)

func (c *h2) settings(fr *http2.SettingsFrame) error {
	if fr.IsAck() {
		return nil
	}
	if v, ok := fr.Value(http2.SettingInitialWindowSize); ok {
		c.room += int64(v) - c.initial // RFC 9113 section 6.9.2
		c.initial = int64(v)
	}
	if err := c.fr.WriteSettingsAck(); err != nil {
		return err
	}
	return c.sendBody()
}

// headers takes the response head, an interim response, or trailers.
func (c *h2) headers(fr *http2.MetaHeadersFrame) error {
	if fr.Truncated {
		c.f.stop(record.HeaderSize, http1.HeadLimitError{Limit: c.f.limits.Head})
		return errInterrupted
	}
	if c.f.rec.Headers < 0 {
		h := c.f.head
		h.Proto, h.Framing = "HTTP/2.0", record.H2
		status, err := strconv.Atoi(fr.PseudoValue("status"))
		if err != nil {
			return fmt.Errorf("invalid status %q", fr.PseudoValue("status"))
		}
		if h.Status = status; status < 200 {
			return nil
		}
		for _, hf := range fr.RegularFields() {
			h.Take([]byte(hf.Name), []byte(hf.Value))
		}
		if c.f.redirected(h) {
			return errWhole
		}
		c.f.rec.Wire.Where = record.InBody
		c.f.beginBody(h)
	}
	return c.endIf(fr.StreamEnded())
}

func (c *h2) data(fr *http2.DataFrame) error {
	if p := fr.Data(); len(p) > 0 {
		c.f.take(p)
		c.f.publish()
	}
	if c.f.halt != nil {
		return errInterrupted
	}
	if c.owed += int(fr.Length); c.owed >= h2Owed && !fr.StreamEnded() {
		err := errors.Join(c.fr.WriteWindowUpdate(0, uint32(c.owed)), c.fr.WriteWindowUpdate(h2Stream, uint32(c.owed)))
		if c.owed = 0; err != nil {
			return err
		}
	}
	return c.endIf(fr.StreamEnded())
}

func (c *h2) endIf(ended bool) error {
	if !ended {
		return nil
	}
	c.f.rec.Wire.Where = record.AtEnd
	return errWhole
}

// ending says how the stream ended, by what ended the reading of frames.
func (c *h2) ending(err error) ending {
	var reset http2.StreamError
	var broken http2.ConnectionError
	switch {
	case errors.Is(err, errWhole):
		return ending{}
	case errors.As(err, &reset):
		return ending{close: record.CloseRST, err: err}
	case errors.As(err, &broken) && c.f.rec.Headers < 0 && exceeds(int(c.tcp.bytes), c.f.limits.Head):
		// The framer calls a field longer than the limit a compression error.
		return ending{limit: record.HeaderSize, err: err}
	case errors.As(err, &broken), errors.Is(err, http2.ErrFrameTooLarge):
		c.f.rec.Wire.Garbage = "invalid HTTP/2 frame: " + err.Error()
		return ending{}
	}
	e := c.line.ending(err)
	if c.gone != nil && e.close != record.CloseNone || errors.Is(err, errGone) {
		e.close, e.err = record.CloseFIN, c.gone
	}
	return e
}
