package stream

import (
	"bytes"
	"encoding/binary"
)

// string takes a string and returns what stands between its quotes.
func (c *cursor) string() (raw []byte, escaped bool) {
	if c.eat('"'); c.bad {
		return nil, false
	}
	if n := bytes.IndexByte(c.b[c.i:], '"'); n >= 0 && plain(c.b[c.i:c.i+n]) {
		raw = c.b[c.i : c.i+n]
		c.i += n + 1
		return raw, false
	}
	for from := c.i; c.i < len(c.b); c.i++ {
		switch ch := c.b[c.i]; {
		case ch == '"':
			c.i++
			return c.b[from : c.i-1], escaped
		case ch == '\\':
			escaped = true
			c.escape()
			if c.bad {
				return nil, false
			}
		case ch < ' ':
			c.bad = true
			return nil, false
		}
	}
	c.bad = true
	return nil, false
}

// plain reports whether s has neither escapes nor control characters. It takes
// eight bytes at a time: a byte x below n sets the top bit of x − n while x's own
// is clear, and a backslash becomes zero, which is below 1, by exclusive or.
func plain(s []byte) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := binary.LittleEndian.Uint64(s)
		slash := x ^ ones*'\\'
		if ((x-ones*' ')&^x|(slash-ones)&^slash)&tops != 0 {
			return false
		}
	}
	for _, ch := range s {
		if ch < ' ' || ch == '\\' {
			return false
		}
	}
	return true
}

// escape stands on a backslash and stops on the last byte of the escape.
func (c *cursor) escape() {
	if c.i++; c.i >= len(c.b) {
		c.bad = true
		return
	}
	switch c.b[c.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		if _, ok := hex4(c.b[c.i+1:]); !ok {
			c.bad = true
			return
		}
		c.i += 4
	default:
		c.bad = true
	}
}

// A text is a JSON string as it stands between its quotes.
type text struct {
	raw     []byte
	escaped bool
	ok      bool // it was a string
}

// text takes a value that should be a string; any other is skipped.
func (c *cursor) text() text {
	if c.peek() != '"' {
		c.skip()
		return text{}
	}
	raw, escaped := c.string()
	return text{raw, escaped, !c.bad}
}

// is reports whether t is the string s.
func (t text) is(s string) bool {
	if !t.ok {
		return false
	}
	if t.escaped {
		return string(unescape(nil, t.raw)) == s
	}
	return string(t.raw) == s
}

// String returns the string that t stands for.
func (t text) String() string {
	if t.escaped {
		return string(unescape(nil, t.raw))
	}
	return string(t.raw)
}
