package stream

import "bytes"

// Tail returns the start of the frame that d has begun and not yet finished; nil
// where there is none. It is valid until d is used again.
func Tail(d Decoder) []byte {
	t, ok := d.(interface{ tail() []byte })
	if !ok {
		return nil
	}
	b := t.tail()
	return b[:min(len(b), maxTail)]
}

// maxTail is how much of an unfinished frame is looked at.
const maxTail = 8 << 10

func (d *sseDecoder) tail() []byte {
	if d.held == nil {
		return nil
	}
	return lineFeeds(d.held.b)
}

func (d *lineDecoder) tail() []byte {
	if d.held == nil {
		return nil
	}
	return d.held.b
}

// An ender can say whether a frame would be its terminal.
type ender interface {
	terminates(f *Frame) bool
	leave(tail []byte)
	unended(tail []byte)
	unparted()
}

// Leave tells a reader of the frame that the end of the body left unfinished. It
// must come before [Reader.Close].
func Leave(f Format, r Reader, tail []byte) {
	if t, ok := r.(*tracker); ok {
		r = t.Reader
	}
	e, ok := r.(ender)
	if !ok || len(tail) == 0 {
		return
	}
	e.leave(tail)
	s := &lastFrame{ender: e}
	d := f.New(Limits{Frame: 2 * maxTail})
	if d.Push(tail, s) == nil && d.Push([]byte("\n\n"), s) == nil {
		d.Close(s)
	}
	switch {
	case s.joined:
		e.unparted()
	case s.frames == 1 && s.ends:
		e.unended(tail)
	}
}

// A lastFrame looks at what an unfinished frame would have been.
type lastFrame struct {
	ender
	frames       int
	ends, joined bool
}

// Frame implements [Sink].
func (s *lastFrame) Frame(f *Frame) {
	if f.Comment {
		return
	}
	s.frames++
	s.ends = s.terminates(f)
	s.joined = joined(f.Data)
}

// joined reports whether the data of one event are several: each of its lines is
// JSON of its own, but for a sentinel in brackets.
func joined(data []byte) bool {
	if len(data) == 0 || data[0] != '{' || bytes.IndexByte(data, '\n') < 0 {
		return false
	}
	lines := 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if !sentinelWord(line) && (line[0] != '{' || !validJSON(line)) {
			return false
		}
		lines++
	}
	return lines > 1
}
