package stack

import (
	"net"
	"os"
	"runtime"
	"slices"
	"testing"
)

func TestListeners(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc here")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if got := Listeners(port); !slices.Equal(got, []int{os.Getpid()}) {
		t.Errorf("listeners %v, want us", got)
	}
	l.Close()
	if got := Listeners(port); len(got) != 0 {
		t.Errorf("listeners %v of a closed port", got)
	}
}
