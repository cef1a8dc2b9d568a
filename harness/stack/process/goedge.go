package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/nginxconf"
)

const (
	goEdgeLog = "edge.log"
	// goEdgeRead is how long an upstream may be silent: nginx's own default.
	goEdgeRead = 60 * time.Second
)

// A goEdge is the edge of a host without nginx: std's reverse proxy, set up for
// streams. It launders as nginx does, and it stands for no
// other form.
type goEdge struct {
	listener net.Listener
	server   *http.Server
	log      *os.File
	host     string // sent upstream; "" keeps the client's
	turn     atomic.Uint64
	served   sync.WaitGroup // the goroutine in Serve
	closed   sync.Once

	mu        sync.RWMutex // guards upstreams
	upstreams []nginxconf.Upstream
}

func startGoEdge(c *Stack, upstreams []nginxconf.Upstream) (*goEdge, error) {
	out, err := os.OpenFile(filepath.Join(c.spec.LogDir, goEdgeLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of the edge: %w", err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		out.Close()
		return nil, fmt.Errorf("listen for the edge: %w", err)
	}
	e := &goEdge{listener: l, log: out, host: c.remote.Host, upstreams: upstreams}
	logger := log.New(out, "", log.LstdFlags|log.Lmicroseconds)
	e.server = &http.Server{ErrorLog: logger, Handler: &httputil.ReverseProxy{
		Rewrite: e.rewrite, ModifyResponse: e.mark, FlushInterval: -1, ErrorLog: logger,
		// A connection for each request, as nginx has without keepalive.
		Transport: silenceLimit{&http.Transport{DisableCompression: true, DisableKeepAlives: true}, goEdgeRead},
	}}
	e.served.Go(func() { e.server.Serve(l) })
	return e, nil
}

// laneKey carries the chosen replica from the request to its response.
type laneKey struct{}

func (e *goEdge) rewrite(r *httputil.ProxyRequest) {
	e.mu.RLock()
	up := e.upstreams[e.turn.Add(1)%uint64(len(e.upstreams))]
	e.mu.RUnlock()
	to := up.Main
	if r.In.Header.Get(stack.LaneHeader) == stack.ControlLane {
		to = up.Control
	}
	r.SetURL(&url.URL{Scheme: "http", Host: to})
	r.Out.Host = r.In.Host
	if e.host != "" {
		r.Out.Host = e.host
	}
	r.Out = r.Out.WithContext(context.WithValue(r.Out.Context(), laneKey{}, up.Main))
}

// mark names the replica, as nginx does.
func (e *goEdge) mark(res *http.Response) error {
	if replica, ok := res.Request.Context().Value(laneKey{}).(string); ok {
		res.Header.Set(stack.ReplicaHeader, replica)
	}
	return nil
}

func (e *goEdge) addr() string { return e.listener.Addr().String() }

// Version implements [chain.Edge].
func (e *goEdge) Version() (name, version string) { return "edge", e.What() }

// What implements [chain.Edge].
func (e *goEdge) What() string { return "go httputil edge (no nginx on this host)" }

// Layer implements [chain.Edge].
func (e *goEdge) Layer() stack.Layer {
	return stack.Layer{Name: "go httputil edge", Settings: map[string]string{
		"read timeout": goEdgeRead.String(), "upstream protocol": "HTTP/1.1", "buffering": "off"}}
}

// Route implements [chain.Edge].
func (e *goEdge) Route(_ context.Context, upstreams []nginxconf.Upstream) error {
	e.mu.Lock()
	e.upstreams = upstreams
	e.mu.Unlock()
	return nil
}

func (e *goEdge) close(context.Context) error {
	var err error
	e.closed.Do(func() {
		err = e.server.Close()
		e.served.Wait()
		err = errors.Join(err, e.log.Close())
	})
	return err
}

// A silenceLimit ends a response whose body is silent for longer than limit.
type silenceLimit struct {
	next  http.RoundTripper
	limit time.Duration
}

func (s silenceLimit) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	timer := time.AfterFunc(s.limit, func() { cancel(fmt.Errorf("upstream was silent for %v", s.limit)) })
	res, err := s.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		timer.Stop()
		cancel(nil)
		return nil, err
	}
	res.Body = &limitedBody{res.Body, timer, s.limit, cancel}
	return res, nil
}

// A limitedBody winds its timer up again with every read.
type limitedBody struct {
	io.ReadCloser
	timer  *time.Timer
	limit  time.Duration
	cancel context.CancelCauseFunc
}

func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.timer.Reset(b.limit)
	return n, err
}

func (b *limitedBody) Close() error {
	b.timer.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}
