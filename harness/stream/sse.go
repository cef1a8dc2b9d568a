package stream

import (
	"bytes"
	"strconv"
)

// SSE is the framing of text/event-stream, to the letter of WHATWG HTML
// section 9.2 (server-sent events):
//
//   - Lines end in LF, CR or CRLF, wherever a push cuts them. One byte order
//     mark at the start is skipped.
//   - A blank line dispatches the event. A block without a data line dispatches
//     nothing, but its id counts. Several data lines are joined with LF.
//   - An id that contains NULL is ignored, and so is a retry that is not all
//     digits.
//   - An event that the end of the body leaves without its blank line is not
//     dispatched; Close returns its length.
//
// Beyond the standard, a comment line becomes a frame of its own (heartbeats
// matter to us), and lines with unknown fields are shown as [Frame.Junk].
//
// An event is complete at the first byte that ends its blank line, so the LF of
// a final CRLF is not waited for and not counted in [Frame.Size].
var SSE = Format{Name: "sse", New: newSSE}

func newSSE(l Limits) Decoder { return &sseDecoder{limit: l.frame()} }

// sseNamed is SSE for servers whose events may be a name alone. The standard drops
// such events, and so do browsers; the API's own clients take them.
var sseNamed = Format{Name: "sse", New: func(l Limits) Decoder { return &sseDecoder{limit: l.frame(), named: true} }}

// A span is a piece of the current block: offsets from the block's first byte,
// so that they survive the copy when a push cuts the block.
type span struct{ from, to int }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

// A block is what was read of the current event.
type block struct {
	open  bool // has a line that is neither blank nor a comment
	id    bool // has an id of its own
	lines int  // of data
	data  span // the first data line
	name  span
	junk  span // from the first unknown line to the last
}

// An sseDecoder walks line by line. While a block lies in the push at hand it
// is read in place; what the push leaves unfinished moves to held.
//
//	push 1                              push 2
//	id: 7⏎data: {"seq":7,"te            xt":"…"}⏎⏎id: 8⏎…
//	└────────── held ──────┘            └─ appended ┘└─ in place again
type sseDecoder struct {
	limit int
	named bool    // an event with a name and no data is one
	pos   int64   // body offset of the next byte
	start int64   // body offset of the block's first byte
	line  int64   // body offset of the current line's first byte
	held  *buffer // the block so far, nil where nothing is held
	from  int     // where the current line begins in held
	multi *buffer // joined data of a block with several data lines
	blk   block
	id    []byte // last event ID, kept over events
	retry int    // ms, kept as well
	bom   uint8  // bytes of the byte order mark met so far
	begun bool   // past the place where a byte order mark may stand
	cr    bool   // the last byte was CR: a LF now belongs to it
	over  bool   // over the limit
	frame Frame
}

// Push implements [Decoder].
func (d *sseDecoder) Push(p []byte, sink Sink) error {
	if d.over {
		return d.limitError()
	}
	err := d.push(d.skipBOM(p), sink)
	d.frame = Frame{} // it must not keep p alive
	return err
}

func (d *sseDecoder) push(p []byte, sink Sink) error {
	ends := lineEnds{p: p, lf: -1, cr: -1}
	block := 0 // where the block begins in p, if nothing of it is held
	for i := 0; i < len(p); {
		if d.cr {
			d.cr = false
			if p[i] == '\n' {
				i, d.pos = i+1, d.pos+1
				continue
			}
		}
		if d.held == nil || len(d.held.b) == d.from {
			d.line = d.pos
		}
		if d.held == nil && !d.blk.open {
			block, d.start = i, d.pos
		}
		end := ends.next(i)
		if end == len(p) {
			d.pos += int64(end - i)
			d.keep(p[block:], p[i:], i-block)
			return d.check()
		}
		d.pos += int64(end + 1 - i)
		d.cr = p[end] == '\r'
		if err := d.check(); err != nil {
			return err
		}
		if d.held == nil {
			d.endLine(p[block:end], i-block, sink)
		} else {
			d.held.b = append(d.held.b, p[i:end]...)
			d.endHeldLine(sink)
		}
		i = end + 1
	}
	if d.blk.open && d.held == nil {
		d.keep(p[block:], nil, len(p)-block)
	}
	return nil
}

// keep holds what a push left unfinished: block is all of the block in this
// push, rest its last line, which begins at from.
func (d *sseDecoder) keep(block, rest []byte, from int) {
	if d.held == nil {
		d.held, d.from = hold(block), from
		return
	}
	d.held.b = append(d.held.b, rest...)
}

// endHeldLine ends the line at the end of held.
func (d *sseDecoder) endHeldLine(sink Sink) {
	d.endLine(d.held.b, d.from, sink)
	if !d.blk.open {
		release(&d.held)
		return
	}
	d.held.b = append(d.held.b, '\n')
	d.from, d.line = len(d.held.b), d.pos
}

