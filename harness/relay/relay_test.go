package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every read in the tests; nothing should come near it.
const patience = 20 * time.Second

// A script is a server that answers each connection with raw bytes, written in
// the given pieces, and then ends as told.
type script struct {
	pieces []string
	end    string      // "keep", "fin", "rst"
	late   chan []byte // what a client sent behind its request until it ended; nil for nobody cares
	asked  atomic.Bool // there was a request
	// client, where it is set, counts what the client has read. A piece is then
	// written when the one before it has come through: what a read returns is an
	// event of plain text, and a busy relay would read two pieces at once.
	client *counted
}

// A counted is a connection that counts what is read from it.
type counted struct {
	net.Conn
	n atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// withheld is how long a piece is waited for that the relay keeps for itself.
const withheld = 300 * time.Millisecond

// pause follows a piece, up to which sent bytes were written.
func (s *script) pause(sent int64) harnesstest.Step {
	if s.client == nil {
		return harnesstest.Pause(2 * time.Millisecond) // so that pieces are read apart
	}
	return func(*net.TCPConn) bool {
		for end := time.Now().Add(withheld); s.client.n.Load() < sent && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
		return true
	}
}

// serve starts the script and returns its address.
func (s *script) serve(t *testing.T) string {
	t.Helper()
	var steps harnesstest.Script
	sent := int64(0)
	for _, p := range s.pieces {
		sent += int64(len(p))
		steps = append(steps, harnesstest.Say(p), s.pause(sent))
	}
	switch s.end {
	case "fin":
		steps = append(steps, harnesstest.HalfClose)
	case "rst":
		steps = append(steps, harnesstest.Pause(20*time.Millisecond), harnesstest.RST)
	}
	steps = append(steps, func(c *net.TCPConn) bool {
		b, _ := io.ReadAll(c)
		if s.late != nil {
			s.late <- b
		}
		return false
	})
	return harnesstest.ServeEach(t, func(*http.Request) harnesstest.Script {
		s.asked.Store(true)
		return steps
	}).Addr
}

func startRelay(t *testing.T, target string) *Relay {
	t.Helper()
	r, err := Start(Options{Name: "edge", Listen: "127.0.0.1:0", Target: target})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// ask sends a request for stream 7 and returns the connection.
func ask(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET /stream HTTP/1.1\r\nHost: x\r\n%s: 7\r\n\r\n", stack.StreamHeader)
	return c.(*net.TCPConn)
}

// drain reads to the end and names it.
func drain(c net.Conn) (got, end string) {
	b, err := io.ReadAll(c)
	switch {
	case err == nil:
		end = "fin"
	case errors.Is(err, syscall.ECONNRESET):
		end = "rst"
	default:
		end = err.Error()
	}
	return string(b), end
}

// A framed is one way to mark the end of a body.
type framed struct {
	name string
	head string
	wrap func(string) string
	last string
}

func framings(total int) []framed {
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	same := func(s string) string { return s }
	return []framed{
		{"chunked", "Transfer-Encoding: chunked\r\n", chunk, "0\r\n\r\n"},
		{"length", fmt.Sprintf("Content-Length: %d\r\n", total), same, ""},
		{"close", "Connection: close\r\n", same, ""},
	}
}

// A shape is one content type with its events.
type shape struct {
	kind   string
	events []string
}

func shapes() []shape {
	sse, nd := shape{kind: "text/event-stream"}, shape{kind: "application/x-ndjson"}
	text := shape{kind: "text/plain; charset=utf-8"}
	for i := range 6 {
		sse.events = append(sse.events, fmt.Sprintf("id: %d\ndata: {\"text\":\"word %d\"}\n\n", i, i))
		nd.events = append(nd.events, fmt.Sprintf("{\"type\":\"event\",\"text\":\"word %d\"}\n", i))
		text.events = append(text.events, fmt.Sprintf("word %d. ", i))
	}
	return []shape{sse, nd, text}
}

// wire builds a whole response: its head, and a piece for each event.
func (f framed) wire(s shape) (head string, pieces []string) {
	head = "HTTP/1.1 200 OK\r\nContent-Type: " + s.kind + "\r\n" + f.head + "\r\n"
	for _, e := range s.events {
		pieces = append(pieces, f.wrap(e))
	}
	return head, append(pieces, f.last)
}

// Every strike, on every framing and format, at the first, a middle and the
// last place; the client must get exactly the bytes before it, and the right
// end.
func TestStrikeAtExactEvent(t *testing.T) {
	tests := []struct {
		action stack.Action
		end    string
		// tail is what the client gets of the event after the place.
		tail func(event string) string
	}{
		{stack.RST, "rst", func(string) string { return "" }},
		{stack.FIN, "fin", func(string) string { return "" }},
		{stack.HalfClose, "fin", func(string) string { return "" }},
		{stack.Truncate, "fin", func(e string) string { return e[:len(e)/2] }},
	}
	for _, s := range shapes() {
		for _, f := range framings(len(strings.Join(s.events, ""))) {
			for _, tt := range tests {
				for _, after := range []int{0, 3, 5} {
					name := fmt.Sprintf("%s/%s/%s/%d", tt.action, f.name, strings.Fields(s.kind)[0], after)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						head, pieces := f.wire(s)
						client := &counted{}
						server := &script{pieces: append([]string{head}, pieces...), end: "keep", client: client}
						r := startRelay(t, server.serve(t))
						r.Arm(t.Context(), stack.Strike{Stream: 7, After: after, Action: tt.action})
						client.Conn = ask(t, r.Addr())
						got, end := drain(client)
						want, body := cutAfter(f, head, s, after, tt.tail)
						if got != want || end != tt.end {
							t.Errorf("client got %q and %s,\nwant %q and %s", got, end, want, tt.end)
						}
						wantLedger(t, r, after, body)
					})
				}
			}
		}
	}
}

