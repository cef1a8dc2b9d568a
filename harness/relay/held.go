package relay

// A held keeps wire bytes back, framing among them, and knows which of them
// are body.
type held struct {
	b      []byte
	pieces []piece
}

// A piece says that n body bytes from body offset pos on lie at b[at:].
type piece struct {
	pos   int64
	at, n int
}

// note says that the bytes ahead places behind the end of what is held, which
// are added later, are body.
func (h *held) note(pos int64, ahead, n int) {
	if n > 0 {
		h.pieces = append(h.pieces, piece{pos, len(h.b) + ahead, n})
	}
}

func (h *held) add(p []byte) { h.b = append(h.b, p...) }

func (h *held) len() int { return len(h.b) }

// take empties h. The result is valid until the next add.
func (h *held) take() []byte {
	b := h.b
	h.b, h.pieces = h.b[:0], h.pieces[:0]
	return b
}

// find returns where the body byte at pos lies in b.
func (h *held) find(pos int64) (int, bool) {
	for _, p := range h.pieces {
		if i := pos - p.pos; i >= 0 && i < int64(p.n) {
			at := p.at + int(i)
			return at, at < len(h.b)
		}
	}
	return 0, false
}

// flip changes the last letter or digit of the frame into its neighbour. The
// last one is inside the payload in every format that we know, so that the
// framing stays sound and only the content is wrong.
func (h *held) flip(m mark) bool {
	for pos := m.to - 1; pos >= m.from; pos-- {
		at, ok := h.find(pos)
		if !ok {
			continue
		}
		if next, ok := neighbour(h.b[at]); ok {
			h.b[at] = next
			return true
		}
	}
	return false
}

func neighbour(b byte) (byte, bool) {
	switch {
	case b == '9' || b == 'z' || b == 'Z':
		return b - 1, true
	case '0' <= b && b < '9', 'a' <= b && b < 'z', 'A' <= b && b < 'Z':
		return b + 1, true
	}
	return b, false
}
