package stream

// What most JSON on the wire looks like takes a shorter way here: no white space
// between its signs, names and values short and without escapes. Whatever does not
// look so is left to the careful functions, at the same place.

// shortString is how far a string is looked at byte by byte: a time in the form of RFC 3339
// is one.
const shortString = 32

// next is more, where a comma follows at once.
func (c *cursor) next(bracket byte) bool {
	if !c.first && !c.bad && c.i < len(c.b) && c.b[c.i] == ',' {
		c.i++
		return true
	}
	return c.more(bracket)
}

// name is key.
func (c *cursor) name() []byte {
	if end := c.short(); end > 0 && end+1 < len(c.b) && c.b[end+1] == ':' {
		name := c.b[c.i+1 : end]
		c.i = end + 2
		return name
	}
	return c.key()
}

// pass is skip.
func (c *cursor) pass() []byte {
	if end := c.short(); end > 0 {
		raw := c.b[c.i : end+1]
		c.i = end + 1
		return raw
	}
	if end := c.plain(); end > 0 {
		raw := c.b[c.i:end]
		c.i = end
		return raw
	}
	return c.skip()
}

// plain is the end of a null, a truth value or a whole number at hand that a sign of JSON
// follows at once; 0 where there is none. A zero before other digits is no number.
func (c *cursor) plain() int {
	if c.bad || c.i+5 >= len(c.b) {
		return 0
	}
	i := c.i
	switch ch := c.b[i]; {
	case ch == 'n' && string(c.b[i:i+4]) == "null", ch == 't' && string(c.b[i:i+4]) == "true":
		i += 4
	case ch == 'f' && string(c.b[i:i+5]) == "false":
		i += 5
	case '1' <= ch && ch <= '9':
		for i++; i < len(c.b) && '0' <= c.b[i] && c.b[i] <= '9'; {
			i++
		}
	default:
		return 0
	}
	if i < len(c.b) && (c.b[i] == ',' || c.b[i] == '}' || c.b[i] == ']') {
		return i
	}
	return 0
}

// short is the place of the quote that ends a short string at hand; 0 where there is
// none.
func (c *cursor) short() int {
	if c.i >= len(c.b) || c.b[c.i] != '"' || c.bad {
		return 0
	}
	b := c.b[:min(len(c.b), c.i+shortString)]
	for i := c.i + 1; i < len(b); i++ {
		switch ch := b[i]; {
		case ch == '"':
			return i
		case ch == '\\' || ch < ' ':
			return 0
		}
	}
	return 0
}