// cutAfter is what reaches the client. A chunked event is cut behind its last
// body byte, before the CRLF that ends the chunk.
func cutAfter(f framed, head string, s shape, after int, tail func(string) string) (wire string, body int64) {
	wire = head
	for i, e := range s.events[:after] {
		w := f.wrap(e)
		if i == after-1 {
			w = strings.TrimSuffix(w, "\r\n")
			if f.name != "chunked" {
				w = e
			}
		}
		wire += w
		body += int64(len(e))
	}
	if rest := tail(s.events[after]); rest != "" {
		if f.name == "chunked" {
			if after > 0 {
				wire += "\r\n"
			}
			wire += fmt.Sprintf("%x\r\n", len(s.events[after]))
		}
		wire += rest
		body += int64(len(rest))
	}
	return wire, body
}

func wantLedger(t *testing.T, r *Relay, passed int, body int64) {
	t.Helper()
	// The client may see the end before the relay has written it down.
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		if lines, _ := r.Ledger(t.Context()); len(lines) == 1 {
			if l := lines[0]; l.Stream != 7 || l.Passed != passed || l.Bytes != body || l.Err != "" {
				t.Errorf("ledger has %+v, want %d events and %d bytes passed", l, passed, body)
			}
			return
		}
	}
	t.Error("ledger stayed empty")
}

// One chunk that holds several events is cut inside, behind the k-th.
func TestStrikeInsideOneChunk(t *testing.T) {
	events := shapes()[0].events
	all := strings.Join(events, "")
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	size := fmt.Sprintf("%x\r\n", len(all))
	server := &script{pieces: []string{head + size + all + "\r\n0\r\n\r\n"}, end: "keep"}
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 2, Action: stack.FIN})
	got, end := drain(ask(t, r.Addr()))
	if want := head + size + events[0] + events[1]; got != want || end != "fin" {
		t.Errorf("client got %q and %s, want %q and fin", got, end, want)
	}
}

// Whatever way the wire bytes are cut into reads, the place is the same.
func TestStrikePlaceDoesNotDependOnReads(t *testing.T) {
	s := shapes()[0]
	f := framings(0)[0]
	head, pieces := f.wire(s)
	wire := head + strings.Join(pieces, "")
	for _, action := range []stack.Action{stack.FIN, stack.Truncate, stack.Flip} {
		for size := 1; size < len(wire); size += 1 + size/3 {
			server := &script{end: "fin"}
			for rest := wire; rest != ""; {
				n := min(size, len(rest))
				server.pieces = append(server.pieces, rest[:n])
				rest = rest[n:]
			}
			r := startRelay(t, server.serve(t))
			r.Arm(t.Context(), stack.Strike{Stream: 7, After: 2, Action: action})
			got, _ := drain(ask(t, r.Addr()))
			var want string
			switch action {
			case stack.FIN:
				want, _ = cutAfter(f, head, s, 2, func(string) string { return "" })
			case stack.Truncate:
				want, _ = cutAfter(f, head, s, 2, func(e string) string { return e[:len(e)/2] })
			case stack.Flip:
				want = strings.Replace(wire, "word 2", "word 3", 1)
			}
			if got != want {
				t.Errorf("%s, reads of %d bytes: got %q,\nwant %q", action, size, got, want)
			}
		}
	}
}

