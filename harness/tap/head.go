package tap

import (
	"bytes"
	"net/http"

	"github.com/streamproof/streamproof/harness/http1"
)

// A head is a response head with the fields that we keep beside those of framing. It
// is told of them by its own decoder.
type head struct {
	http1.Head
	words   *words
	fields  []byte // what is kept: name, 0, value, 0, ...
	nfields int

	located  bool     // there is a Location
	location string   // of a redirect
	cookies  []string // that a redirect sets
}

// keptNames are the fields that diagnosis reads, by lower-case name.
var keptNames = map[string]string{
	"server": "Server", "via": "Via", "x-accel-buffering": "X-Accel-Buffering", "content-length": "Content-Length",
	"transfer-encoding": "Transfer-Encoding", "connection": "Connection", "retry-after": "Retry-After", "allow": "Allow",
	"x-cache": "X-Cache", "age": "Age", "x-powered-by": "X-Powered-By",
	"www-authenticate": "Www-Authenticate", // its scheme alone: what follows may differ from response to response
}

// signNames are fields by which an edge gives itself away. Their values differ
// from response to response and say nothing, so that they are left out.
var signNames = map[string]string{
	"cf-ray": "Cf-Ray", "x-amz-cf-id": "X-Amz-Cf-Id", "x-amz-apigw-id": "X-Amz-Apigw-Id",
	"apigw-requestid":               "Apigw-Requestid",
	"x-envoy-upstream-service-time": "X-Envoy-Upstream-Service-Time", "x-vercel-id": "X-Vercel-Id",
	"x-varnish":               "X-Varnish",
	"x-kong-upstream-latency": "X-Kong-Upstream-Latency", "x-runtime": "X-Runtime",
}

const (
	ownPrefix = "x-streamproof-"
	maxKept   = 16 // fields
	signSet   = "set"
)

// newHead returns an empty head. toHEAD says that the request was HEAD.
func newHead(w *words, toHEAD bool) *head {
	h := &head{words: w}
	h.Head = http1.Head{Strings: &w.Strings, Fields: h, ToHEAD: toHEAD}
	return h
}

// Field keeps a header field, or not; it makes h an [http1.Fields].
func (h *head) Field(name, value []byte) {
	if redirects(h.Status) {
		h.redirection(name, value)
	}
	title, ok := keptNames[string(name)]
	if !ok && bytes.HasPrefix(name, []byte(ownPrefix)) {
		title, ok = http.CanonicalHeaderKey(string(name)), true
	}
	if title == "Www-Authenticate" {
		value, _, _ = bytes.Cut(value, []byte(" "))
	}
	if sign := signNames[string(name)]; !ok && sign != "" {
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
	h.fields = append(append(h.fields, value[:min(len(value), http1.MaxValue)]...), 0)
}

// redirection takes what is needed to follow a redirect.
func (h *head) redirection(name, value []byte) {
	switch string(name) {
	case "location":
		if !h.located {
			h.located, h.location = true, string(value)
		}
	case "set-cookie":
		h.cookies = append(h.cookies, string(value))
	}
}

// kept returns the fields that diagnosis reads. The map may be another stream's,
// too.
func (h *head) kept() map[string]string { return h.words.set(h.fields) }
