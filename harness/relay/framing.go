package relay

// A framing follows the body of one message as its bytes pass, and tells body
// bytes from the framing around them (RFC 9112 sections 6 and 7). It never
// changes or holds a byte.
type framing struct {
	state state
	left  int64 // bytes left of the chunk, or of the body
	digit bool  // the chunk size has a digit
	empty bool  // the trailer line is empty so far
}

type state uint8

const (
	ended      state = iota // nothing more belongs to the message
	untilClose              // the body lasts as long as the connection
	sized                   // left bytes of body
	chunkSize               // in the digits of a chunk's size
	chunkExt                // in a chunk's extension, up to LF
	chunkData               // left bytes of chunk
	chunkCR                 // before the CRLF after a chunk
	chunkLF
	trailer // in the lines after the last chunk
	broken  // not HTTP any more
)

// frame starts a body; length is -1 where none was given.
func frame(encodings []string, length int64) framing {
	switch {
	case len(encodings) > 0:
		return framing{state: chunkSize}
	case length < 0:
		return framing{state: untilClose}
	case length == 0:
		return framing{}
	}
	return framing{state: sized, left: length}
}

// next looks at the start of p, which is not empty, and returns how many bytes
// are of one kind: body, or framing. After the last of the message ended is
// true; bad is true for a framing that does not parse.
func (f *framing) next(p []byte) (n int, body bool) {
	switch f.state {
	case untilClose:
		return len(p), true
	case sized:
		n = f.take(p)
		if f.left == 0 {
			f.state = ended
		}
		return n, true
	case chunkData:
		n = f.take(p)
		if f.left == 0 {
			f.state = chunkCR
		}
		return n, true
	}
	for n < len(p) && f.state != ended && f.state != broken && f.state != chunkData {
		f.step(p[n])
		n++
	}
	return n, false
}

// take counts what of p belongs to the body.
func (f *framing) take(p []byte) int {
	n := int(min(f.left, int64(len(p))))
	f.left -= int64(n)
	return n
}

// step takes one byte of framing.
func (f *framing) step(b byte) {
	switch f.state {
	case chunkSize:
		f.sizeByte(b)
	case chunkExt:
		if b == '\n' {
			f.endSize()
		}
	case chunkCR:
		f.expect(b, '\r', chunkLF)
	case chunkLF:
		f.expect(b, '\n', chunkSize)
		f.digit = false
	case trailer:
		switch {
		case b == '\n' && f.empty:
			f.state = ended
		case b == '\n':
			f.empty = true
		case b != '\r':
			f.empty = false
		}
	}
}

func (f *framing) sizeByte(b byte) {
	v, ok := unhex(b)
	switch {
	case ok && f.left < 1<<58:
		f.left, f.digit = f.left<<4|int64(v), true
	case ok || !f.digit:
		f.state = broken
	case b == '\n':
		f.endSize()
	case b == '\r' || b == ';' || b == ' ' || b == '\t':
		f.state = chunkExt
	default:
		f.state = broken
	}
}

// endSize is behind the line that holds the size; 0 is the last chunk.
func (f *framing) endSize() {
	f.state = chunkData
	if f.left == 0 {
		f.state, f.empty = trailer, true
	}
}

func (f *framing) expect(b, want byte, then state) {
	f.state = broken
	if b == want {
		f.state = then
	}
}

func unhex(b byte) (v byte, ok bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10, true
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}
