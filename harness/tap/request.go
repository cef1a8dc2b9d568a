package tap

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"

	"github.com/streamproof/streamproof/harness/stack"
)

// A request is one stream's request before it is sent.
type request struct {
	method string
	url    *url.URL
	host   string // of the Host header
	dial   string // "host:port"
	header http.Header
	body   []byte
	secure bool

	// What an event loop has still to do for it.
	addrs []netip.AddrPort // to try after this one
	rest  []byte           // to write
	buf   *[]byte          // that wire took from the pool
}

// newRequest joins what the caller's request and the job say. It changes the
// request's header, which is the caller's own copy.
func newRequest(req *http.Request, job *Job) (*request, error) {
	r := &request{method: orGET(req.Method), url: req.URL, host: req.Host, header: req.Header}
	if job.URL != "" {
		u, err := url.Parse(job.values().URL(job.URL))
		if err != nil {
			return nil, fmt.Errorf("make request: %w", err)
		}
		r.url, r.host = u, u.Host
	}
	if r.host == "" {
		r.host = r.url.Host
	}
	switch r.url.Scheme {
	case "http":
	case "https":
		r.secure = true
	default:
		return nil, fmt.Errorf("make request: unsupported scheme %q in %s", r.url.Scheme, r.url.Redacted())
	}
	r.dial = job.Dial
	if r.dial == "" {
		r.dial = Address(r.url)
	}
	return r, r.fill(req, job)
}

func orGET(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

// Address is the "host:port" that a URL of http or https leads to.
func Address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[u.Scheme == "https"]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// fill sets the job's headers and reads the body.
func (r *request) fill(req *http.Request, job *Job) error {
	if r.header == nil {
		r.header = http.Header{}
	}
	for k, v := range job.Header {
		r.header[http.CanonicalHeaderKey(k)] = v
	}
	for k, vs := range r.header {
		if slices.ContainsFunc(vs, func(v string) bool { return strings.Contains(v, "{") }) {
			own := slices.Clone(vs) // the streams of a wave share them
			for i := range own {
				own[i] = job.values().Field(own[i])
			}
			r.header[k] = own
		}
	}
	if job.Lane != "" {
		r.header.Set(stack.LaneHeader, job.Lane)
	}
	if r.header.Get("User-Agent") == "" {
		r.header.Set("User-Agent", "streamproof")
	}
	if h := r.header.Get("Host"); h != "" {
		r.host = h
	}
	for k, vs := range r.header {
		for _, v := range vs {
			// The value may be a secret: it stays out of the message.
			if !httpguts.ValidHeaderFieldName(k) || !httpguts.ValidHeaderFieldValue(v) {
				return fmt.Errorf("make request: header %q is not valid", k)
			}
		}
	}
	if req.Body == nil {
		r.body = job.values().Body(job.Body, IsJSON(r.header.Get("Content-Type")))
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if job.Body != nil {
		body = job.Body
	}
	r.body = job.values().Body(body, IsJSON(r.header.Get("Content-Type")))
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return fmt.Errorf("make request: read body: %w", err)
	}
	return nil
}

// name puts the stream's own headers in: its nonce, and its number where something
// of ours on the way reads it.
func (r *request) name(seq uint64, nonce string, foreign bool) {
	if !foreign {
		r.header.Set(stack.StreamHeader, strconv.FormatUint(seq, 10))
	}
	r.header.Set(stack.NonceHeader, nonce)
}

// computed are the header fields that wire writes itself.
var computed = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true}

// wires are buffers of requests that were sent: a load of streams starts many.
var wires = sync.Pool{New: func() any { return new([]byte) }}

// wire makes the request's bytes, which sent gives back.
func (r *request) wire() []byte {
	r.buf = wires.Get().(*[]byte)
	*r.buf = r.append((*r.buf)[:0])
	return *r.buf
}

// maxWire is the largest buffer that is kept for another request.
const maxWire = 64 << 10

func (r *request) sent() {
	if r.buf != nil && cap(*r.buf) <= maxWire {
		wires.Put(r.buf)
	}
	r.buf, r.rest = nil, nil
}

// append is the request in HTTP/1.1 (RFC 9112 section 3), fields in the order of
// their names.
func (r *request) append(b []byte) []byte {
	b = append(b, r.method...)
	b = append(append(b, ' '), r.url.RequestURI()...)
	b = append(append(append(b, " HTTP/1.1\r\nHost: "...), r.host...), "\r\n"...)
	if len(r.body) > 0 || r.method == http.MethodPost || r.method == http.MethodPut {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(r.body)), 10)
		b = append(b, "\r\n"...)
	}
	names := make([]string, 0, len(r.header))
	for k := range r.header {
		if !computed[k] {
			names = append(names, k)
		}
	}
	slices.Sort(names)
	for _, k := range names {
		for _, v := range r.header[k] {
			b = append(append(append(append(b, k...), ": "...), strings.TrimSpace(v)...), "\r\n"...)
		}
	}
	b = append(b, "\r\n"...)
	return append(b, r.body...)
}

// resolve returns the addresses to try, in order.
func (f *flight) resolve() ([]netip.AddrPort, error) {
	if a, err := netip.ParseAddrPort(f.req.dial); err == nil {
		return []netip.AddrPort{a}, nil
	}
	ctx, cancel := f.connectContext()
	defer cancel()
	host, service, err := net.SplitHostPort(f.req.dial)
	if err != nil {
		return nil, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return nil, err
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	all := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		all[i] = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return all, nil
}
