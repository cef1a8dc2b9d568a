package stream

import "bytes"

// NDJSON is the framing of application/x-ndjson: one JSON text a line, ended by
// LF or CRLF. A line that is blank, or white space, is a heartbeat by custom and becomes
// a comment frame.
//
// A last line without its LF counts as a cut, with one exception:
// a whole JSON object or array. Its closing bracket proves that nothing of it is
// missing, many servers write lines that way, and whether the answer is whole
// still hangs on its terminal. A number or a word would prove nothing: 12 may be
// the start of 123.
//
// A byte order mark at the start is skipped, as RFC 8259 section 8.1 allows.
var NDJSON = Format{Name: "ndjson", New: newNDJSON}

func newNDJSON(l Limits) Decoder { return &lineDecoder{limit: l.frame()} }

// PrefixedLines is the framing of the Vercel AI SDK's data stream: lines of a code, a
// colon and a JSON value. The code is the frame's name. A line without one has none,
// and is no JSON then.
//
//	0:"Hel"
//	d:{"finishReason":"stop"}
var PrefixedLines = Format{Name: "prefixed-lines", New: func(l Limits) Decoder {
	return &lineDecoder{limit: l.frame(), prefixed: true}
}}

type lineDecoder struct {
	limit    int
	prefixed bool
	pos      int64   // body offset of the current line
	held     *buffer // the line so far, nil where nothing is held
	over     bool
	frame    Frame
}

// Push implements [Decoder].
func (d *lineDecoder) Push(p []byte, sink Sink) error {
	for len(p) > 0 && !d.over {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			d.keep(p)
			break
		}
		line := p[:n+1]
		if d.held != nil {
			d.held.b = append(d.held.b, line...)
			line = d.held.b
		}
		if d.over = len(line) > d.limit; !d.over {
			d.line(line[:len(line)-1], len(line), sink)
			release(&d.held)
		}
		p = p[n+1:]
	}
	if d.over {
		release(&d.held)
		return &LimitError{What: "line", Limit: d.limit}
	}
	return nil
}

func (d *lineDecoder) keep(p []byte) {
	if d.held == nil {
		d.held = hold(p)
	} else {
		d.held.b = append(d.held.b, p...)
	}
	d.over = len(d.held.b) > d.limit
}

// line hands on one line of size bytes with its end.
func (d *lineDecoder) line(b []byte, size int, sink Sink) {
	b = bytes.TrimSuffix(d.unmarked(b), []byte{'\r'})
	d.frame = Frame{Data: b, Comment: blank(b), Offset: d.pos, Size: size}
	if d.prefixed {
		d.frame.Name, d.frame.Data = cutPrefix(b)
	}
	d.pos += int64(size)
	sink.Frame(&d.frame)
	d.frame = Frame{}
}

// Close implements [Decoder].
func (d *lineDecoder) Close(sink Sink) (partial int) {
	if d.over {
		return d.limit
	}
	if d.held == nil {
		return 0
	}
	b := d.held.b
	data := d.unmarked(b)
	if d.prefixed {
		_, data = cutPrefix(data)
	}
	if closed(data) {
		d.line(b, len(b), sink)
	} else {
		partial = len(b)
	}
	release(&d.held)
	return partial
}

// unmarked is a line without the byte order mark that the first may begin with.
func (d *lineDecoder) unmarked(b []byte) []byte {
	if d.pos > 0 {
		return b
	}
	return bytes.TrimPrefix(b, []byte(byteOrderMark))
}

// blank reports whether a line is nothing but white space.
func blank(b []byte) bool {
	for _, c := range b {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// cutPrefix takes the code off a line; name is nil where there is none.
func cutPrefix(b []byte) (name, data []byte) {
	if len(b) > 2 && b[1] == ':' && (isLetter(b[0]) || isDigits(b[:1])) {
		return b[:1], b[2:]
	}
	return nil, b
}

// closed reports whether b is a JSON text that shows its own end.
func closed(b []byte) bool {
	b = bytes.TrimLeft(b, " \t\r")
	return len(b) > 0 && (b[0] == '{' || b[0] == '[') && validJSON(b)
}
