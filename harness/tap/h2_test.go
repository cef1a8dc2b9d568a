package tap_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/tap"
)

// An h2Script answers a request on stream 1, frame by frame.
type h2Script func(fr *http2.Framer, c *net.TCPConn)

// serveH2 speaks HTTP/2 with prior knowledge and plays one script.
func serveH2(t *testing.T, play h2Script) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { // ends with the connection, or when ln is closed
		defer close(over)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		if _, err := in.Discard(len(http2.ClientPreface)); err != nil {
			return
		}
		fr := http2.NewFramer(c, in)
		fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if _, ok := f.(*http2.HeadersFrame); ok {
				break
			}
		}
		play(fr, c.(*net.TCPConn))
	}()
	t.Cleanup(func() { ln.Close(); <-over })
	return ln.Addr().String()
}

// h2End closes the server's side. A whole close with something unread, such as our
// acknowledgement of its settings, would be a RST.
func h2End(c *net.TCPConn) { c.CloseWrite(); h2Hold(c) }

// h2Head says 200 and more.
func h2Head(fr *http2.Framer, fields ...string) {
	var b bytes.Buffer
	enc := hpack.NewEncoder(&b)
	enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	enc.WriteField(hpack.HeaderField{Name: "content-type", Value: "text/event-stream"})
	for i := 0; i < len(fields); i += 2 {
		enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: b.Bytes(), EndHeaders: true})
}

func h2Data(fr *http2.Framer, s string, end bool) { fr.WriteData(1, end, []byte(s)) }

func h2Hold(c *net.TCPConn) { io.Copy(io.Discard, c) }

func TestH2Endings(t *testing.T) {
	for _, c := range []struct {
		endingCase
		play h2Script
	}{
		{endingCase{name: "whole", where: record.AtEnd, content: stream.Complete, events: 1},
			func(fr *http2.Framer, c *net.TCPConn) {
				h2Head(fr)
				h2Data(fr, event(1), false)
				h2Data(fr, done, true)
				h2Hold(c)
			}},
		{endingCase{name: "laundered", where: record.AtEnd, content: stream.Prefix, events: 1},
			func(fr *http2.Framer, c *net.TCPConn) { h2Head(fr); h2Data(fr, event(1), true); h2Hold(c) }},
		{endingCase{name: "RST_STREAM", where: record.InBody, close: record.CloseRST, content: stream.Prefix, events: 1},
			func(fr *http2.Framer, c *net.TCPConn) {
				h2Head(fr)
				h2Data(fr, event(1), false)
				fr.WriteRSTStream(1, http2.ErrCodeInternal)
				h2Hold(c)
			}},
		{endingCase{name: "RST_STREAM before headers", where: record.BeforeHeaders, close: record.CloseRST,
			content: stream.Empty},
			func(fr *http2.Framer, c *net.TCPConn) { fr.WriteRSTStream(1, http2.ErrCodeRefusedStream); h2Hold(c) }},
		{endingCase{name: "GOAWAY, then closed", where: record.InBody, close: record.CloseFIN, content: stream.Prefix,
			events: 1},
			func(fr *http2.Framer, c *net.TCPConn) {
				h2Head(fr)
				h2Data(fr, event(1), false)
				fr.WriteGoAway(1, http2.ErrCodeNo, nil)
				h2End(c)
			}},
		{endingCase{name: "GOAWAY, stream finished", where: record.AtEnd, content: stream.Complete},
			func(fr *http2.Framer, c *net.TCPConn) {
				h2Head(fr)
				fr.WriteGoAway(1, http2.ErrCodeNo, nil)
				h2Data(fr, done, true)
				h2Hold(c)
			}},
		{endingCase{name: "GOAWAY, stream not looked at", where: record.BeforeHeaders, close: record.CloseFIN,
			content: stream.Empty},
			func(fr *http2.Framer, c *net.TCPConn) { fr.WriteGoAway(0, http2.ErrCodeNo, nil); h2Hold(c) }},
		{endingCase{name: "FIN", where: record.InBody, close: record.CloseFIN, content: stream.CutFrame, events: 1},
			func(fr *http2.Framer, c *net.TCPConn) { h2Head(fr); h2Data(fr, event(1)+"data: ev", false); h2End(c) }},
		{endingCase{name: "RST", where: record.InBody, close: record.CloseRST, content: stream.Prefix, events: 1},
			func(fr *http2.Framer, c *net.TCPConn) {
				h2Head(fr)
				h2Data(fr, event(1), false)
				pause(c)
				c.SetLinger(0)
			}},
		{endingCase{name: "silent", where: record.InBody, limit: record.GapLimit, limits: quick, content: stream.Prefix,
			events: 1},
			func(fr *http2.Framer, c *net.TCPConn) { h2Head(fr); h2Data(fr, event(1), false); h2Hold(c) }},
		{endingCase{name: "endless headers", where: record.BeforeHeaders, limit: record.HeaderSize,
			limits: tap.Limits{Head: 1000}, content: stream.Empty},
			func(fr *http2.Framer, c *net.TCPConn) { h2Head(fr, "x", strings.Repeat("y", 4000)); h2Hold(c) }},
		{endingCase{name: "not HTTP/2", where: record.BeforeHeaders, garbage: "HTTP/2", content: stream.Empty},
			func(fr *http2.Framer, c *net.TCPConn) {
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
				h2Hold(c)
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.framing = record.H2
			addr := serveH2(t, c.play)
			r := newRig(t, tap.Options{})
			d, ask := generic(t)
			got := r.get(tap.Job{URL: "http://" + addr, HTTP2: true, Dialect: d, Ask: ask, Limits: c.limits})
			c.compare(t, got)
		})
	}
}

