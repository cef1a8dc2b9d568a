package kube

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/httpstream"

	"github.com/streamproof/streamproof/harness/stack"
)

// A forwarder listens on loopback in place of the Service. Each connection has one of its
// own to the API server: the streams of one share a reader, and a slow client would hold
// up the others.
type forwarder struct {
	client   *client
	route    *route
	lost     func(error) // told when the API server is away
	listener net.Listener
	ctx      context.Context // ends with close
	cancel   context.CancelFunc
	all      sync.WaitGroup
}

func forward(c *client, r *route, lost func(error)) (*forwarder, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Service: %w", err)
	}
	f := &forwarder{client: c, route: r, lost: lost, listener: l}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.all.Go(f.accept) // ends with the listener
	return f, nil
}

func (f *forwarder) addr() string { return f.listener.Addr().String() }

func (f *forwarder) close() error {
	f.cancel()
	err := f.listener.Close()
	f.all.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (f *forwarder) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.all.Go(func() { f.serve(conn.(*net.TCPConn)) }) // ends with the connection, or with f.ctx
	}
}

// forwardLimit bounds how long a connection to a pod may take to stand.
const forwardLimit = 10 * time.Second

// serve carries one connection. What cannot be carried is reset, as a node resets what
// comes for a Service without pods.
func (f *forwarder) serve(conn *net.TCPConn) {
	defer conn.Close()
	up, to, err := f.open()
	if err != nil {
		reset(conn)
		if (away(err) || barred(err)) && !errors.Is(err, errNobody) && f.ctx.Err() == nil {
			f.lost(err)
		}
		return
	}
	defer up.Close()
	stop := context.AfterFunc(f.ctx, func() { up.Close(); reset(conn) })
	defer stop()
	fault, data, err := channels(up, to.port)
	if err != nil || !f.carry(conn, data, fault, to) {
		reset(conn)
	}
	select {
	case <-up.CloseChan(): // by the way to the pod: an end of the pod's own leaves that open
		if f.ctx.Err() == nil {
			f.lost(errors.New("the connection to pod " + to.pod + " was closed on the way"))
		}
	case <-f.ctx.Done():
	case <-time.After(closeWait):
	}
}

// closeWait is how long after its streams a connection may be seen to have closed.
const closeWait = 500 * time.Millisecond

// errNobody says that the Service has no pod that takes connections.
var errNobody = errors.New("no endpoint")

// open opens a way to one of the pods that take connections when it stands. A node chooses
// at the instant of the connect; to us it takes a while to get there, in which the Service
// may have left the pod out.
func (f *forwarder) open() (httpstream.Connection, target, error) {
	ctx, cancel := context.WithTimeout(f.ctx, forwardLimit)
	defer cancel()
	for {
		to, ok := f.route.pick()
		if !ok {
			return nil, to, errNobody
		}
		up, err := f.client.upgrade(ctx, f.client.in("v1", "pods", to.pod, "portforward"), url.Values{}, "portforward.k8s.io")
		if err == nil && f.route.has(to) {
			return up, to, nil
		}
		if err == nil {
			up.Close()
		}
		if err != nil && (f.route.has(to) || away(err) || barred(err)) {
			return nil, to, err
		}
	}
}

// channels are the two streams of one forwarded connection.
func channels(up httpstream.Connection, port int) (fault, data httpstream.Stream, err error) {
	h := http.Header{}
	h.Set("port", strconv.Itoa(port))
	h.Set("requestID", "0")
	h.Set("streamType", "error")
	if fault, err = up.CreateStream(h); err != nil {
		return nil, nil, err
	}
	fault.Close() // nothing is written to it
	h.Set("streamType", "data")
	data, err = up.CreateStream(h)
	return fault, data, err
}

// faultWait is how long the kubelet may take to say why a connection has ended.
const faultWait = 300 * time.Millisecond

// carry copies both ways until the pod has ended the connection. It reports whether that
// was an orderly end.
func (f *forwarder) carry(conn *net.TCPConn, data, fault httpstream.Stream, to target) bool {
	said := make(chan bool, 1)
	f.all.Go(func() { // ends with the connection that both are streams of
		text, err := io.ReadAll(io.LimitReader(fault, 4<<10))
		said <- err == nil && len(text) == 0
	})
	f.all.Go(func() { // ends with conn
		if _, err := io.Copy(data, conn); err != nil {
			data.Reset() // the client has gone
			return
		}
		data.Close()
	})
	if _, err := io.Copy(&marker{to: conn, mark: to.Addr()}, data); err != nil {
		data.Reset()
		return false
	}
	data.Reset()
	select {
	case orderly := <-said:
		if !orderly {
			return false
		}
	case <-time.After(faultWait):
	}
	return conn.CloseWrite() == nil
}

func reset(conn *net.TCPConn) {
	conn.SetLinger(0)
	conn.Close()
}

// A marker writes to a client, and puts the pod's address into the head of the first
// response of HTTP/1, as an edge does.
//
//	HTTP/1.1 200 OK\r\n│X-Streamproof-Upstream: 10.0.0.7:8000\r\n│Content-Type: …
type marker struct {
	to   io.Writer
	mark string
	held []byte // of the status line, while it is not whole
	done bool
}

// longestLine bounds what is taken for a status line.
const longestLine = 4 << 10

func (m *marker) Write(p []byte) (int, error) {
	if m.done {
		return m.to.Write(p)
	}
	m.held = append(m.held, p...)
	end := bytes.Index(m.held, []byte("\r\n"))
	http1 := bytes.HasPrefix(m.held, []byte("HTTP/1.")) || len(m.held) < len("HTTP/1.") &&
		bytes.HasPrefix([]byte("HTTP/1."), m.held)
	if http1 && end < 0 && len(m.held) < longestLine {
		return len(p), nil
	}
	out := m.held
	if http1 && end >= 0 {
		head := append([]byte{}, m.held[:end+2]...)
		head = append(head, stack.ReplicaHeader+": "+m.mark+"\r\n"...)
		out = append(head, m.held[end+2:]...)
	}
	m.held, m.done = nil, true
	if _, err := m.to.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
