package stack

import (
	"context"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestListenersOfSharedPort: workers that listen on one port with a socket each are all
// found.
func TestListenersOfSharedPort(t *testing.T) {
	shared := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		cerr := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if err == nil {
			err = cerr
		}
		return err
	}}
	first, err := shared.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := shared.Listen(t.Context(), "tcp", first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	file, err := second.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	worker := exec.CommandContext(ctx, "sleep", "60")
	worker.ExtraFiles = []*os.File{file}
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	defer worker.Wait()
	defer cancel()
	file.Close()
	second.Close()
	got := Listeners(first.Addr().(*net.TCPAddr).Port)
	slices.Sort(got)
	want := []int{os.Getpid(), worker.Process.Pid}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("listeners %v, want %v", got, want)
	}
}
