package relay

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness/http1"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
)

// headLimit is the longest head that we try to read, in bytes. nginx allows
// 32 KiB, others up to 64.
const headLimit = 64 << 10

// A request is the head of a request, and the stream that it names.
type request struct {
	http1.Head
	stream uint64
	known  bool // it names one
}

// begin makes r ready for the next request of a connection.
func (r *request) begin() http1.Decoder {
	r.Fields, r.stream, r.known = r, 0, false
	return http1.NewRequest(&r.Head, headLimit)
}

var streamHeader = []byte(strings.ToLower(stack.StreamHeader))

// Field makes r an [http1.Fields]. The first field that names a stream counts.
func (r *request) Field(name, value []byte) {
	if r.known || !bytes.Equal(name, streamHeader) {
		return
	}
	var err error
	r.stream, err = strconv.ParseUint(string(value), 10, 64)
	r.known = err == nil
}

// exchange is what the way down must know of the request. ok is false where the
// connection will carry something else than HTTP.
func (r *request) exchange() (ex exchange, ok bool) {
	return exchange{r.Method, r.stream, r.known}, r.Method != http.MethodConnect
}

// An exchange is what the way down must know about a request.
type exchange struct {
	method string
	stream uint64
	known  bool // the request named its stream
}

// hidden says why the events in the body of a response cannot be counted; "" where
// they can.
func hidden(h *http1.Head) string {
	switch {
	case h.Encoding != "":
		return "the body is " + h.Encoding + ": its events cannot be counted"
	case h.TransferCoded():
		return "the body has a transfer coding: its events cannot be counted"
	}
	return ""
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
