package stream

import (
	"bytes"
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
