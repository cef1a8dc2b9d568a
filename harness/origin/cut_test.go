package origin_test

import (
	"net"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
)

// A server is closed while requests become streams: none of them holds it up, or is cut
// before it has a connection.
func TestCloseWhileStreamsBegin(t *testing.T) {
	for i := range 20 {
		s, err := origin.ListenProbe("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			c, err := net.Dial("tcp", s.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
