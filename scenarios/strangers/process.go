//go:build linux

package strangers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// grace is how long a process may take to end when it is asked.
const grace = 2 * time.Second

// A process is one program of a stack, in a process group of its own.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed once it has been waited for
}

// startProcess runs a program with its output in the file log of dir.
func startProcess(dir, log string, env, argv []string) (*process, error) {
	out, err := os.OpenFile(filepath.Join(dir, log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	// TMPDIR also marks whatever the program starts: see leaked.
	cmd.Env = append(os.Environ(), append([]string{"TMPDIR=" + dir, "HOME=" + dir, "PYTHONDONTWRITEBYTECODE=1"},
		env...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := startOnThread(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", argv[0], err)
	}
	p := &process{name: filepath.Base(argv[0]), cmd: cmd, done: make(chan struct{})}
	go func() { // ends with the process
		cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// starts is where programs are started: the thread that starts one must outlive
// it, or Pdeathsig would kill the program with the thread.
var starts = sync.OnceValue(func() chan func() {
	c := make(chan func())
	go func() { // for as long as the test binary runs
		lockThread()
		for f := range c {
			f()
		}
	}()
	return c
})

func startOnThread(cmd *exec.Cmd) error {
	err := make(chan error)
	starts() <- func() { err <- cmd.Start() }
	return <-err
}

// close asks the group to end and then insists.
func (p *process) close() {
	group := -p.cmd.Process.Pid
	syscall.Kill(p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	syscall.Kill(group, syscall.SIGKILL)
	<-p.done
}

// over reports whether the program has ended.
func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// ports hands out ports below the ephemeral ones, each once.
var ports struct {
	sync.Mutex
	next int
}

// freePort finds a port of loopback that nothing listens at.
func freePort() (int, error) {
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = 15000 + os.Getpid()%400*40
	}
	for range 2000 {
		ports.next++
		if ports.next >= 32000 {
			ports.next = 15000
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports.next))
		if err != nil {
			continue
		}
		l.Close()
		return ports.next, nil
	}
	return 0, errors.New("find a free port: none below the ephemeral ones")
}

// until calls f every few milliseconds until it is true.
func until(ctx context.Context, f func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
