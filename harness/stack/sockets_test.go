package stack

import (
	"net"
	"os"
	"runtime"
	"testing"
)

func TestSockets(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc here")
	}
	before := Sockets(os.Getpid())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if n := Sockets(os.Getpid()); n != before+1 {
		t.Errorf("%d sockets, want %d", n, before+1)
	}
	if n := Sockets(1 << 30); n != 0 {
		t.Errorf("a process that is not there has %d sockets", n)
	}
}
