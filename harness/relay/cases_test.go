package relay

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/http1/http1test"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// pair returns both ends of a connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	s.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// TestResponseCases: the relay passes every case on as it is, and counts the body
// bytes that the table says. It stops reading where the table says that this is no
// HTTP/1.1, and behind an upgrade.
func TestResponseCases(t *testing.T) {
	r := startRelay(t, "127.0.0.1:1")
	for _, c := range http1test.Responses {
		t.Run(c.Name, func(t *testing.T) {
			client, far := pair(t)
			server, _ := pair(t)
			conn := newConn(r, client, server)
			method := cmp.Or(c.Method, "GET")
			conn.up.observe(fmt.Appendf(nil, "%s / HTTP/1.1\r\n%s: 7\r\n\r\n", method, stack.StreamHeader))
			if err := conn.down.carry([]byte(c.Wire)); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(c.Wire))
			if _, err := io.ReadFull(far, got); err != nil || string(got) != c.Wire {
				t.Errorf("passed %q (%v), want %q", got, err, c.Wire)
			}
			body := int64(len(c.Body))
			if c.Coded { // its events are not counted
				body = 0
			}
			broken := c.Garbage != "" && c.Where != record.AfterEnd || c.Status == 101
			if conn.down.offset != body || conn.down.opaque != broken {
				t.Errorf("%d body bytes, opaque %v; want %d, %v", conn.down.offset, conn.down.opaque, body, broken)
			}
		})
	}
}

// TestRequestCases: the way up reads the requests that the table says.
func TestRequestCases(t *testing.T) {
	r := startRelay(t, "127.0.0.1:1")
	for _, c := range http1test.Requests {
		for _, parts := range [][][]byte{{[]byte(c.Wire)}, slices.Collect(slices.Chunk([]byte(c.Wire), 1))} {
			conn := newConn(r, nil, nil)
			for _, p := range parts {
				conn.up.observe(p)
			}
			var methods []string
			for _, ex := range conn.queue {
				methods = append(methods, ex.method)
			}
			if got := strings.Join(methods, " "); got != c.Methods || conn.up.opaque != c.Broken {
				t.Errorf("%s, in %d parts: requests %q, opaque %v; want %q, %v",
					c.Name, len(parts), got, conn.up.opaque, c.Methods, c.Broken)
			}
		}
	}
}
