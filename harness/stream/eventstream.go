package stream

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// EventStream is the framing of application/vnd.amazon.eventstream
// (https://smithy.io/2.0/aws/amazon-eventstream.html):
//
//	┌──────────────┬───────────────┬─────────────┬─────────┬─────────┬─────────────┐
//	│ total length │ headers length│ prelude CRC │ headers │ payload │ message CRC │
//	│ 4 bytes      │ 4 bytes       │ 4 bytes     │         │         │ 4 bytes     │
//	└──────────────┴───────────────┴─────────────┴─────────┴─────────┴─────────────┘
//
// All numbers are big-endian, the CRCs are CRC-32 (IEEE). A message whose CRC does
// not hold becomes a frame with [Frame.Broken] when the body ends; where the next
// message would begin is not known then, so it is the last.
//
// The header :event-type becomes the frame's name; a message of type exception or
// error sets [Frame.Failure]. A message called chunk wraps the model's own JSON as
// {"bytes": base64}, and its data are what is wrapped.
var EventStream = Format{Name: "aws-eventstream", New: func(l Limits) Decoder { return &awsDecoder{limit: l.frame()} }}

const (
	awsPrelude = 12
	awsTrailer = 4
)

type awsDecoder struct {
	limit int
	pos   int64   // body offset of the current message
	held  *buffer // the message so far, nil where nothing is held
	inner *buffer // what a chunk wraps
	dead  bool    // a CRC did not hold
	why   string  // which
	over  bool
	frame Frame

	broken []byte // the start of what did not parse
}

// Push implements [Decoder].
func (d *awsDecoder) Push(p []byte, sink Sink) error {
	if d.dead || d.over {
		d.keep(p)
		return d.error()
	}
	b := p
	if d.held != nil {
		d.held.b = append(d.held.b, p...)
		b = d.held.b
	}
	rest := d.messages(b, sink)
	d.frame = Frame{}
	switch {
	case d.dead:
		release(&d.held)
		d.keep(rest)
	case d.over || len(rest) == 0:
		release(&d.held)
	case d.held == nil:
		d.held = hold(rest)
	default:
		d.held.b = d.held.b[:copy(d.held.b, rest)]
	}
	return d.error()
}

func (d *awsDecoder) error() error {
	if d.over {
		return &LimitError{What: "message", Limit: d.limit}
	}
	return nil
}

// messages hands on the whole messages of b and returns what is left.
func (d *awsDecoder) messages(b []byte, sink Sink) []byte {
	for len(b) >= awsPrelude {
		total, headers := int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
		if want, got := binary.BigEndian.Uint32(b[8:]), crc32.ChecksumIEEE(b[:8]); want != got {
			d.fail("the CRC of a message's prelude is %08x, its bytes have %08x", want, got)
			return b
		}
		if total < awsPrelude+awsTrailer || headers > total-awsPrelude-awsTrailer {
			d.fail("a message of %d bytes with %d bytes of headers", total, headers)
			return b
		}
		if d.over = total > d.limit; d.over || len(b) < total {
			return b
		}
		m := b[:total]
		if want, got := binary.BigEndian.Uint32(m[total-awsTrailer:]), crc32.ChecksumIEEE(m[:total-awsTrailer]); want != got {
			d.fail("the CRC of a message is %08x, its bytes have %08x", want, got)
			return b
		}
		d.message(m, headers, sink)
		b = b[total:]
		d.pos += int64(total)
	}
	return b
}

// fail ends the reading: where the next message begins is not known.
func (d *awsDecoder) fail(format string, args ...any) {
	d.dead, d.why = true, fmt.Sprintf(format, args...)
}

// maxBroken is how much is kept of what does not parse, in bytes.
const maxBroken = 200

func (d *awsDecoder) keep(p []byte) {
	if d.dead {
		d.broken = append(d.broken, p[:min(len(p), maxBroken-len(d.broken))]...)
	}
}

// The headers that say what a message is.
var (
	awsMessageType  = []byte(":message-type")
	awsEventType    = []byte(":event-type")
	awsException    = []byte(":exception-type")
	awsErrorCode    = []byte(":error-code")
	awsErrorMessage = []byte(":error-message")
)

func (d *awsDecoder) message(m []byte, headers int, sink Sink) {
	f := &d.frame
	*f = Frame{Data: m[awsPrelude+headers : len(m)-awsTrailer], Offset: d.pos, Size: len(m)}
	var text []byte
	for h := m[awsPrelude : awsPrelude+headers]; len(h) > 0; {
		name, value, rest, ok := awsHeader(h)
		if !ok {
			f.Broken = "a header of a message does not parse"
			break
		}
		switch {
		case bytes.Equal(name, awsMessageType):
			f.Failure = string(value) != "event"
		case bytes.Equal(name, awsEventType), bytes.Equal(name, awsException), bytes.Equal(name, awsErrorCode):
			f.Name = value
		case bytes.Equal(name, awsErrorMessage):
			text = value
		}
		h = rest
	}
	if len(f.Data) == 0 && f.Failure {
		f.Data = text
	}
	d.unwrap(f)
	sink.Frame(f)
	release(&d.inner)
}

// unwrap takes the model's JSON out of a chunk.
func (d *awsDecoder) unwrap(f *Frame) {
	if string(f.Name) != "chunk" || f.Failure {
		return
	}
	raw := member(f.Data, "bytes")
	if len(raw) < 2 || raw[0] != '"' {
		return
	}
	raw = raw[1 : len(raw)-1]
	d.inner = hold(nil)
	if n := base64.StdEncoding.DecodedLen(len(raw)); cap(d.inner.b) < n {
		d.inner.b = make([]byte, n)
	}
	n, err := base64.StdEncoding.Decode(d.inner.b[:cap(d.inner.b)], raw)
	if err != nil {
		f.Broken = "the bytes of a chunk are not base64"
		return
	}
	f.Data = d.inner.b[:n]
}

// awsHeader takes one header: the length of its name in one byte, its name, its
// type, and its value, which has a length of 2 bytes where the type does not say it.
func awsHeader(h []byte) (name, value, rest []byte, ok bool) {
	n := int(h[0])
	if len(h) < 1+n+1 {
		return nil, nil, nil, false
	}
	name, h = h[1:1+n], h[1+n:]
	kind := h[0]
	h = h[1:]
	size := 0
	switch kind {
	case 0, 1: // true, false
	case 2:
		size = 1
	case 3:
		size = 2
	case 4:
		size = 4
	case 5, 8: // a long, a timestamp
		size = 8
	case 6, 7: // bytes, a string
		if len(h) < 2 {
			return nil, nil, nil, false
		}
		size, h = int(binary.BigEndian.Uint16(h)), h[2:]
	case 9: // a UUID
		size = 16
	default:
		return nil, nil, nil, false
	}
	if len(h) < size {
		return nil, nil, nil, false
	}
	return name, h[:size], h[size:], true
}

// Close implements [Decoder].
func (d *awsDecoder) Close(sink Sink) (partial int) {
	switch {
	case d.dead:
		d.frame = Frame{Data: d.broken, Broken: d.why, Offset: d.pos, Size: len(d.broken)}
		sink.Frame(&d.frame)
	case d.over:
		partial = d.limit
	case d.held != nil:
		partial = len(d.held.b)
	}
	release(&d.held)
	return partial
}
