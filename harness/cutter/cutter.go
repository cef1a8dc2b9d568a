// Package cutter is a server whose streams break off as they are asked to: it
// stands behind an edge that is probed (package probe), in the stack's process
// or in a container. It depends on little, since it is part of the relay's
// image.
package cutter

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// The shape of each answer. The gap is above HAProxy's 200 ms hold of small
// writes, so that events it delays still come one by one (TAXONOMY N5).
const (
	Events = 5
	Gap    = 220 * time.Millisecond
)

// ProtocolHeader of a response names the protocol in which the edge asked. Its
// presence proves that the answer is ours.
const ProtocolHeader = "X-Streamproof-Probe"

// bodyParam and endParam are the query parameters that say how to answer: a
// [record.Framing] and a [record.Close].
const (
	bodyParam = "body"
	endParam  = "end"
)

// requestLimit bounds the reading of one request.
const requestLimit = 5 * time.Second

// Ask adds to a request's query how it is to be answered: with a body of that
// framing, which is whole or ends like that.
func Ask(q url.Values, body record.Framing, end record.Close) {
	q.Set(bodyParam, string(body))
	q.Set(endParam, string(end))
}

// A Server answers each request with a chunked, a close-delimited or a counted
// body of [Events] small events, whole or ended by FIN or RST. It writes the wire
// itself: net/http cannot be made to cut a body in these ways.
type Server struct {
	listener net.Listener
	served   sync.WaitGroup // the accepting goroutine and one for each connection

	mu     sync.Mutex // guards conns and closed
	conns  map[net.Conn]struct{}
	closed bool
}

// Listen starts a server on addr, "host:port"; port 0 chooses one.
func Listen(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start probe origin: %w", err)
	}
	s := &Server{listener: l, conns: map[net.Conn]struct{}{}}
	s.served.Go(s.accept)
	return s, nil
}

// Addr is where the edge finds the server.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close cuts all connections and waits for their goroutines. It may be called
// twice.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.served.Wait()
	if err != nil && !strings.Contains(err.Error(), net.ErrClosed.Error()) {
		return fmt.Errorf("close probe origin: %w", err)
	}
	return nil
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.enter(c) {
			c.Close()
			return
		}
		s.served.Go(func() {
			defer s.leave(c)
			answer(c.(*net.TCPConn))
		})
	}
}

func (s *Server) enter(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *Server) leave(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// answer serves one request. Edges that keep connections open find this one
// closed: a probe has no use for a second request.
func answer(c *net.TCPConn) {
	c.SetDeadline(time.Now().Add(requestLimit))
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	// Bytes left unread would turn the FIN into a RST.
	io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
	c.SetDeadline(time.Now().Add(2 * Events * Gap))
	a := answering{conn: c, framing: record.Framing(r.FormValue(bodyParam)), end: record.Close(r.FormValue(endParam)),
		nonce: r.Header.Get(stack.NonceHeader)}
	if a.stream(r.Proto) == nil && a.end == record.CloseRST {
		c.SetLinger(0)
	}
}

// An answering is one answer under way.
type answering struct {
	conn    net.Conn
	framing record.Framing
	end     record.Close
	nonce   string
	sum     uint32 // of the texts so far
}

// stream writes the answer up to its end.
//
//	head │ event ─ gap ─ event ─ … ─ event ─ gap │ FIN, RST, or the terminal and a proper end
func (a *answering) stream(proto string) error {
	if _, err := io.WriteString(a.conn, a.head(proto)); err != nil {
		return err
	}
	for seq := 1; seq <= Events; seq++ {
		if err := a.write(a.event(seq)); err != nil {
			return err
		}
		time.Sleep(Gap)
	}
	if a.end != record.CloseNone {
		return nil
	}
	if err := a.write(a.terminal()); err != nil || a.framing != record.Chunked {
		return err
	}
	_, err := io.WriteString(a.conn, "0\r\n\r\n") // RFC 9112 section 7.1: the last chunk
	return err
}

// lengthBeyond is a Content-Length that no answer reaches.
const lengthBeyond = 1 << 16

func (a *answering) head(proto string) string {
	head := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n" + ProtocolHeader + ": " + proto + "\r\n"
	switch a.framing {
	case record.Chunked:
		return head + "Transfer-Encoding: chunked\r\n\r\n"
	case record.Length:
		return head + fmt.Sprintf("Content-Length: %d\r\n\r\n", lengthBeyond)
	}
	return head + "Connection: close\r\n\r\n"
}

// write sends a piece of the body with one write(2).
func (a *answering) write(piece string) error {
	if a.framing == record.Chunked {
		piece = fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
	}
	_, err := io.WriteString(a.conn, piece)
	return err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// event and terminal speak the dialect "origin".
func (a *answering) event(seq int) string {
	text := fmt.Sprintf("probe %d ", seq)
	a.sum = crc32.Update(a.sum, castagnoli, []byte(text))
	return fmt.Sprintf("id: %d\ndata: {\"seq\":%d,\"t\":%d,\"nonce\":%q,\"pid\":%d,\"text\":%q}\n\n",
		seq, seq, time.Now().UnixNano(), a.nonce, os.Getpid(), text)
}

func (a *answering) terminal() string {
	return fmt.Sprintf("event: done\ndata: {\"t\":%d,\"nonce\":%q,\"pid\":%d,\"events\":%d,\"crc32c\":\"%08x\"}\n\n",
		time.Now().UnixNano(), a.nonce, os.Getpid(), Events, a.sum)
}
