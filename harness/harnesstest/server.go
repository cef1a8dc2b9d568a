package harnesstest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// A Server does with every connection what its script says.
type Server struct {
	Addr string // "127.0.0.1:port"
	URL  string

	pick  func(*http.Request) Script
	ln    net.Listener
	conns sync.WaitGroup // one per connection, and one that accepts

	mu   sync.Mutex // guards open and down
	open map[*net.TCPConn]time.Time
	down bool
}

// slow is how long a connection may take to end after the test.
const slow = 5 * time.Second

// Serve runs script for every connection until the test ends.
func Serve(t testing.TB, script Script) *Server {
	t.Helper()
	return ServeEach(t, func(*http.Request) Script { return script })
}

// ServeEach runs for every connection the script that pick chooses for its request,
// whose body has been read. pick is called by many goroutines.
func ServeEach(t testing.TB, pick func(*http.Request) Script) *Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: ln.Addr().String(), URL: "http://" + ln.Addr().String(), pick: pick, ln: ln,
		open: map[*net.TCPConn]time.Time{}}
	s.conns.Go(s.accept)
	t.Cleanup(func() { s.close(t) })
	return s
}

// NoServer returns an address at which nobody listens.
func NoServer(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// accept ends when the listener is closed.
func (s *Server) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		tc := c.(*net.TCPConn)
		if !s.enter(tc) {
			tc.Close()
			return
		}
		s.conns.Go(func() { s.run(tc) }) // ends with the script, or with the connection
	}
}

func (s *Server) enter(c *net.TCPConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false
	}
	s.open[c] = time.Now()
	return true
}

func (s *Server) run(c *net.TCPConn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.open, c)
	}()
	r, err := readRequest(c)
	if err != nil {
		return
	}
	for _, step := range s.pick(r) {
		if !step(c) {
			return
		}
	}
}

// readRequest reads a request and its body, if that has a Content-Length. Nothing of
// it must be left unread: it would turn a FIN into a RST. Nothing behind it is read:
// that is for the script.
func readRequest(c *net.TCPConn) (*http.Request, error) {
	var head []byte
	var buf [len(headEnd)]byte
	for n := len(headEnd); n > 0; n = lacking(head) {
		got, err := c.Read(buf[:n])
		if err != nil {
			return nil, err
		}
		if head = append(head, buf[:got]...); len(head) > 1<<20 {
			return nil, errors.New("read request: head is longer than 1 MiB")
		}
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
	if err == nil && r.ContentLength > 0 {
		_, err = io.CopyN(io.Discard, c, r.ContentLength)
	}
	return r, err
}

// headEnd is the empty line behind a head.
const headEnd = "\r\n\r\n"

// lacking is how many bytes a head needs at the least to be whole: no read may take
// more.
func lacking(head []byte) int {
	for n := range headEnd {
		if bytes.HasSuffix(head, []byte(headEnd[:len(headEnd)-n])) {
			return n
		}
	}
	return len(headEnd)
}

// close ends all connections, and says which script does not let go of its own.
func (s *Server) close(t testing.TB) {
	s.ln.Close()
	s.mu.Lock()
	s.down = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.conns.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(slow):
		s.mu.Lock()
		defer s.mu.Unlock()
		for c, since := range s.open {
			t.Errorf("close server: connection from %v is still in its script after %v", c.RemoteAddr(), time.Since(since))
		}
	}
}

// A Script is what happens on one connection, in order. After its last step the
// connection is closed with a FIN.
type Script []Step

// A Step does one thing and reports whether the connection still stands.
type Step func(c *net.TCPConn) bool

// Then returns s with further steps behind it.
func (s Script) Then(steps ...Step) Script { return append(slices.Clip(s), steps...) }

// Say writes text as it stands, with one write.
func Say(text string) Step {
	return func(c *net.TCPConn) bool { _, err := io.WriteString(c, text); return err == nil }
}

// Dribble writes text one byte a packet.
func Dribble(text string) Step {
	return func(c *net.TCPConn) bool {
		for i := range len(text) {
			if _, err := io.WriteString(c, text[i:i+1]); err != nil {
				return false
			}
		}
		return true
	}
}

// Flood writes text for as long as the client takes it. It holds no more than
// 64 KiB of it.
func Flood(text string) Step {
	var block []byte
	for len(block) < 64<<10-len(text) || len(block) == 0 {
		block = append(block, text...)
	}
	return func(c *net.TCPConn) bool {
		for {
			if _, err := c.Write(block); err != nil {
				return false
			}
		}
	}
}

// Pause lets what was said arrive alone.
func Pause(d time.Duration) Step {
	return func(*net.TCPConn) bool { time.Sleep(d); return true }
}

// Until waits until the test closes told.
func Until(told <-chan struct{}) Step {
	return func(*net.TCPConn) bool { <-told; return true }
}

// FIN ends the connection in order, RST at once and with an error, HalfClose in
// one direction only. Hang keeps it open, silent, until the client leaves.
func FIN(c *net.TCPConn) bool       { c.Close(); return false }
func RST(c *net.TCPConn) bool       { c.SetLinger(0); c.Close(); return false }
func HalfClose(c *net.TCPConn) bool { return c.CloseWrite() == nil }
func Hang(c *net.TCPConn) bool      { io.Copy(io.Discard, c); return false }
