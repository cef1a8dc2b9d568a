package tap_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A script is what a raw TCP server does with one connection after it has read
// the request.
type script []step

type step func(c *net.TCPConn) (open bool)

// say writes bytes as they are.
func say(s string) step {
	return func(c *net.TCPConn) bool { _, err := io.WriteString(c, s); return err == nil }
}

// dribble writes s one byte a segment.
func dribble(s string) step {
	return func(c *net.TCPConn) bool {
		for i := range len(s) {
			if _, err := io.WriteString(c, s[i:i+1]); err != nil {
				return false
			}
		}
		return true
	}
}

// wait lets what was written arrive on its own.
func wait(d time.Duration) step {
	return func(*net.TCPConn) bool { time.Sleep(d); return true }
}

// fin ends the connection in order; rst resets it.
func fin(c *net.TCPConn) bool { c.Close(); return false }
func rst(c *net.TCPConn) bool { c.SetLinger(0); c.Close(); return false }

// halfClose ends the server's side only.
func halfClose(c *net.TCPConn) bool { c.CloseWrite(); return true }

// hold keeps the connection open until the client leaves.
func hold(c *net.TCPConn) bool { io.Copy(io.Discard, c); return true }

// flood writes s for as long as the client takes it.
func flood(s string) step {
	block := strings.Repeat(s, 1+32<<10/len(s))
	return func(c *net.TCPConn) bool {
		for {
			if _, err := io.WriteString(c, block); err != nil {
				return false
			}
		}
	}
}

const (
	chunkedHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	closeHead   = "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	lastChunk   = "0\r\n\r\n"
	done        = "data: [DONE]\n\n"
)

func lengthHead(n int) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: " + strconv.Itoa(n) + "\r\n\r\n"
}

func chunk(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// event is content event i.
func event(i int) string { return fmt.Sprintf("data: event %d\n\n", i) }

// A server plays scripts.
type server struct {
	addr string
	wg   sync.WaitGroup

	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// serve plays for each request the script that pick returns.
func serve(t testing.TB, pick func(*http.Request) script) *server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: ln.Addr().String(), conns: map[net.Conn]bool{}}
	s.wg.Go(func() { // ends when ln is closed
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.play(c.(*net.TCPConn), pick) }) // ends with its connection
		}
	})
	t.Cleanup(func() {
		ln.Close()
		s.mu.Lock()
		for c := range s.conns {
			c.Close()
		}
		s.mu.Unlock()
		s.wg.Wait()
	})
	return s
}

func (s *server) play(c *net.TCPConn, pick func(*http.Request) script) {
	s.mu.Lock()
	s.conns[c] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		c.Close()
	}()
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	io.Copy(io.Discard, req.Body)
	for _, do := range pick(req) {
		if !do(c) {
			return
		}
	}
}

// always plays the same script.
func always(steps ...step) func(*http.Request) script {
	return func(*http.Request) script { return steps }
}
