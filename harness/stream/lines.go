package stream

import "bytes"

// lineEnds finds the ends of lines in p. It looks for LF and CR apart and
// remembers both, so that each byte is looked at once for each, however the
// lines end.
type lineEnds struct {
	p      []byte
	lf, cr int // the next one at or after the last place asked for
}

// next returns the index of the first LF or CR at or after i, or len(p).
func (e *lineEnds) next(i int) int {
	if e.p[i] == '\n' {
		return i
	}
	if e.lf < i {
		e.lf = seek(e.p, i, '\n')
	}
	if e.cr < i {
		e.cr = seek(e.p, i, '\r')
	}
	return min(e.lf, e.cr)
}

func seek(p []byte, i int, c byte) int {
	if n := bytes.IndexByte(p[i:], c); n >= 0 {
		return i + n
	}
	return len(p)
}

// lineFeeds is b with all of its line ends made LF, however they were written. It
// allocates where one was not.
func lineFeeds(b []byte) []byte {
	if bytes.IndexByte(b, '\r') < 0 {
		return b
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
}
