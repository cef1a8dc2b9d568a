package stream

import "bytes"

// statusLine returns the HTTP status line in b (RFC 9112 section 4), or nil.
// Where a gateway or a dying worker writes a second response into an open body,
// this is what it begins with.
func statusLine(b []byte) []byte {
	i := bytes.Index(b, []byte("HTTP/1."))
	if i < 0 {
		return nil
	}
	line := b[i:]
	const shape = "HTTP/1.1 500"
	if len(line) < len(shape) || (line[7] != '0' && line[7] != '1') || line[8] != ' ' || !isDigits(line[9:12]) {
		return nil
	}
	if n := bytes.IndexAny(line, "\r\n"); n >= 0 {
		line = line[:n]
	}
	return line[:min(len(line), 80)]
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// spliced words the finding.
func spliced(line []byte) string {
	return `"` + string(line) + `" in the middle of the body: a second HTTP response was written into it`
}

// A spliceFinder finds a second response in plain text, however it is cut. Text
// may well talk about HTTP, so it wants more than a status line: CRLF behind it
// and a header field behind that, which prose does not have.
//
//	HTTP/1.1 500 Internal Server Error␍␊Connection:
//	└────────┘└───────────────────────┘└┘└────────┘
//	 pattern           reason           6    7…
type spliceFinder struct {
	state uint8 // bytes of splicePattern matched, then the states below
	at    int64 // body offset of the match
	found bool
}

// splicePattern: # is a digit, ? is 0 or 1.
const splicePattern = "HTTP/1.? ###"

const (
	spliceReason = uint8(len(splicePattern)) + iota // in the reason phrase
	spliceLF                                        // CR seen, LF must follow
	spliceName                                      // at the first byte of a field name
	spliceColon                                     // inside it
)

// push looks at the next bytes, which begin at offset pos of the body.
func (s *spliceFinder) push(p []byte, pos int64) {
	for i := 0; i < len(p) && !s.found; i++ {
		if s.state == 0 {
			n := bytes.IndexByte(p[i:], 'H')
			if n < 0 {
				return
			}
			i += n
			s.at = pos + int64(i)
		}
		if s.step(p[i]); s.state == 0 && p[i] == 'H' {
			s.state, s.at = 1, pos+int64(i)
		}
	}
}

// step takes one byte; a byte that does not fit starts over.
func (s *spliceFinder) step(c byte) {
	next := uint8(0)
	switch {
	case s.state < spliceReason:
		if fits(splicePattern[s.state], c) {
			next = s.state + 1
		}
	case s.state == spliceReason && c == '\r':
		next = spliceLF
	case s.state == spliceReason && c >= ' ':
		next = spliceReason
	case s.state == spliceLF && c == '\n':
		next = spliceName
	case s.state == spliceName && isLetter(c):
		next = spliceColon
	case s.state == spliceColon && (isLetter(c) || c == '-'):
		next = spliceColon
	case s.state == spliceColon && c == ':':
		s.found = true
	}
	s.state = next
}

func fits(pattern, c byte) bool {
	switch pattern {
	case '?':
		return c == '0' || c == '1'
	case '#':
		return '0' <= c && c <= '9'
	}
	return pattern == c
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
