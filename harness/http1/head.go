package http1

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
)

// A Head is the start line and those header fields of a message that say how its
// body is framed and what it holds.
type Head struct {
	Strings *Strings // shares what many messages have in common; nil shares nothing
	Fields  Fields   // is told of each field; nil is fine
	ToHEAD  bool     // the response answers a HEAD request: it has no body

	Method      string // of a request
	Status      int    // of a response
	Proto       string // "HTTP/1.0" or "HTTP/1.1"
	ContentType string
	Encoding    string         // Content-Encoding in lower case, but for identity
	Framing     record.Framing // set when the head is whole

	request bool
	chunked bool  // Transfer-Encoding ends in chunked
	coded   bool  // there is a Transfer-Encoding
	opaque  bool  // there is one that is not chunked
	length  int64 // Content-Length, -1 for none

	name [64]byte // of the field at hand, in lower case
}

// Fields is told of the header fields of a message, one after the other; a response
// may have interim responses (1xx) before it, whose fields it is not told of. The
// name is in lower case. Both slices are valid during the call only.
type Fields interface {
	Field(name, value []byte)
}

// MaxValue is how many bytes of a Content-Type or Content-Encoding are kept.
const MaxValue = 512

func (h *Head) reset() {
	*h = Head{Strings: h.Strings, Fields: h.Fields, ToHEAD: h.ToHEAD, length: -1}
}

// TransferCoded reports a body that is compressed or otherwise coded on its way,
// beside being cut into chunks.
func (h *Head) TransferCoded() bool { return h.opaque }

// interim reports a response that another follows (RFC 9110 section 15.2). After a
// 101 there is no HTTP any more.
func (h *Head) interim() bool {
	return !h.request && h.Status < 200 && h.Status != http.StatusSwitchingProtocols
}

// noBody reports a response that has none, whatever its fields say (RFC 9112
// section 6.3, rule 1).
func (h *Head) noBody() bool {
	if h.request {
		return false
	}
	return h.ToHEAD || h.Status < 200 || h.Status == http.StatusNoContent || h.Status == http.StatusNotModified
}

// start takes the first line.
func (h *Head) start(line []byte) bool {
	if h.request {
		return h.requestLine(line)
	}
	return h.statusLine(line)
}

// statusLine takes "HTTP/1.1 200 OK" (RFC 9112 section 4).
func (h *Head) statusLine(line []byte) bool {
	if len(line) < len("HTTP/1.1 200") || line[8] != ' ' || len(line) > 12 && line[12] != ' ' || !h.proto(line[:8]) {
		return false
	}
	code, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	h.Status = int(code)
	return err == nil && code >= 100
}

// requestLine takes "GET /path HTTP/1.1" (RFC 9112 section 3).
func (h *Head) requestLine(line []byte) bool {
	method, rest, ok := bytes.Cut(line, []byte{' '})
	at := bytes.LastIndexByte(rest, ' ')
	if !ok || len(method) == 0 || at < 1 || bytes.ContainsAny(method, "\t\r\x00") || !h.proto(rest[at+1:]) {
		return false
	}
	h.Method = h.Strings.Intern(method)
	return true
}

// proto takes the version of the protocol.
func (h *Head) proto(b []byte) bool {
	switch string(b) {
	case "HTTP/1.0":
		h.Proto = "HTTP/1.0"
	case "HTTP/1.1":
		h.Proto = "HTTP/1.1"
	default:
		return false
	}
	return true
}

// field takes one header field. A line that starts with white space continues
// the one before (obsolete line folding); nothing that is read here is ever folded.
func (h *Head) field(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return true
	}
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
		return false
	}
	return h.Take(h.lower(name), bytes.Trim(value, " \t"))
}

// Take takes one header field, with its name in lower case and no white space around
// its value: a user who reads HTTP/2 by other means gives fields here. False is a
// field that breaks the message.
func (h *Head) Take(name, value []byte) bool {
	switch string(name) {
	case "transfer-encoding":
		h.takeCodings(value)
	case "content-length":
		if !h.takeLength(value) {
			return false
		}
	case "content-type":
		h.ContentType = h.Strings.Intern(short(value))
	case "content-encoding":
		h.takeEncodings(value)
	}
	if h.Fields != nil && !h.interim() {
		h.Fields.Field(name, value)
	}
	return true
}

// takeEncodings takes a Content-Encoding (RFC 9110 section 8.4) without the codings that
// change nothing: "identity", and "none", which apps send so that no proxy compresses and
// clients pass through.
func (h *Head) takeEncodings(value []byte) {
	var codings [][]byte
	if h.Encoding != "" { // of a field before: all of them are one list
		codings = append(codings, []byte(h.Encoding))
	}
	for coding := range bytes.SplitSeq(value, []byte{','}) {
		coding = bytes.TrimSpace(coding)
		if len(coding) > 0 && !bytes.EqualFold(coding, []byte("identity")) && !bytes.EqualFold(coding, []byte("none")) {
			codings = append(codings, coding)
		}
	}
	switch len(codings) {
	case 0:
	case 1:
		h.Encoding = h.Strings.Intern(short(bytes.ToLower(codings[0])))
	default:
		h.Encoding = h.Strings.Intern(short(bytes.ToLower(bytes.Join(codings, []byte(", ")))))
	}
}

// takeCodings takes a Transfer-Encoding. The last coding says whether the body is
// chunked (RFC 9112 section 6.3, rule 4). Some servers still say "identity", as RFC 2616
// had it for no coding at all, and clients pass over it.
func (h *Head) takeCodings(value []byte) {
	for coding := range bytes.SplitSeq(value, []byte{','}) {
		if !h.request && bytes.EqualFold(bytes.TrimSpace(coding), []byte("identity")) {
			continue
		}
		h.coded = true
		if h.chunked = bytes.EqualFold(bytes.TrimSpace(coding), []byte("chunked")); !h.chunked {
			h.opaque = true
		}
	}
}

// takeLength takes a Content-Length, which may be repeated only with the same
// value (RFC 9112 section 6.3, rule 5).
func (h *Head) takeLength(value []byte) bool {
	for v := range bytes.SplitSeq(value, []byte{','}) {
		n, err := strconv.ParseUint(string(bytes.TrimSpace(v)), 10, 63)
		if err != nil || h.length >= 0 && h.length != int64(n) {
			return false
		}
		h.length = int64(n)
	}
	return true
}

// lower returns a field name in lower case, without allocation for names of an
// ordinary length.
func (h *Head) lower(name []byte) []byte {
	if len(name) > len(h.name) {
		return bytes.ToLower(name)
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		h.name[i] = c
	}
	return h.name[:len(name)]
}

func short(v []byte) []byte { return v[:min(len(v), MaxValue)] }
