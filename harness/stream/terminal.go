package stream

import (
	"bytes"
	"regexp"
	"strconv"
)

// A Matcher recognises the terminal event of a generic dialect. It is made by
// [ParseTerminal], never changes, and may be used by many streams at once.
type Matcher struct {
	expr string
	any  [][]test // or of ands
}

// String returns the expression that the matcher was parsed from.
func (m *Matcher) String() string { return m.expr }

// Match reports whether f is the terminal event. It does not allocate, save for
// JSON strings with escapes.
func (m *Matcher) Match(f *Frame) bool {
	for _, tests := range m.any {
		if matchAll(tests, f) {
			return true
		}
	}
	return false
}

func matchAll(tests []test, f *Frame) bool {
	for i := range tests {
		if !tests[i].match(f) {
			return false
		}
	}
	return true
}

// A subject is what a test looks at.
type subject uint8

const (
	subjectData subject = iota
	subjectEvent
	subjectID
	subjectJSON
)

// A test is one comparison.
type test struct {
	subject subject
	path    []step         // of JSON
	not     bool           // != and !~
	re      *regexp.Regexp // ~ and !~, else nil
	values  []value        // of == and in
	part    string         // contains, startswith, endswith; "" for none
	want    []byte         // of part
	bound   string         // <, <=, >, >=; "" for none
	number  float64        // of bound
}

// A value is an operand. A bare word matches a JSON string and a JSON literal
// alike; a quoted one only a string.
type value struct {
	text   string
	quoted bool
}

// A step leads from a JSON value to one inside it.
type step struct {
	name  string
	index int // of an array; -1 for a member
}

// defaultType is the type of an SSE event that names none (WHATWG HTML section
// 9.2.6).
var defaultType = []byte("message")

func (t *test) exists() bool {
	return t.re == nil && len(t.values) == 0 && t.bound == "" && t.part == ""
}

// measured reports whether t compares parts or sizes, and how b compares.
func (t *test) measured(b []byte) (met, ok bool) {
	switch t.part {
	case "contains":
		return bytes.Contains(b, t.want), true
	case "startswith":
		return bytes.HasPrefix(b, t.want), true
	case "endswith":
		return bytes.HasSuffix(b, t.want), true
	}
	if t.bound == "" {
		return false, false
	}
	n, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return false, true
	}
	switch t.bound {
	case "<":
		return n < t.number, true
	case "<=":
		return n <= t.number, true
	case ">":
		return n > t.number, true
	}
	return n >= t.number, true
}

func (t *test) match(f *Frame) bool {
	if t.subject == subjectJSON {
		raw := find(f.Data, t.path)
		// A value that is not there differs from nothing: "!=" is about values.
		return raw != nil && t.matchJSON(raw) != t.not
	}
	b := f.Data
	switch t.subject {
	case subjectEvent:
		if b = f.Name; len(b) == 0 && !t.exists() {
			b = defaultType
		}
	case subjectID:
		b = f.ID
	}
	return t.matchText(b) != t.not
}

func (t *test) matchText(b []byte) bool {
	if t.re != nil {
		return t.re.Match(b)
	}
	if met, ok := t.measured(b); ok {
		return met
	}
	for _, v := range t.values {
		if string(b) == v.text {
			return true
		}
	}
	return t.exists() && len(b) > 0
}

func (t *test) matchJSON(raw []byte) bool {
	isString := raw[0] == '"'
	inner := raw
	if isString {
		if inner = raw[1 : len(raw)-1]; bytes.IndexByte(inner, '\\') >= 0 {
			inner = unescape(nil, inner)
		}
	}
	if t.re != nil {
		return t.re.Match(inner)
	}
	if met, ok := t.measured(inner); ok {
		return met
	}
	for _, v := range t.values {
		if string(inner) == v.text && (isString || !v.quoted) {
			return true
		}
		if !isString && !v.quoted && sameNumber(inner, v.text) {
			return true
		}
	}
	return t.exists() && string(raw) != "null"
}

// sameNumber reports whether both are numbers and equal: 1, 1.0 and 1e0 are.
func sameNumber(raw []byte, s string) bool {
	if c := raw[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	x, err := strconv.ParseFloat(string(raw), 64)
	y, err2 := strconv.ParseFloat(s, 64)
	return err == nil && err2 == nil && x == y
}

// find returns the raw JSON value at path, nil if there is none or b is not one
// JSON text.
func find(b []byte, path []step) []byte {
	c := cursor{b: b}
	raw := c.find(path)
	if !c.done() {
		return nil
	}
	return raw
}

// find takes one value and returns what lies at path inside it.
func (c *cursor) find(path []step) (raw []byte) {
	if len(path) == 0 {
		return c.skip()
	}
	s := path[0]
	switch ch := c.peek(); {
	case ch == '{' && s.index < 0:
		for c.open('{'); c.more('}'); {
			if string(c.key()) == s.name {
				raw = c.find(path[1:])
			} else {
				c.skip()
			}
		}
	case ch == '[' && s.index >= 0:
		for i := 0; ; i++ {
			if i == 0 {
				c.open('[')
			}
			if !c.more(']') {
				break
			}
			if i == s.index {
				raw = c.find(path[1:])
			} else {
				c.skip()
			}
		}
	default:
		c.skip()
	}
	return raw
}
