package tap

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
)

// A head is the status line and the header fields of a response, as far as we
// keep them.
type head struct {
	words  *words
	toHEAD bool // the request was HEAD

	Status      int
	Proto       string
	ContentType string
	Encoding    string
	Framing     record.Framing // set when the head is whole
	fields      []byte         // what is kept: name, 0, value, 0, ...
	nfields     int

	located  bool     // there is a Location
	location string   // of a redirect
	cookies  []string // that a redirect sets

	chunked bool  // Transfer-Encoding ends in chunked
	coded   bool  // there is a Transfer-Encoding
	length  int64 // Content-Length, -1 for none
}

// keptNames are the fields that diagnosis reads, by lower-case name.
var keptNames = map[string]string{
	"server": "Server", "via": "Via", "x-accel-buffering": "X-Accel-Buffering", "content-length": "Content-Length",
	"transfer-encoding": "Transfer-Encoding", "connection": "Connection", "retry-after": "Retry-After",
	"x-cache": "X-Cache", "age": "Age", "x-powered-by": "X-Powered-By",
}

// signNames are fields by which an edge gives itself away. Their values differ
// from response to response and say nothing, so that they are left out.
var signNames = map[string]string{
	"cf-ray": "Cf-Ray", "x-amz-cf-id": "X-Amz-Cf-Id", "x-amz-apigw-id": "X-Amz-Apigw-Id", "apigw-requestid": "Apigw-Requestid",
	"x-envoy-upstream-service-time": "X-Envoy-Upstream-Service-Time", "x-vercel-id": "X-Vercel-Id", "x-varnish": "X-Varnish",
	"x-kong-upstream-latency": "X-Kong-Upstream-Latency", "x-runtime": "X-Runtime",
}

const (
	ownPrefix = "x-streamproof-"
	maxKept   = 16  // fields
	maxValue  = 512 // bytes of one field that are kept
	signSet   = "set"
)

func (h *head) reset() {
	*h = head{words: h.words, toHEAD: h.toHEAD, length: -1}
}

// status takes the status line: "HTTP/1.1 200 OK" (RFC 9112 section 4).
func (h *head) status(line []byte) bool {
	h.length = -1
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' ||
		len(line) > 12 && line[12] != ' ' {
		return false
	}
	switch line[7] {
	case '0':
		h.Proto = "HTTP/1.0"
	case '1':
		h.Proto = "HTTP/1.1"
	default:
		return false
	}
	code, err := strconv.ParseUint(string(line[9:12]), 10, 16)
	h.Status = int(code)
	return err == nil && code >= 100
}

// field takes one header field. A line that starts with white space continues
// the one before (obsolete line folding); nothing that we read is ever folded.
func (h *head) field(line []byte) bool {
	if line[0] == ' ' || line[0] == '\t' {
		return true
	}
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
		return false
	}
	return h.take(lower(name), bytes.Trim(value, " \t"))
}

func (h *head) take(name string, value []byte) bool {
	switch name {
	case "transfer-encoding":
		h.coded = true
		last := value[bytes.LastIndexByte(value, ',')+1:]
		h.chunked = bytes.EqualFold(bytes.TrimSpace(last), []byte("chunked"))
	case "content-length":
		if !h.takeLength(value) {
			return false
		}
	case "location":
		if redirects(h.Status) && !h.located {
			h.located, h.location = true, string(value)
		}
	case "set-cookie":
		if redirects(h.Status) {
			h.cookies = append(h.cookies, string(value))
		}
	case "content-type":
		h.ContentType = h.words.intern(short(value))
	case "content-encoding":
		if !bytes.EqualFold(value, []byte("identity")) {
			h.Encoding = h.words.intern(short(bytes.ToLower(value)))
		}
	}
	h.keep(name, value)
	return true
}

// takeLength takes a Content-Length, which may be repeated only with the same
// value (RFC 9112 section 6.3, rule 5).
func (h *head) takeLength(value []byte) bool {
	for v := range bytes.SplitSeq(value, []byte{','}) {
		n, err := strconv.ParseUint(string(bytes.TrimSpace(v)), 10, 63)
		if err != nil || h.length >= 0 && h.length != int64(n) {
			return false
		}
		h.length = int64(n)
	}
	return true
}

func (h *head) keep(name string, value []byte) {
	title, ok := keptNames[name]
	if !ok && strings.HasPrefix(name, ownPrefix) {
		title, ok = canonical(name), true
	}
	if sign := signNames[name]; !ok && sign != "" {
		title, ok, value = sign, true, []byte(signSet)
	}
	if !ok {
		title, value, ok = h.words.server(name, value)
	}
	if !ok || h.nfields == maxKept || bytes.IndexByte(value, 0) >= 0 {
		return
	}
	h.nfields++
	h.fields = append(append(h.fields, title...), 0)
	h.fields = append(append(h.fields, short(value)...), 0)
}

// kept returns the fields that diagnosis reads. The map may be another stream's,
// too.
func (h *head) kept() map[string]string { return h.words.fields(h.fields) }

// noBody reports a response that has none, whatever its fields say (RFC 9112
// section 6.3, rule 1).
func (h *head) noBody() bool {
	return h.toHEAD || h.Status < 200 || h.Status == 204 || h.Status == 304
}

func short(v []byte) []byte { return v[:min(len(v), maxValue)] }

// lower returns the lower-case form of a field name; names of ours do not
// allocate.
func lower(name []byte) string {
	var buf [32]byte
	if len(name) > len(buf) {
		return strings.ToLower(string(name))
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return string(buf[:len(name)])
}

// canonical is the usual spelling: X-Streamproof-Pid.
func canonical(name string) string {
	b := []byte(name)
	for i := range b {
		if (i == 0 || b[i-1] == '-') && 'a' <= b[i] && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}