func TestHoldLosesNothing(t *testing.T) {
	for _, s := range shapes() {
		f := framings(0)[0]
		head, pieces := f.wire(s)
		server := &script{pieces: append([]string{head}, pieces...), end: "fin"}
		r := startRelay(t, server.serve(t))
		const hold = 300 * time.Millisecond
		r.Arm(t.Context(), stack.Strike{Stream: 7, After: 3, Action: stack.Hold, For: hold})
		began := time.Now()
		got, end := drain(ask(t, r.Addr()))
		if want := head + strings.Join(pieces, ""); got != want || end != "fin" {
			t.Errorf("%s: client got %q and %s, want all of it and fin", s.kind, got, end)
		}
		if took := time.Since(began); took < hold {
			t.Errorf("%s: took %v, less than the hold of %v", s.kind, took, hold)
		}
	}
}

func TestFlipChangesOneByteOfTheEvent(t *testing.T) {
	for _, s := range shapes() {
		for _, f := range framings(len(strings.Join(s.events, ""))) {
			head, pieces := f.wire(s)
			server := &script{pieces: append([]string{head}, pieces...), end: "fin"}
			r := startRelay(t, server.serve(t))
			r.Arm(t.Context(), stack.Strike{Stream: 7, After: 4, Action: stack.Flip})
			got, _ := drain(ask(t, r.Addr()))
			want := strings.Replace(head+strings.Join(pieces, ""), "word 4", "word 5", 1)
			if got != want {
				t.Errorf("%s %s: got %q,\nwant %q", s.kind, f.name, got, want)
			}
		}
	}
}

// A heartbeat behind the place is not held until the event comes.
func TestFlipLetsHeartbeatsThrough(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	server := &script{pieces: []string{head + "data: a\n\n", ": ping\n\n"}, end: "keep"}
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: stack.Flip})
	c := ask(t, r.Addr())
	want := head + "data: a\n\n: ping\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestRefuseResetsBeforeTheServerSeesTheRequest(t *testing.T) {
	server := &script{}
	t.Cleanup(func() { // when the server has ended
		if server.asked.Load() {
			t.Error("the server got a request, want none")
		}
	})
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, Action: stack.Refuse})
	if got, end := drain(ask(t, r.Addr())); got != "" || end != "rst" {
		t.Errorf("client got %q and %s, want nothing and rst", got, end)
	}
}

func TestBlackholeKeepsTheConnectionOpen(t *testing.T) {
	f := framings(0)[0]
	head, pieces := f.wire(shapes()[0])
	server := &script{pieces: append([]string{head}, pieces...), end: "fin"}
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 2, Action: stack.Blackhole})
	c := ask(t, r.Addr())
	c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	got, end := drain(c)
	want, _ := cutAfter(f, head, shapes()[0], 2, func(string) string { return "" })
	if got != want || !strings.Contains(end, "timeout") {
		t.Errorf("client got %q and %s, want %q and silence", got, end, want)
	}
}

// After a half-close the server still hears the client.
func TestHalfCloseLeavesTheOtherWayOpen(t *testing.T) {
	f := framings(0)[0]
	head, pieces := f.wire(shapes()[0])
	server := &script{pieces: append([]string{head}, pieces...), end: "keep", late: make(chan []byte, 1)}
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: stack.HalfClose})
	c := ask(t, r.Addr())
	if _, end := drain(c); end != "fin" {
		t.Fatalf("client saw %s, want fin", end)
	}
	io.WriteString(c, "still here")
	c.CloseWrite()
	if got := <-server.late; string(got) != "still here" {
		t.Errorf("server got %q, want the late bytes", got)
	}
}

// Ends are passed on as what they were.
func TestEndsPassUnchanged(t *testing.T) {
	for _, end := range []string{"fin", "rst"} {
		server := &script{pieces: []string{"HTTP/1.1 200 OK\r\n\r\nsome text"}, end: end}
		r := startRelay(t, server.serve(t))
		if got, saw := drain(ask(t, r.Addr())); saw != end || !strings.HasSuffix(got, "some text") {
			t.Errorf("client got %q and %s, want the text and %s", got, saw, end)
		}
	}
}

// Only the named stream is struck, also where streams share a connection.
func TestKeepAliveStrikesTheRightRequest(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/x-ndjson")
		for i := range 4 {
			fmt.Fprintf(w, "{\"stream\":%s,\"n\":%d}\n", req.Header.Get(stack.StreamHeader), i)
			w.(http.Flusher).Flush()
		}
	}))
	defer backend.Close()
	r := startRelay(t, backend.Listener.Addr().String())
	r.Arm(t.Context(), stack.Strike{Stream: 3, After: 2, Action: stack.RST})
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	for stream := 1; stream <= 5; stream++ {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+r.Addr(),
			strings.NewReader(strings.Repeat("x", 10_000)))
		req.Header.Set(stack.StreamHeader, fmt.Sprint(stream))
		if stream == 2 {
			req.ContentLength = -1 // a chunked request is followed too
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("stream %d: %v", stream, err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		lines, wantLines := bytes.Count(b, []byte("\n")), 4
		if stream == 3 {
			wantLines = 2
		}
		if lines != wantLines || (err != nil) != (stream == 3) {
			t.Errorf("stream %d: %d lines and %v, want %d", stream, lines, err, wantLines)
		}
	}
}

