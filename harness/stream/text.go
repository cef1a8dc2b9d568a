package stream

// Text is plain text without frames: what one push delivers is one frame. It
// holds nothing back, so a frame may end inside a character; whoever checks
// characters must carry them over. An answer that ends inside a UTF-8 character
// is cut, and Close returns the bytes of that character. See [CharsetOf] for text that is
// not UTF-8.
var Text = Format{Name: "text", New: func(Limits) Decoder { return new(textDecoder) }}

type textDecoder struct {
	pos    int64
	tail   runeTail
	opaque bool // not UTF-8
	frame  Frame
}

// Push implements [Decoder].
func (d *textDecoder) Push(p []byte, sink Sink) error {
	if len(p) == 0 {
		return nil
	}
	d.frame = Frame{Data: p, Offset: d.pos, Size: len(p)}
	d.pos += int64(len(p))
	d.tail.push(p)
	sink.Frame(&d.frame)
	d.frame = Frame{}
	return nil
}

// Close implements [Decoder].
func (d *textDecoder) Close(Sink) (partial int) {
	if d.opaque {
		return 0
	}
	return d.tail.partial()
}
