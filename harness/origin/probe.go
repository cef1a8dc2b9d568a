package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// The shape of each answer of a [ProbeServer]. The gap is above HAProxy's 200 ms hold
// of small writes, so that events it delays still come one by one.
const (
	ProbeEvents = 5
	ProbeGap    = 220 * time.Millisecond
)

// ProbeHeader of a response names the protocol in which the edge asked. Its presence
// proves that the answer is ours.
const ProbeHeader = "X-Streamproof-Probe"

// bodyParam and endParam are the query parameters that say how to answer: a
// [record.Framing] and a [record.Close].
const (
	bodyParam = "body"
	endParam  = "end"
)

// AskProbe adds to a request's query how a [ProbeServer] is to answer: with a body of
// that framing, which is whole or ends like that.
func AskProbe(q url.Values, body record.Framing, end record.Close) {
	q.Set(bodyParam, string(body))
	q.Set(endParam, string(end))
}

// A trial is what a probe asks for.
type trial struct {
	body record.Framing
	end  record.Close
}

// trials are the answers to it. What is not among them is a whole body that ends with
// the connection.
var trials = map[trial]hooks{
	{record.Chunked, record.CloseNone}:       {end: apart(endWhole), accel: true},
	{record.Chunked, record.CloseFIN}:        {end: apart(endFIN), accel: true},
	{record.Chunked, record.CloseRST}:        {end: apart(endRST), accel: true},
	{record.CloseDelimited, record.CloseFIN}: {head: undelimited, end: apart(endFIN), accel: true},
	{record.CloseDelimited, record.CloseRST}: {head: undelimited, end: apart(endRST), accel: true},
	{record.Length, record.CloseFIN}:         {head: declareAll, end: apart(endFIN), accel: true},
	{record.Length, record.CloseRST}:         {head: declareAll, end: apart(endRST), accel: true},
}

var otherTrial = hooks{head: undelimited, end: apart(endWhole), accel: true}

// apart ends a stream as much later than its last event as events are apart, so that
// an edge sees the end alone.
func apart(end func(*reply) error) func(*reply) error {
	return func(s *reply) error {
		if err := s.wait(s.due); err != nil {
			return err
		}
		return end(s)
	}
}

func endFIN(s *reply) error { return abandon(s, 0) }
func endRST(s *reply) error { return reset(s, 0) }

func endWhole(s *reply) error {
	if err := s.terminal(); err != nil {
		return err
	}
	return s.endBody()
}

// A ProbeServer is an origin that stands behind an edge which is probed (package
// probe), in the stack's process or in a container. Whatever it is asked for, it
// answers with [ProbeEvents] small events, and breaks off as [AskProbe] says. It never
// asks an edge not to buffer.
type ProbeServer struct {
	server   *Server
	listener net.Listener
	served   sync.WaitGroup // the accepting goroutine
	err      error          // of Serve; to be read after served
}

// ListenProbe starts a probe server on addr, "host:port"; port 0 chooses one.
func ListenProbe(addr string) (*ProbeServer, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start probe origin: %w", err)
	}
	s, err := ProbeHandler()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	p := &ProbeServer{server: s, listener: l}
	p.served.Go(func() { p.err = s.Serve(l) }) // ends with Close
	return p, nil
}

// ProbeHandler is a probe server that does not listen: a network in memory leads to it.
func ProbeHandler() (*Server, error) {
	s, err := New(Options{Answer: Answer{Events: ProbeEvents, Gap: ProbeGap, Size: 8, Format: "sse", Stream: true}})
	if err != nil {
		return nil, fmt.Errorf("start probe origin: %w", err)
	}
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("/", s.serveProbe)
	return s, nil
}

// Addr is where the edge finds the server.
func (p *ProbeServer) Addr() string { return p.listener.Addr().String() }

// Close cuts all streams and waits for their goroutines. It may be called twice.
func (p *ProbeServer) Close() error {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	p.server.Shutdown(now) // its error counts the streams that are cut
	p.served.Wait()
	return p.err
}

// serveProbe answers one request in HTTP/1.1, in whatever protocol it was asked: so
// the framing is the one that the probe wants to see. Edges that keep connections open
// find this one closed: a probe has no use for a second request.
func (s *Server) serveProbe(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, io.LimitReader(r.Body, maxBody)) // left unread, it would turn the FIN into a RST
	nonce := r.Header.Get(NonceHeader)
	if nonce == "" {
		nonce = newNonce()
	}
	q := r.URL.Query()
	d, known := trials[trial{record.Framing(q.Get(bodyParam)), record.Close(q.Get(endParam))}]
	if !known {
		d = otherTrial
	}
	st := s.newReply(r, s.answer, nonce)
	st.proto, st.framing, st.from = "HTTP/1.1", chunked, 0
	st.probed, st.hooks = r.Proto, &d
	if s.take(w, st) == nil {
		go s.reply(st)
	}
}
