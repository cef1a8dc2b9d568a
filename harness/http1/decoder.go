package http1

import (
	"bytes"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
)

// A Decoder is a push decoder for one HTTP/1.1 message. It takes the bytes as they
// come, however they are split, and knows at every byte where in the message it
// stands.
//
//	start line, fields, empty line      (1xx: again)
//	 ├ chunked:  size[;ext] CRLF data CRLF … 0 CRLF trailers CRLF
//	 ├ length:   data
//	 ├ close:    data until the connection ends (responses only)
//	 └ none
type Decoder struct {
	state  state
	broken bool // garbage in state; line holds it
	// Head is the message's. It may be set to nil once the decoder is InBody.
	Head  *Head
	limit int // bytes of a head, a chunk header or the trailers

	left   int64  // of the chunk or the Content-Length
	line   []byte // a line that a read cut, or the garbage met
	size   int    // bytes of the head, chunk header or trailers so far
	hex    [16]byte
	digits int
}

type state uint8

const (
	startLine state = iota
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
	startLine: record.InHeaders, field: record.InHeaders,
	chunkStart: record.BetweenChunks, chunkSize: record.InChunkHeader, chunkExt: record.InChunkHeader,
	chunkLF: record.InChunkHeader, chunkData: record.InChunk, chunkEndCR: record.InChunk,
	chunkEndLF: record.InChunk, trailer: record.BeforeLastEnd, lengthData: record.InBody,
	closeData: record.InBody, whole: record.AtEnd, past: record.AfterEnd,
}

// maxGarbage is how many bytes of a broken piece are kept for the reader.
const maxGarbage = 64

// A HeadLimitError says that the peer sent more head than the limit.
type HeadLimitError struct {
	Limit int // bytes
}

func (e HeadLimitError) Error() string {
	return "read response head: longer than the limit of " + strconv.Itoa(e.Limit) + " bytes"
}

// NewResponse returns a decoder of a response, which fills h. It accepts limit bytes
// of status line and fields, of a chunk header or of trailers; a negative limit is
// none.
func NewResponse(h *Head, limit int) Decoder {
	h.reset()
	return Decoder{Head: h, limit: limit}
}

// NewRequest returns a decoder of a request, as NewResponse does of a response.
func NewRequest(h *Head, limit int) Decoder {
	h.reset()
	h.request = true
	return Decoder{Head: h, limit: limit}
}

// Where is the place of the next byte.
func (d *Decoder) Where() record.Where {
	if d.state == startLine && len(d.line) == 0 {
		return record.BeforeHeaders
	}
	return places[d.state]
}

// InBody reports that the head is whole, and nothing in it was broken.
func (d *Decoder) InBody() bool { return d.state > field }

// Whole reports that the framing has ended the message. A body that lasts until the
// connection is closed is never whole.
func (d *Decoder) Whole() bool { return d.state >= whole }

// Past reports bytes after the end of the message.
func (d *Decoder) Past() bool { return d.state == past }

// Broken reports bytes that are no HTTP/1.1. All that follow are garbage, too.
func (d *Decoder) Broken() bool { return d.broken }

// Next takes bytes from the front of p, which must not be empty, and returns how
// many and the body bytes among them, which are the last of them. It stops after the
// head, so that the caller can look at it, and at the end of the message. The error
// is a [HeadLimitError].
func (d *Decoder) Next(p []byte) (data []byte, n int, err error) {
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
	case startLine, field, trailer:
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
func (d *Decoder) headLine(p []byte) (int, error) {
	n := bytes.IndexByte(p, '\n') + 1
	part := p[:n]
	if n == 0 {
		part = p
	}
	if d.size += len(part); exceeds(d.size, d.limit) {
		// A line that came in one piece has begun as well as one that was cut.
		return d.gather(part), HeadLimitError{d.limit}
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

func (d *Decoder) takeLine(text []byte) bool {
	switch {
	case d.state == trailer:
		if len(text) == 0 {
			d.state = whole
		}
		return true
	case d.state == startLine && d.Head.request && len(text) == 0:
		return true // RFC 9112 section 2.2: empty lines before a request
	case d.state == startLine:
		d.state = field
		return d.Head.start(text)
	case len(text) > 0:
		return d.Head.field(text)
	case d.Head.interim():
		// An interim response; the real one follows (RFC 9110 section 15.2).
		d.state = startLine
		d.Head.reset()
		return true
	}
	return d.endHead()
}

// endHead chooses the framing of the body (RFC 9112 section 6.3), and reports
// whether there is one.
func (d *Decoder) endHead() bool {
	h := d.Head
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
	case h.request && h.coded:
		return false // nobody can know how long it is
	case h.request:
		h.Framing, d.state = record.NoBody, whole
	default:
		h.Framing, d.state = record.CloseDelimited, closeData
	}
	d.line = nil
	d.size = 0
	return true
}

// exceeds reports whether n is beyond limit, where a negative limit is none.
func exceeds(n, limit int) bool { return limit >= 0 && n > limit }
