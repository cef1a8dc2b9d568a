package tap

import (
	"bytes"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
)

// A response is a push decoder for one HTTP/1.1 response. It takes the bytes as
// they come, however they are split, and knows at every byte where in the
// response it stands.
//
//	status line, fields, empty line      (1xx: again)
//	 ├ chunked:  size[;ext] CRLF data CRLF … 0 CRLF trailers CRLF
//	 ├ length:   data
//	 ├ close:    data until the connection ends
//	 └ none
type response struct {
	state  state
	broken bool // garbage in state; line holds it
	head   *head
	limit  int // bytes of a head, a chunk header or the trailers

	left   int64  // of the chunk or the Content-Length
	line   []byte // a line that a read cut, or the garbage met
	size   int    // bytes of the head, chunk header or trailers so far
	hex    [16]byte
	digits int
}

type state uint8

const (
	statusLine state = iota
	field
	chunkStart // at the first byte of a chunk header
	chunkSize
	chunkExt
	chunkLF
	chunkData
	chunkEndCR
	chunkEndLF
	trailer
	lengthData
	closeData
	whole
	past // bytes after a whole body
)

var places = [...]record.Where{
	statusLine: record.InHeaders, field: record.InHeaders,
	chunkStart: record.BetweenChunks, chunkSize: record.InChunkHeader, chunkExt: record.InChunkHeader,
	chunkLF: record.InChunkHeader, chunkData: record.InChunk, chunkEndCR: record.InChunk,
	chunkEndLF: record.InChunk, trailer: record.BeforeLastEnd, lengthData: record.InBody,
	closeData: record.InBody, whole: record.AtEnd, past: record.AfterEnd,
}

// maxGarbage is how much of a broken piece is kept for the reader.
const maxGarbage = 64

// An errHead says that the peer sent more head than the limit.
type errHead struct{ limit int }

func (e errHead) Error() string {
	return "read response head: longer than the limit of " + strconv.Itoa(e.limit) + " bytes"
}

// where is the place of the next byte.
func (d *response) where() record.Where {
	if d.state == statusLine && len(d.line) == 0 {
		return record.BeforeHeaders
	}
	return places[d.state]
}

// next takes bytes from the front of p, which must not be empty, and returns
// how many and the body bytes among them. It stops after the head, so that the
// caller can look at it.
func (d *response) next(p []byte) (data []byte, n int, err error) {
	if d.broken {
		return nil, d.gather(p), nil
	}
	switch d.state {
	case chunkData, lengthData:
		n = int(min(d.left, int64(len(p))))
		if d.left -= int64(n); d.left > 0 {
			return p[:n], n, nil
		}
		if d.state == lengthData {
			d.state = whole
		} else {
			d.state = chunkEndCR
		}
		return p[:n], n, nil
	case closeData:
		return p, len(p), nil
	case statusLine, field, trailer:
		n, err = d.headLine(p)
		return nil, n, err
	case whole, past:
		d.state, d.broken = past, true
		return nil, d.gather(p), nil
	}
	n, err = d.chunkHeader(p)
	return nil, n, err
}

// headLine takes one line of the head or the trailers, or the part that p has.
func (d *response) headLine(p []byte) (int, error) {
	n := bytes.IndexByte(p, '\n') + 1
	part := p[:n]
	if n == 0 {
		part = p
	}
	if d.size += len(part); exceeds(d.size, d.limit) {
		// A line that came in one piece has begun as well as one that was cut.
		return d.gather(part), errHead{d.limit}
	}
	if n == 0 {
		d.line = append(d.line, part...)
		return len(part), nil
	}
	if len(d.line) > 0 {
		d.line = append(d.line, part...)
		part = d.line
	}
	// RFC 9112 section 2.2 lets a recipient take a lone LF as the end of a line.
	text := bytes.TrimSuffix(part[:len(part)-1], []byte{'\r'})
	if !d.takeLine(text) {
		d.broken = true
		d.line = append([]byte(nil), part[:min(len(part), maxGarbage)]...)
		return n, nil
	}
	d.line = d.line[:0]
	return n, nil
}

func (d *response) takeLine(text []byte) bool {
	switch {
	case d.state == trailer:
		if len(text) == 0 {
			d.state = whole
		}
		return true
	case d.state == statusLine:
		d.state = field
		return d.head.status(text)
	case len(text) > 0:
		return d.head.field(text)
	case d.head.Status < 200 && d.head.Status != 101:
		// An interim response; the real one follows (RFC 9110 section 15.2).
		d.state = statusLine
		d.head.reset()
		return true
	}
	d.endHead()
	return true
}

// endHead chooses the framing of the body (RFC 9112 section 6.3).
func (d *response) endHead() {
	h := d.head
	d.line = nil
	d.size = 0
	switch {
	case h.noBody():
		h.Framing, d.state = record.NoBody, whole
	case h.chunked:
		h.Framing, d.state = record.Chunked, chunkStart
	case h.length >= 0 && !h.coded:
		h.Framing, d.state, d.left = record.Length, lengthData, h.length
		if h.length == 0 {
			d.state = whole
		}
	default:
		h.Framing, d.state = record.CloseDelimited, closeData
	}
}

// inBody reports that the head is whole.
func (d *response) inBody() bool { return d.state > field }
