package http1

import (
	"bytes"
	"strconv"
)

// chunkHeader takes bytes between the data of two chunks (RFC 9112 section 7.1).
func (d *Decoder) chunkHeader(p []byte) (int, error) {
	for i, c := range p {
		switch d.state {
		case chunkEndCR:
			if c != '\r' {
				return d.garbage(p, i), nil
			}
			d.state = chunkEndLF
		case chunkEndLF:
			if c != '\n' {
				return d.garbage(p, i), nil
			}
			d.state, d.digits, d.size, d.left = chunkStart, 0, 0, 0
		case chunkStart, chunkSize:
			if !d.digit(c) {
				return d.garbage(p, i), nil
			}
		case chunkExt:
			if c == '\n' {
				return d.garbage(p, i), nil
			}
			if c == '\r' {
				d.state = chunkLF
			}
			if d.size++; exceeds(d.size, d.limit) {
				return i, HeadLimitError{d.limit}
			}
		case chunkLF:
			if c != '\n' {
				return d.garbage(p, i), nil
			}
			d.state = chunkData
			if d.left == 0 {
				d.state, d.size = trailer, 0
			}
			return i + 1, nil
		}
	}
	return len(p), nil
}

// digit takes one byte of a chunk size, or what ends it.
func (d *Decoder) digit(c byte) bool {
	v := unhex[c]
	switch {
	case v < 16:
		if d.digits == len(d.hex) || d.left >= 1<<59 {
			return false
		}
		d.hex[d.digits] = c
		d.digits++
		d.left = d.left<<4 | int64(v)
		d.state = chunkSize
	case d.digits == 0:
		return false
	case c == '\r':
		d.state = chunkLF
	case c == ';', c == ' ', c == '\t': // RFC 9112 section 7.1.1 allows white space
		d.state = chunkExt
	default:
		return false
	}
	return true
}

// unhex gives the value of a hex digit, 0xff for other bytes.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
		t[bytes.ToUpper([]byte{byte(c)})[0]] = byte(i)
	}
	return t
}()

// garbage starts to gather what stands at p[i:] in place of framing. Digits of
// the chunk size before it belong to what the reader should see.
func (d *Decoder) garbage(p []byte, i int) int {
	d.broken = true
	d.line = d.line[:0]
	if d.state < chunkData {
		d.line = append(d.line, d.hex[:d.digits]...)
		d.state = chunkSize
	}
	return i + d.gather(p[i:])
}

// gather keeps the start of p and takes all of it.
func (d *Decoder) gather(p []byte) int {
	d.line = append(d.line, p[:min(len(p), max(0, maxGarbage-len(d.line)))]...)
	return len(p)
}

// Gathered reports that enough of the garbage is there to show: a whole line or
// as much as is kept.
func (d *Decoder) Gathered() bool {
	return d.broken && (len(d.line) >= maxGarbage || bytes.ContainsAny(d.line, "\r\n"))
}

// Garbage describes broken framing, empty if it is sound. ended says that no more
// bytes will come. spliced says that another response begins inside the body.
func (d *Decoder) Garbage(ended bool) (garbage string, spliced bool) {
	met := d.line
	what := "chunk header"
	switch {
	case d.broken && d.state == past:
		what = "bytes after the end"
	case d.broken && (d.state == chunkEndCR || d.state == chunkEndLF):
		what = "chunk end"
	case d.broken && d.state <= field:
		what = "response head"
	case !d.broken && ended && d.state == startLine && !bytes.HasPrefix(met, []byte("HTTP/")[:min(5, len(met))]):
		what = "response head" // a peer that speaks something else, without a line end
	case !d.broken:
		return "", false
	}
	if i := bytes.IndexAny(met, "\r\n"); i > 0 {
		met = met[:i]
	}
	if d.state != past {
		what = "invalid " + what
	}
	return what + " " + strconv.Quote(string(met)), d.state > field && bytes.HasPrefix(met, []byte("HTTP/1."))
}
