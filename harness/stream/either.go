package stream

import "bytes"

// either is a format that the first bytes of a body choose: the first of fs, where
// none of the others begins so. An API that has two protocols is one dialect.
func either(fs []Format) Format {
	return Format{Name: fs[0].Name, New: func(l Limits) Decoder { return &eitherDecoder{formats: fs, limits: l} }}
}

// An eitherDecoder waits for the two bytes that tell the formats apart.
type eitherDecoder struct {
	formats []Format
	limits  Limits
	dec     Decoder
	chosen  string // the name of its format
	head    [16]byte
	n       int
}

// Push implements [Decoder].
func (d *eitherDecoder) Push(p []byte, sink Sink) error {
	if d.dec == nil {
		n := copy(d.head[d.n:], p)
		d.n += n
		p = p[n:]
		if !d.decided() {
			return nil
		}
		if err := d.choose(sink); err != nil {
			return err
		}
	}
	if len(p) == 0 {
		return nil
	}
	return d.dec.Push(p, sink)
}

// decided reports whether two bytes that are neither space nor a byte order mark are
// there, or so much space that it does not matter.
func (d *eitherDecoder) decided() bool {
	if d.n < len(byteOrderMark) && string(d.head[:d.n]) == byteOrderMark[:d.n] {
		return false
	}
	return d.n == len(d.head) || len(d.text()) >= 2
}

func (d *eitherDecoder) text() []byte {
	b := bytes.TrimPrefix(d.head[:d.n], []byte(byteOrderMark))
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func (d *eitherDecoder) choose(sink Sink) error {
	chosen := d.formats[0]
	for _, f := range d.formats[1:] {
		if begins(f.Name, d.text()) {
			chosen = f
		}
	}
	d.dec, d.chosen = chosen.New(d.limits), chosen.Name
	return d.dec.Push(d.head[:d.n], sink)
}

// begins reports whether a body that begins with b is framed so.
func begins(format string, b []byte) bool {
	switch {
	case len(b) == 0:
		return false
	case format == JSONArray.Name:
		return b[0] == '[' || b[0] == '{'
	case format == NDJSON.Name:
		return b[0] == '{'
	case format == PrefixedLines.Name:
		return len(b) > 1 && b[1] == ':' && (isLetter(b[0]) || isDigits(b[:1]))
	}
	return false
}

// Close implements [Decoder].
func (d *eitherDecoder) Close(sink Sink) (partial int) {
	if d.dec == nil && d.choose(sink) != nil {
		return d.n
	}
	return d.dec.Close(sink)
}

func (d *eitherDecoder) tail() []byte {
	if d.dec == nil {
		return d.head[:d.n]
	}
	return Tail(d.dec)
}