// endLine takes the line base[from:], where base is the block up to there.
func (d *sseDecoder) endLine(base []byte, from int, sink Sink) {
	line := base[from:]
	switch {
	case len(line) == 0:
		d.dispatch(base, sink)
	case line[0] == ':':
		d.frame = Frame{Comment: true, Data: unspace(line[1:]), ID: d.id, Retry: d.retry, Offset: d.line,
			Size: int(d.pos - d.line)}
		sink.Frame(&d.frame)
	default:
		d.blk.open = true
		d.field(base, from)
	}
}

// field takes one field line: "name", "name:value" or "name: value".
func (d *sseDecoder) field(base []byte, from int) {
	line := base[from:]
	colon := 4 // as in "data:", the most frequent
	if len(line) <= colon || line[colon] != ':' {
		if colon = bytes.IndexByte(line, ':'); colon < 0 {
			colon = len(line)
		}
	}
	value := span{min(from+colon+1, len(base)), len(base)}
	if value.from < value.to && base[value.from] == ' ' {
		value.from++
	}
	switch string(line[:colon]) {
	case "data":
		d.data(base, value)
	case "event":
		d.blk.name = value
	case "id":
		if v := value.of(base); bytes.IndexByte(v, 0) < 0 {
			d.id, d.blk.id = append(d.id[:0], v...), true
		}
	case "retry":
		if n, err := strconv.ParseUint(string(value.of(base)), 10, 31); err == nil { // digits only, as the standard wants
			d.retry = int(n)
		}
	default:
		if d.blk.junk.to == 0 {
			d.blk.junk.from = from
		}
		d.blk.junk.to = len(base)
	}
}

// data takes one data line. A single one stays where it is; the second starts a
// joined copy.
func (d *sseDecoder) data(base []byte, value span) {
	switch d.blk.lines++; d.blk.lines {
	case 1:
		d.blk.data = value
		return
	case 2:
		d.multi = hold(d.blk.data.of(base))
	}
	d.multi.b = append(d.multi.b, '\n')
	d.multi.b = append(d.multi.b, value.of(base)...)
}

// dispatch ends the block at its blank line.
func (d *sseDecoder) dispatch(base []byte, sink Sink) {
	if d.blk.lines > 0 || d.blk.junk.to > 0 || d.named && d.blk.name.to > d.blk.name.from {
		d.fill(base)
		sink.Frame(&d.frame)
	}
	if d.multi != nil {
		release(&d.multi)
	}
	d.blk = block{}
}

// fill makes the frame of the current block. It sets the fields one by one: a
// composite literal of this size is built aside and copied, which was a fifth of
// all the time in here.
func (d *sseDecoder) fill(base []byte) {
	f := &d.frame
	f.Data = d.blk.data.of(base)
	f.Name = d.blk.name.of(base)
	f.ID, f.Retry, f.OwnID = d.id, d.retry, d.blk.id
	f.Comment = d.blk.lines == 0 && (!d.named || len(f.Name) == 0)
	f.Junk = nil
	f.Offset = d.start
	f.Size = int(d.pos - d.start)
	if d.multi != nil {
		f.Data = d.multi.b
	}
	if d.blk.junk.to > 0 {
		f.Junk = lineFeeds(d.blk.junk.of(base))
	}
}

// Close implements [Decoder].
func (d *sseDecoder) Close(Sink) (partial int) {
	switch {
	case d.over:
		partial = d.limit
	case !d.begun:
		partial = int(d.bom)
	case d.held != nil:
		partial = int(d.pos - d.start)
	}
	release(&d.held)
	release(&d.multi)
	return partial
}

// check enforces the limit on a block that is not yet whole.
func (d *sseDecoder) check() error {
	if d.pos-d.start <= int64(d.limit) {
		return nil
	}
	d.over = true
	release(&d.held)
	release(&d.multi)
	return d.limitError()
}

func (d *sseDecoder) limitError() error { return &LimitError{What: "event", Limit: d.limit} }

const byteOrderMark = "\xEF\xBB\xBF"

// skipBOM drops one byte order mark from the start of the body, however it is
// cut. Bytes that only begin like one open the first line.
func (d *sseDecoder) skipBOM(p []byte) []byte {
	for !d.begun && len(p) > 0 {
		if p[0] != byteOrderMark[d.bom] {
			d.begun = true
			if d.bom > 0 {
				d.held = hold([]byte(byteOrderMark[:d.bom]))
			}
			break
		}
		p = p[1:]
		d.pos++
		if d.bom++; int(d.bom) == len(byteOrderMark) {
			d.begun = true
		}
	}
	return p
}

// unspace drops the one space that may follow a colon.
func unspace(b []byte) []byte {
	if len(b) > 0 && b[0] == ' ' {
		return b[1:]
	}
	return b
}
