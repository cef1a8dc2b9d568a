package origin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// NonceHeader names a stream. A request without it gets a random name.
const NonceHeader = "X-Request-ID"

// ReplicaEnv tells a process which replica of the app it is, counted from 0.
const ReplicaEnv = "STREAMPROOF_REPLICA"

// Options set a [Server] up. The zero value is ready to use.
type Options struct {
	Conduct
	Answer    Answer    // defaults of all requests; the zero value means DefaultAnswer
	From      int       // replica, by [ReplicaEnv], from which on Answer.Sabotage strikes; 0 means all
	Share     float64   // of the streams that Answer.Sabotage strikes; 0 means the sabotage's own
	Log       io.Writer // JSON lines; nil for none
	LogEvents bool      // one line per event

	board *board
}

// A Server is one process of the origin. It is an http.Handler, whose streams
// need a ResponseWriter that can be hijacked: HTTP/1 only.
type Server struct {
	Conduct
	answer    Answer
	share     float64
	log       *slog.Logger
	logEvents bool
	board     *board
	pid       int
	mux       *http.ServeMux
	http      http.Server

	draining chan struct{} // closed when Shutdown begins
	spent    chan struct{} // closed when the last stream of Conduct.Requests has begun
	blocked  atomic.Int64  // Unix time in ns until which nothing is said

	mu      sync.Mutex // guards what follows, and the connections of live
	live    map[*reply]struct{}
	lost    int      // places that nobody gives back
	begun   int      // streams so far
	leaked  [][]byte // what they left behind
	closing bool
	closed  bool
	cutOff  bool           // what is left has been cut
	streams sync.WaitGroup // those in live
}

// New returns a server that does not listen yet.
func New(o Options) (*Server, error) {
	if o.Answer == (Answer{}) {
		o.Answer = DefaultAnswer
	}
	if err := o.Answer.check(); err != nil {
		return nil, err
	}
	if o.board == nil {
		o.board = new(board)
	}
	if err := o.Conduct.check(); err != nil {
		return nil, err
	}
	s := &Server{Conduct: o.Conduct, spent: make(chan struct{}), answer: o.Answer, share: o.Share, log: newLog(o.Log),
		logEvents: o.LogEvents, board: o.board,
		pid: os.Getpid(), mux: http.NewServeMux(), draining: make(chan struct{}), live: map[*reply]struct{}{}}
	if replica, _ := strconv.Atoi(os.Getenv(ReplicaEnv)); replica < o.From {
		s.answer.Sabotage = ""
	}
	if s.share == 0 && o.Answer.Sabotage != "" {
		s.share = sabotage(o.Answer.Sabotage).Share
	}
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	s.mux.HandleFunc("GET /ledger", s.serveLedger)
	s.mux.HandleFunc("GET /stream", s.serveStream)
	s.mux.HandleFunc("POST /stream", s.serveStream)
	s.http = http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	return s, nil
}

// Serve answers the connections of ln until Shutdown, and then returns nil.
func (s *Server) Serve(ln net.Listener) error {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %v: %w", ln.Addr(), err)
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Shutdown closes the listener and lets the streams in flight finish until ctx
// ends; those that are left are then cut, and counted in the error. Streams that
// a sabotage keeps open for ever end at once.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closing {
		close(s.draining)
	}
	s.closing = true
	s.mu.Unlock()
	err := s.http.Shutdown(ctx) // who was accepted by now is served
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	drained := make(chan struct{})
	go func() { s.streams.Wait(); close(drained) }() // ends with the last stream
	select {
	case <-drained:
	case <-ctx.Done():
	}
	cut := s.cut()
	<-drained
	if err != nil {
		s.http.Close() // what still is in a handler
	}
	switch {
	case cut > 0:
		return fmt.Errorf("drain streams: %d were cut when the grace ran out", cut)
	case err != nil:
		return fmt.Errorf("close connections: %w", err)
	}
	return nil
}

// cut closes the connections of the streams that are left.
func (s *Server) cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutOff = true
	for st := range s.live {
		if st.conn != nil { // see take
			st.conn.Close()
		}
	}
	return len(s.live)
}

// newNonce names a stream whose caller did not.
func newNonce() string { return "origin-" + rand.Text() }
