package stream

import "unicode/utf8"

// Text is plain text without frames: what one push delivers is one frame. It
// holds nothing back, so a frame may end inside a character; whoever checks
// characters must carry them over. An answer that ends inside a UTF-8 character
// is cut, and Close returns the bytes of that character.
var Text = Format{Name: "text", New: func(Limits) Decoder { return new(textDecoder) }}

type textDecoder struct {
	pos   int64
	tail  runeTail
	frame Frame
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
func (d *textDecoder) Close(Sink) (partial int) { return d.tail.partial() }

// A runeTail remembers the last bytes of a text: as many as an unfinished
// character can have.
type runeTail struct {
	b [utf8.UTFMax - 1]byte
	n int
}

func (t *runeTail) push(p []byte) {
	if len(p) >= len(t.b) {
		t.n = copy(t.b[:], p[len(p)-len(t.b):])
		return
	}
	if over := t.n + len(p) - len(t.b); over > 0 {
		t.n = copy(t.b[:], t.b[over:t.n])
	}
	t.n += copy(t.b[t.n:], p)
}

// partial returns the length of the unfinished character at the end, or 0.
func (t *runeTail) partial() int { return unfinished(t.b[:t.n]) }

// unfinished returns the length of the incomplete UTF-8 character at the end of
// b, or 0.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if c := b[len(b)-n:]; utf8.RuneStart(c[0]) {
			if utf8.FullRune(c) {
				return 0
			}
			return n
		}
	}
	return 0
}
