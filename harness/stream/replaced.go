package stream

import "bytes"

// U+FFFD stands where somebody could not decode a character. A model may well
// write it, and a text may speak of it; but where a hop decodes each piece of a
// body by itself, a character that two pieces share becomes several in a row, or
// one at both sides of a border between two events:
//
//	… "gr\xC3 │ \xBC\xC3\x9F" …   becomes   "gr\uFFFD │ \uFFFDß"

var (
	replacement = []byte("\uFFFD")
	escapedMark = []byte(`\ufffd`)
)

// A scarFinder counts the events that hold U+FFFD.
type scarFinder struct {
	replaced, split int
	open            bool // the last event's text ended with one
}

// see looks at the data of a content event. Almost all pass the two scans for one
// byte.
func (s *scarFinder) see(data []byte) {
	if bytes.IndexByte(data, replacement[0]) < 0 && bytes.IndexByte(data, '\\') < 0 {
		s.open = false
		return
	}
	s.look(data, replacement, escapedMark)
}

func (s *scarFinder) look(data []byte, marks ...[]byte) {
	found, split, open := false, false, false
	for _, mark := range marks {
		for at := 0; ; {
			n := index(data[at:], mark)
			if n < 0 {
				break
			}
			from, to := at+n, at+n+len(mark)
			found = true
			split = split || hasMark(data[to:], mark) || s.open && borders(data[:from], true)
			open = open || borders(data[to:], false)
			at = to
		}
	}
	s.open = open
	if found {
		s.replaced++
	}
	if split {
		s.split++
	}
}

// index finds a mark; the escaped one in either case.
func index(b, mark []byte) int {
	if mark[0] != '\\' {
		return bytes.Index(b, mark)
	}
	for at := 0; ; at++ {
		n := bytes.IndexByte(b[at:], '\\')
		if n < 0 {
			return -1
		}
		if at += n; hasMark(b[at:], mark) {
			return at
		}
	}
}

func hasMark(b, mark []byte) bool {
	return len(b) >= len(mark) && bytes.EqualFold(b[:len(mark)], mark)
}

// borders reports whether a piece of an event, before or after a mark, leaves
// nothing of the text on that side: the mark stands at its edge.
func borders(b []byte, before bool) bool {
	if len(b) == 0 {
		return true
	}
	if before {
		return b[len(b)-1] == '"'
	}
	return b[0] == '"'
}
