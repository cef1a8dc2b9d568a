package harnesstest_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest"
)

// request sends a request and returns the connection.
func request(t *testing.T, s *harnesstest.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	for _, half := range []string{"GET / HTTP/1.1\r\nHost: a\r", "\n\r\n"} {
		io.WriteString(c, half)
	}
	return c
}

func TestScriptWaitsUntilTold(t *testing.T) {
	told := make(chan struct{})
	c := request(t, harnesstest.Serve(t, harnesstest.Script{harnesstest.Say("one "), harnesstest.Until(told),
		harnesstest.Dribble("two"), harnesstest.FIN}))
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != "one " {
		t.Fatalf("read %q, %v before the word was given", buf[:n], err)
	}
	close(told)
	rest, err := io.ReadAll(c)
	if err != nil || string(rest) != "two" {
		t.Errorf("read %q, %v after it", rest, err)
	}
}

// A script that would never end does not outlive its test: goleak looks, after
// all tests of the package.
func TestEndlessScriptsEndWithTheTest(t *testing.T) {
	for _, s := range []harnesstest.Script{{harnesstest.Hang}, {harnesstest.Flood("x")},
		{harnesstest.HalfClose, harnesstest.Hang}} {
		t.Run("", func(t *testing.T) {
			c := request(t, harnesstest.Serve(t, s))
			c.(*net.TCPConn).SetReadBuffer(4 << 10)
		})
	}
}

func TestThenLeavesTheScriptAlone(t *testing.T) {
	base := harnesstest.Script{harnesstest.Say("a")}
	b, c := base.Then(harnesstest.Say("b")), base.Then(harnesstest.Say("c"))
	var got []string
	for _, s := range []harnesstest.Script{b, c} {
		all, err := io.ReadAll(request(t, harnesstest.Serve(t, s)))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(all))
	}
	if strings.Join(got, " ") != "ab ac" {
		t.Errorf("got %q", got)
	}
}