// secure serves h over TLS and returns the options that trust it.
func secure(t *testing.T, h2 bool, h http.HandlerFunc) (url string, o tap.Options) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = h2
	s.StartTLS()
	t.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return s.URL, tap.Options{TLS: &tls.Config{RootCAs: pool}}
}

// TestSecure carries streams over TLS, with either protocol as the server prefers.
func TestSecure(t *testing.T) {
	for proto, h2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		url, o := secure(t, h2, func(w http.ResponseWriter, r *http.Request) {
			for i := range 5 {
				fmt.Fprint(w, event(i))
				w.(http.Flusher).Flush()
			}
			if r.URL.Path == "/cut" {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, done)
		})
		r := newRig(t, o)
		d, ask := generic(t)
		got := r.get(tap.Job{URL: url, Dialect: d, Ask: ask})
		if got.Proto != proto || got.Content.State != stream.Complete || got.Wire.Where != record.AtEnd ||
			got.Contents != 5 || got.WireBytes <= got.Bytes {
			t.Errorf("%s: %s, %q with %d events, %+v, %d bytes on the wire for %d", proto, got.Proto, got.Content.State,
				got.Contents, got.Wire, got.WireBytes, got.Bytes)
		}
		cut := r.get(tap.Job{URL: url + "/cut", Dialect: d, Ask: ask})
		want := map[bool]record.Close{false: record.CloseFIN, true: record.CloseRST}[h2]
		if cut.Wire.Close != want || cut.Wire.Where == record.AtEnd || cut.Content.State != stream.Prefix {
			t.Errorf("%s, cut: %q, %+v; want close %q", proto, cut.Content.State, cut.Wire, want)
		}
	}
}

func TestUntrustedServer(t *testing.T) {
	url, _ := secure(t, true, func(http.ResponseWriter, *http.Request) {})
	r := newRig(t, tap.Options{})
	got := r.get(tap.Job{URL: url})
	if got.Wire.Where != record.BeforeConnect || got.Wire.Close != record.CloseError ||
		!strings.Contains(got.Wire.Err, "certificate") {
		t.Errorf("%+v, want a certificate error before connect", got.Wire)
	}
}

// TestRequests: what is sent arrives, whatever carries it; a body larger than
// HTTP/2's windows too.
func TestRequests(t *testing.T) {
	body := strings.Repeat("0123456789", 30000)
	type seen struct{ method, path, host, nonce, seq, lane, auth, body string }
	arrived := make(chan seen, 1)
	handler := func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil || r.ContentLength != int64(len(b)) {
			t.Errorf("body of %d bytes declared as %d: %v", len(b), r.ContentLength, err)
		}
		h := r.Header
		arrived <- seen{r.Method, r.URL.RequestURI(), r.Host, h.Get("X-Request-ID"), h.Get("X-Streamproof-Stream"),
			h.Get("X-Streamproof-Lane"), h.Get("Authorization"), string(b)}
	}
	plain := httptest.NewServer(http.HandlerFunc(handler))
	defer plain.Close()
	secureURL, trust := secure(t, true, handler)
	for _, c := range []struct {
		name, url string
		o         tap.Options
	}{
		{"default", plain.URL, tap.Options{}},
		{"conn", plain.URL, tap.Options{Mode: tap.Conn}},
		{"h2", secureURL, trust},
	} {
		c.o.Seed = 7
		r := newRig(t, c.o)
		req, _ := http.NewRequest("POST", "http://placeholder.invalid/", strings.NewReader(body))
		job := tap.Job{Seq: 42, URL: c.url + "/a/b?c=d%20e", Lane: "control",
			Header: http.Header{"Authorization": {"Bearer k"}, "Host": {"virtual.example"}}}
		resp, err := r.RoundTripper(func(uint64) tap.Job { return job }).RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		resp.Body.Close()
		got, want := <-arrived, seen{"POST", "/a/b?c=d%20e", "virtual.example", tap.Nonce(7, 42), "42", "control", "Bearer k",
			body}
		if got != want {
			got.body, want.body = fmt.Sprint(len(got.body)), fmt.Sprint(len(want.body))
			t.Errorf("%s: server saw %+v, want %+v", c.name, got, want)
		}
	}
}

// TestBadRequests are our own errors: no stream begins, and no secret is shown.
func TestBadRequests(t *testing.T) {
	for name, job := range map[string]tap.Job{
		"scheme": {URL: "ftp://127.0.0.1/"},
		"url":    {URL: "http://[::1"},
		"header": {URL: "http://127.0.0.1/", Header: http.Header{"X": {"secret\r\nInjected: 1"}}},
	} {
		r := newRig(t, tap.Options{})
		err := r.send(t.Context(), 0, job)
		if err == nil || len(r.ended) > 0 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v, %d streams", name, err, len(r.ended))
		}
	}
}
