//go:build linux && (amd64 || arm64)

package tap_test

import (
	"bufio"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// The benchmark's server takes two kinds of request: GET /stream leaves the
// connection with the emitter, GET /go?n=…&events=…&gap=… waits until n streams
// are open, emits, and answers when all are written.

const benchText = "the quick brown fox jumps over the lazy dog, twice a day at most"

// A sink is one open stream.
type sink struct {
	conn  net.Conn
	fd    int
	nonce string
}

type emitter struct {
	mu    sync.Mutex // guards sinks
	open  sync.Cond  // sinks has grown
	sinks []*sink
	buf   []byte
}

// emitAll serves until in ends. It says its address on out.
func emitAll(in io.Reader, out io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e := &emitter{}
	e.open.L = &e.mu
	go func() { // ends with the process, which ends with in
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go e.serve(c)
		}
	}()
	fmt.Fprintln(out, ln.Addr())
	_, err = io.Copy(io.Discard, in)
	return err
}

func (e *emitter) serve(c net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		c.Close()
		return
	}
	if req.URL.Path == "/stream" {
		e.take(c, req.Header.Get("X-Request-ID"))
		return
	}
	defer c.Close()
	q := req.URL.Query()
	n, _ := strconv.Atoi(q.Get("n"))
	events, _ := strconv.Atoi(q.Get("events"))
	gap, _ := time.ParseDuration(q.Get("gap"))
	e.await(n)
	if q.Get("emit") != "" {
		e.emit(events, gap)
	}
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
}

func (e *emitter) take(c net.Conn, nonce string) {
	s := &sink{conn: c, nonce: nonce}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		c.Close()
		return
	}
	raw.Control(func(fd uintptr) { s.fd = int(fd) })
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	e.mu.Lock()
	e.sinks = append(e.sinks, s)
	e.open.Broadcast()
	e.mu.Unlock()
}

func (e *emitter) await(n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.sinks) < n {
		e.open.Wait()
	}
}

// emit writes the events of all streams, evenly spread over each gap, from one
// goroutine and without a poller in between.
func (e *emitter) emit(events int, gap time.Duration) {
	start := time.Now()
	for k := 1; k <= events+1; k++ {
		for i, s := range e.sinks {
			due := time.Duration(k-1)*gap + gap*time.Duration(i)/time.Duration(len(e.sinks))
			if early := due - time.Since(start); early > 0 {
				time.Sleep(early)
			}
			if k <= events {
				e.write(s, e.event(s, k))
			} else {
				e.write(s, e.done(s, events))
				s.conn.Close()
			}
		}
	}
}

// write is one write(2): the receiver must keep up, or the benchmark is void.
func (e *emitter) write(s *sink, p []byte) {
	if n, err := syscall.Write(s.fd, p); n != len(p) {
		panic(fmt.Sprintf("bench server: wrote %d of %d bytes: %v", n, len(p), err))
	}
}

// event makes one chunk with one event, stamped last of all.
func (e *emitter) event(s *sink, k int) []byte {
	b := append(e.buf[:0], "\r\nid: "...)
	b = strconv.AppendInt(b, int64(k), 10)
	b = append(b, "\ndata: {\"seq\":"...)
	b = strconv.AppendInt(b, int64(k), 10)
	b = append(b, ",\"t\":"...)
	b = strconv.AppendInt(b, time.Now().UnixNano(), 10)
	b = append(append(append(b, ",\"nonce\":\""...), s.nonce...), "\",\"pid\":1,\"text\":\""...)
	b = append(append(b, benchText...), "\"}\n\n"...)
	return e.chunk(b)
}

func (e *emitter) done(s *sink, events int) []byte {
	crc := uint32(0)
	for range events {
		crc = crc32.Update(crc, crc32.MakeTable(crc32.Castagnoli), []byte(benchText))
	}
	b := fmt.Appendf(e.buf[:0],
		"\r\nevent: done\ndata: {\"t\":%d,\"nonce\":%q,\"pid\":1,\"events\":%d,\"crc32c\":\"%08x\"}\n\n",
		time.Now().UnixNano(), s.nonce, events, crc)
	return append(e.chunk(b), "0\r\n\r\n"...)
}

// chunk frames b[2:], whose first two bytes are the CRLF of a chunk header.
func (e *emitter) chunk(b []byte) []byte {
	e.buf = b
	return append(strconv.AppendInt(make([]byte, 0, len(b)+16), int64(len(b)-2), 16), append(b, "\r\n"...)...)
}
