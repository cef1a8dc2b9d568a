package stream

import (
	"fmt"
	"unicode/utf8"
)

// A utf8Check validates UTF-8 that comes in pieces.
type utf8Check struct {
	cut [utf8.UTFMax]byte // the start of a character that a push cut
	n   int
	pos int64
	bad bool
	at  int64 // body offset of the first bad byte
}

func (c *utf8Check) push(p []byte) {
	for c.n > 0 && len(p) > 0 {
		c.cut[c.n] = p[0]
		c.n, c.pos, p = c.n+1, c.pos+1, p[1:]
		if char := c.cut[:c.n]; utf8.FullRune(char) {
			c.check(char, c.pos-int64(c.n))
			c.n = 0
		}
	}
	whole := p[:len(p)-unfinished(p)]
	if !utf8.Valid(whole) {
		c.check(whole, c.pos)
	}
	c.n += copy(c.cut[c.n:], p[len(whole):])
	c.pos += int64(len(p))
}

// check finds the first bad byte of b, which begins at offset pos.
func (c *utf8Check) check(b []byte, pos int64) {
	for i := 0; i < len(b) && !c.bad; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			c.bad, c.at = true, pos+int64(i)
		}
		i += n
	}
}

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

// notUTF8 says where b stops being UTF-8, "" if it does not.
func notUTF8(b []byte) string {
	if utf8.Valid(b) {
		return ""
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return fmt.Sprintf("not UTF-8: byte 0x%02x at %d of the frame", b[i], i)
		}
		i += n
	}
	return ""
}
