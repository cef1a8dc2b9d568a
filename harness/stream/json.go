package stream

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
)

// A cursor walks one JSON text (RFC 8259) without allocating. The idiom:
//
//	c := cursor{b: data}
//	for c.open('{'); c.more('}'); {
//		switch string(c.key()) {
//		case "seq":
//			seq = c.int()
//		default:
//			c.skip()
//		}
//	}
//	ok := c.done()
//
// A syntax error sets bad and ends every loop, so it is asked for once, at the
// end. What nests deeper than maxDepth is left to encoding/json.
type cursor struct {
	b     []byte
	i     int
	depth int
	first bool // the next element is the first of its object or array
	bad   bool
}

// maxDepth bounds our own recursion.
const maxDepth = 64

// peek skips white space and returns the next byte, 0 at the end.
func (c *cursor) peek() byte {
	for c.i < len(c.b) {
		switch ch := c.b[c.i]; ch {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return ch
		}
	}
	return 0
}

func (c *cursor) eat(ch byte) {
	if c.peek() != ch {
		c.bad = true
		return
	}
	c.i++
}

// open enters an object ('{') or an array ('[').
func (c *cursor) open(bracket byte) {
	c.eat(bracket)
	c.first = true
}

// more reports whether another element follows, and leaves the object or array
// where none does.
func (c *cursor) more(bracket byte) bool {
	if c.bad {
		return false
	}
	if c.peek() == bracket {
		c.i++
		c.first = false
		return false
	}
	if !c.first {
		c.eat(',')
	}
	c.first = false
	return !c.bad
}

// key takes the name of a member and its colon.
func (c *cursor) key() []byte {
	raw, escaped := c.string()
	c.eat(':')
	if escaped && !c.bad {
		return unescape(nil, raw)
	}
	return raw
}

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

// int takes a value that should be an integer; ok is false for any other.
func (c *cursor) int() (v int64, ok bool) {
	return parseInt(c.skip())
}

// parseInt reads a JSON integer that fits 64 bits.
func parseInt(raw []byte) (v int64, ok bool) {
	digits := raw
	neg := len(raw) > 0 && raw[0] == '-'
	if neg {
		digits = raw[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	for _, ch := range digits {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		v = v*10 + int64(ch-'0')
		if v < 0 {
			return 0, false
		}
	}
	if neg {
		v = -v
	}
	return v, true
}

// skip takes any value and returns its text.
func (c *cursor) skip() []byte {
	ch := c.peek()
	from := c.i
	switch ch {
	case '"':
		c.string()
	case '{', '[':
		c.nested(ch)
	case 't':
		c.word("true")
	case 'f':
		c.word("false")
	case 'n':
		c.word("null")
	default:
		c.number()
	}
	if c.bad {
		return nil
	}
	return c.b[from:c.i]
}

// nested takes an object or array.
func (c *cursor) nested(bracket byte) {
	if c.depth++; c.depth > maxDepth {
		c.deep()
		c.depth--
		return
	}
	switch c.open(bracket); bracket {
	case '{':
		for c.more('}') {
			c.string()
			c.eat(':')
			c.skip()
		}
	case '[':
		for c.more(']') {
			c.skip()
		}
	}
	c.depth--
}

// deep takes a value with encoding/json.
func (c *cursor) deep() {
	dec := json.NewDecoder(bytes.NewReader(c.b[c.i:]))
	var raw json.RawMessage
	if dec.Decode(&raw) != nil {
		c.bad = true
		return
	}
	c.i += int(dec.InputOffset())
	c.first = false
}

func (c *cursor) word(w string) {
	if !bytes.HasPrefix(c.b[c.i:], []byte(w)) {
		c.bad = true
		return
	}
	c.i += len(w)
}

// number takes -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (c *cursor) number() {
	if c.at('-') {
		c.i++
	}
	if c.at('0') {
		c.i++
	} else {
		c.digits()
	}
	if c.at('.') {
		c.i++
		c.digits()
	}
	if c.at('e') || c.at('E') {
		c.i++
		if c.at('+') || c.at('-') {
			c.i++
		}
		c.digits()
	}
}

func (c *cursor) at(ch byte) bool { return c.i < len(c.b) && c.b[c.i] == ch }

// digits takes at least one digit.
func (c *cursor) digits() {
	from := c.i
	for c.i < len(c.b) && '0' <= c.b[c.i] && c.b[c.i] <= '9' {
		c.i++
	}
	if c.i == from {
		c.bad = true
	}
}

// done reports whether the text was one whole value with nothing behind it.
func (c *cursor) done() bool {
	return !c.bad && c.peek() == 0 && c.i == len(c.b)
}

// validJSON reports whether b is one JSON text.
func validJSON(b []byte) bool {
	c := cursor{b: b}
	c.skip()
	return c.done()
}
