//go:build unix

package busy

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestWatching: the process that watches ends with the one that started it, and one that
// is not let run says for how long.
func TestWatching(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), watching+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(300 * time.Millisecond)
	for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
	}
	in.Close()
	l := &pauses{}
	l.read(out)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if !l.during(10 * time.Second) {
		t.Errorf("stopped for 1.5 s, it noted %v", l.list)
	}
}