// What cannot be done is said, and the stream is left alone.
func TestLedgerSaysWhatCouldNotBeDone(t *testing.T) {
	tests := []struct {
		name, head, body string
		action           stack.Action
		want             string
	}{
		{"compressed", "Content-Encoding: gzip\r\n", "xxxx", stack.RST, "gzip"},
		{"ended before its event", "", "data: a\n\ndata: b", stack.Truncate, "ended before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + tt.head + "\r\n"
			server := &script{pieces: []string{head + tt.body}, end: "fin"}
			r := startRelay(t, server.serve(t))
			r.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: tt.action})
			got, _ := drain(ask(t, r.Addr()))
			if got != head+tt.body {
				t.Errorf("client got %q, want all", got)
			}
			lines, _ := r.Ledger(t.Context())
			if len(lines) != 1 || !strings.Contains(lines[0].Err, tt.want) {
				t.Errorf("ledger has %+v, want %q in its error", lines, tt.want)
			}
		})
	}
}

// What is not HTTP passes.
func TestOtherProtocolsPass(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.Copy(c, c)
	}()
	r := startRelay(t, l.Addr().String())
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	want := "\x16\x03\x01\x02\x00 not HTTP\r\n\r\n at all"
	io.WriteString(c, want)
	c.(*net.TCPConn).CloseWrite()
	if got, end := drain(c); got != want || end != "fin" {
		t.Errorf("got %q and %s", got, end)
	}
}

func TestPauseRefusesAndResumeKeepsThePort(t *testing.T) {
	server := &script{pieces: []string{"HTTP/1.1 204 No Content\r\n\r\n"}, end: "fin"}
	r := startRelay(t, server.serve(t))
	addr := r.Addr()
	r.Cut()
	if c, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		if err == nil {
			c.Close()
		}
		t.Errorf("dial while paused: %v, want connection refused", err)
	}
	if err := r.Resume(); err != nil || r.Addr() != addr {
		t.Fatalf("Resume() = %v at %s, want %s", err, r.Addr(), addr)
	}
	if _, end := drain(ask(t, addr)); end != "fin" {
		t.Errorf("after Resume the client saw %s", end)
	}
}

func TestUnreachableTargetResets(t *testing.T) {
	r := startRelay(t, "127.0.0.1:1")
	c, err := net.Dial("tcp", r.Addr())
	if err == nil {
		defer c.Close()
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) { // of the dial, if the relay was fast
		t.Errorf("client saw %v, want a reset", err)
	}
}

func TestControlAPI(t *testing.T) {
	f := framings(0)[0]
	head, pieces := f.wire(shapes()[0])
	server := &script{pieces: append([]string{head}, pieces...), end: "keep"}
	r := startRelay(t, server.serve(t))
	api := httptest.NewServer(Handler(r))
	defer api.Close()
	client := Client{URL: api.URL, HTTP: api.Client()}
	if err := client.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: stack.FIN}); err != nil {
		t.Fatal(err)
	}
	drain(ask(t, r.Addr()))
	lines, err := client.Ledger(t.Context())
	if err != nil || len(lines) != 1 || lines[0].Action != stack.FIN || lines[0].Passed != 1 {
		t.Errorf("Ledger() = %+v, %v", lines, err)
	}
	for _, bad := range []stack.Strike{{Stream: 1, Action: "explode"}, {Stream: 1, After: -1, Action: stack.RST},
		{Stream: 1, Action: stack.Hold}} {
		if err := client.Arm(context.Background(), bad); err == nil ||
			!strings.Contains(err.Error(), "arm strike on stream 1") {
			t.Errorf("Arm(%+v) = %v, want a refusal that names the stream", bad, err)
		}
	}
}

// Close ends everything, whatever it is busy with.
func TestCloseEndsAHold(t *testing.T) {
	f := framings(0)[0]
	head, pieces := f.wire(shapes()[0])
	server := &script{pieces: append([]string{head}, pieces...), end: "keep"}
	r := startRelay(t, server.serve(t))
	r.Arm(t.Context(), stack.Strike{Stream: 7, After: 1, Action: stack.Hold, For: time.Hour})
	c := ask(t, r.Addr())
	wantLedger(t, r, 1, int64(len(shapes()[0].events[0])))
	done := make(chan struct{})
	go func() { r.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("Close hangs on a stream that is held")
	}
	drain(c)
}
