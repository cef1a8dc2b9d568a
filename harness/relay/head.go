package relay

import (
	"bufio"
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// headLimit is the longest head that we try to read, in bytes. nginx allows
// 32 KiB, others up to 64.
const headLimit = 64 << 10

// A head collects the bytes up to the empty line, however they are cut.
type head struct {
	b []byte
}

// feed takes bytes and returns how many of them belong to the head; whole is
// the head once it is there, valid until the next call. tooLong gives up.
func (h *head) feed(p []byte) (n int, whole []byte, tooLong bool) {
	if len(h.b) == 0 { // robustness of RFC 9112 section 2.2: empty lines before a request
		for n < len(p) && (p[n] == '\r' || p[n] == '\n') {
			n++
		}
		p = p[n:]
	}
	before := len(h.b)
	h.b = append(h.b, p...)
	end := endOfHead(h.b, max(0, before-3))
	if end < 0 {
		return n + len(p), nil, len(h.b) > headLimit
	}
	whole = h.b[:end]
	h.b = h.b[:0]
	return n + end - before, whole, false
}

// endOfHead finds the end of the first empty line at or after from.
func endOfHead(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '\n')
		if i < 0 {
			return -1
		}
		from += i + 1
		if bytes.HasPrefix(b[from:], []byte("\r\n")) {
			return from + 2
		}
		if bytes.HasPrefix(b[from:], []byte("\n")) {
			return from + 1
		}
	}
}

// An exchange is what the way down must know about a request.
type exchange struct {
	method string
	stream uint64
	known  bool // the request named its stream
}

// parseRequest reads a request head. ok is false for what is not HTTP/1.
func parseRequest(b []byte) (ex exchange, body framing, ok bool) {
	req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil || req.ProtoMajor != 1 || req.Method == http.MethodConnect {
		return ex, body, false
	}
	ex.method = req.Method
	ex.stream, err = strconv.ParseUint(req.Header.Get(stack.StreamHeader), 10, 64)
	ex.known = err == nil
	return ex, frame(req.TransferEncoding, max(req.ContentLength, 0)), true
}

// A response is what the way down must know about a response head.
type response struct {
	interim  bool // 1xx: the real one follows
	switched bool // 101: no HTTP from here on
	body     framing
	format   stream.Format
	encoding string // Content-Encoding that hides the events; "" if none
}

// parseResponse reads a response head. ok is false for what is not HTTP/1.
func parseResponse(b []byte, method string) (r response, ok bool) {
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(b)), &http.Request{Method: method})
	if err != nil || res.ProtoMajor != 1 {
		return r, false
	}
	r.switched = res.StatusCode == http.StatusSwitchingProtocols
	r.interim = res.StatusCode/100 == 1 && !r.switched
	r.body = frame(res.TransferEncoding, res.ContentLength)
	if method == http.MethodHead || res.StatusCode == http.StatusNoContent || res.StatusCode == http.StatusNotModified {
		r.body = frame(nil, 0)
	}
	r.format = formatOf(res.Header.Get("Content-Type"))
	if e := res.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		r.encoding = e
	}
	return r, true
}

// formatOf chooses the decoder. Whatever has no frames of its own counts each
// read as an event.
func formatOf(contentType string) stream.Format {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch strings.TrimSpace(kind) {
	case "text/event-stream":
		return stream.SSE
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return stream.NDJSON
	}
	return stream.Text
}
