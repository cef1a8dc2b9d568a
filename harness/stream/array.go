package stream

// JSONArray is the framing of one JSON array whose elements come one by one, as
// Gemini answers without alt=sse: each element is a frame. A body that is one JSON
// object is one frame as well.
//
//	[{"candidates": …}
//	,
//	{"candidates": …}
//	]
//
// A byte order mark at the start is skipped. The bracket that closes the array is no
// frame: whether an answer is whole hangs on its terminal.
var JSONArray = Format{Name: "json-array", New: func(l Limits) Decoder { return &arrayDecoder{limit: l.frame()} }}

type arrayDecoder struct {
	limit int
	pos   int64   // body offset of the next byte
	start int64   // of the current element
	held  *buffer // the element so far, nil where nothing is held
	depth int     // brackets open in the element
	inArr bool    // the array is open
	elem  bool    // inside of an element
	bare  bool    // which is neither object nor array
	str   bool    // inside of a string
	esc   bool    // behind a backslash in it
	over  bool
	frame Frame
}

// Push implements [Decoder].
func (d *arrayDecoder) Push(p []byte, sink Sink) error {
	from := 0 // where the element begins in p
	for i := 0; i < len(p) && !d.over; i++ {
		c := p[i]
		if !d.elem {
			if from = i; !d.marked(d.pos+int64(i), c) && d.begin(c) {
				d.start = d.pos + int64(i)
			}
			continue
		}
		if end := d.step(c); end {
			to := i + 1
			if d.bare {
				to = i // the comma or bracket is not its own
			}
			d.emit(p[from:to], sink)
			if d.bare && c == ']' {
				d.inArr = false
			}
			d.elem, d.bare, from = false, false, i+1
			continue
		}
		d.over = d.pos+int64(i)-d.start >= int64(d.limit)
	}
	d.pos += int64(len(p))
	if d.over {
		release(&d.held)
		return &LimitError{What: "element", Limit: d.limit}
	}
	if d.elem && from < len(p) {
		if d.held == nil {
			d.held = hold(p[from:])
		} else {
			d.held.b = append(d.held.b, p[from:]...)
		}
	}
	return nil
}

// marked takes the byte order mark at the start of a body, at pos in it.
func (d *arrayDecoder) marked(pos int64, c byte) bool {
	return pos < int64(len(byteOrderMark)) && c == byteOrderMark[pos]
}

// begin takes a byte between elements and reports whether it begins one.
func (d *arrayDecoder) begin(c byte) bool {
	switch {
	case isSpace(c), c == ',' && d.inArr:
		return false
	case c == '[' && !d.inArr:
		d.inArr = true
		return false
	case c == ']' && d.inArr:
		d.inArr = false
		return false
	}
	d.elem, d.depth, d.bare, d.str = true, 0, false, c == '"'
	switch c {
	case '{', '[':
		d.depth = 1
	case '"':
	default:
		d.bare = true
	}
	return true
}

// step takes a byte of an element and reports whether it ends it.
func (d *arrayDecoder) step(c byte) bool {
	switch {
	case d.esc:
		d.esc = false
	case d.str && c == '\\':
		d.esc = true
	case d.str:
		if c == '"' {
			d.str = false
			return d.depth == 0 && !d.bare
		}
	case d.bare:
		return c == ',' || c == ']' || c == '\n'
	case c == '"':
		d.str = true
	case c == '{', c == '[':
		d.depth++
	case c == '}', c == ']':
		d.depth--
		return d.depth == 0
	}
	return false
}

func (d *arrayDecoder) emit(b []byte, sink Sink) {
	if d.held != nil {
		d.held.b = append(d.held.b, b...)
		b = d.held.b
	}
	d.frame = Frame{Data: b, Offset: d.start, Size: len(b)}
	sink.Frame(&d.frame)
	d.frame = Frame{}
	release(&d.held)
}

// Close implements [Decoder].
func (d *arrayDecoder) Close(Sink) (partial int) {
	switch {
	case d.over:
		return d.limit
	case d.held != nil:
		partial = len(d.held.b)
	}
	release(&d.held)
	return partial
}

func (d *arrayDecoder) tail() []byte {
	if d.held == nil {
		return nil
	}
	return d.held.b
}
