//go:build unix

package origin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A master owns the listening socket and watches over the workers. It serves
// nothing itself.
type master struct {
	*config
	log      *slog.Logger
	board    *board
	listener *os.File
	shared   *os.File
	workers  sync.WaitGroup
	worst    chan error // of workers that could not be started or drained
}

// A worker that dies soon after its start is not replaced at once: it may die
// for a reason that is still there.
const (
	youth   = time.Second
	backoff = 500 * time.Millisecond
)

func (c *config) master(ctx context.Context, ln *net.TCPListener, args []string) (int, error) {
	// The copies get the arguments of the process. If those do not end in our
	// own, they would do something else, perhaps run a whole test again.
	if n := len(os.Args) - len(args); n < 1 || !slices.Equal(os.Args[n:], args) {
		return exitUsage, errors.New("start workers: this process was not started as the origin")
	}
	listener, err := inherited(ln)
	if err != nil {
		return exitError, err
	}
	defer listener.Close()
	b, shared, err := newSharedBoard()
	if err != nil {
		return exitError, err
	}
	defer shared.Close()
	for i := range b.load {
		b.load[i].Store(-1)
	}
	m := &master{config: c, log: newLog(c.Log), board: b, listener: listener, shared: shared,
		worst: make(chan error, c.workers)}
	for n := range c.workers {
		m.workers.Go(func() { m.keep(ctx, n) })
	}
	<-ctx.Done()
	m.log.Info("draining", "workers", c.workers, "grace", c.grace.String())
	ln.Close()
	listener.Close()
	m.workers.Wait()
	close(m.worst)
	for e := range m.worst {
		err = errors.Join(err, e)
	}
	if err != nil {
		return exitCut, err
	}
	m.log.Info("drained")
	return exitOK, nil
}

// inherited returns the socket of ln as a file for children to inherit.
// ln.File would not do: it hands the socket out in blocking mode, a property
// that all processes share, and a worker in Accept would then hang in the
// kernel, deaf to its own shutdown, each time another one is started.
func inherited(ln *net.TCPListener) (*os.File, error) {
	raw, err := ln.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("share listening socket: %w", err)
	}
	var fd int
	var dupErr error
	if err := raw.Control(func(s uintptr) { fd, dupErr = unix.FcntlInt(s, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return nil, fmt.Errorf("share listening socket: %w", err)
	}
	if dupErr != nil {
		return nil, fmt.Errorf("share listening socket: %w", dupErr)
	}
	return os.NewFile(uintptr(fd), "listener"), nil
}

// keep runs worker n, and another in its place when it dies, until ctx ends.
func (m *master) keep(ctx context.Context, n int) {
	for ctx.Err() == nil {
		began := time.Now()
		err := m.worker(ctx, n)
		if ctx.Err() != nil {
			m.worst <- err
			return
		}
		if time.Since(began) < youth {
			select {
			case <-time.After(backoff):
			case <-ctx.Done():
			}
		}
	}
}

// worker runs one worker process to its end. Once ctx has ended it asks the
// worker to drain, and kills it when it is still there after the grace.
func (m *master) worker(ctx context.Context, n int) error {
	cmd, hold, err := m.start(n)
	if ctx.Err() != nil && err != nil {
		return nil // the socket was closed under it: nothing was started
	}
	if err != nil {
		m.log.Error(err.Error())
		return err
	}
	defer hold.Close()
	pid := cmd.Process.Pid
	m.board.load[n].Store(0)
	m.log.Info(fmt.Sprintf("worker pid %d started", pid), "worker", n, "worker_pid", pid)
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	select {
	case err = <-exited:
		m.log.Error(fmt.Sprintf("worker pid %d died: %s", pid, cmd.ProcessState), "worker", n, "worker_pid", pid)
	case <-ctx.Done():
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err = <-exited:
		case <-time.After(m.grace + 2*time.Second):
			cmd.Process.Kill()
			err = errors.Join(errors.New("had to be killed"), <-exited)
		}
	}
	m.board.load[n].Store(-1)
	m.board.bury(pid)
	if err != nil && ctx.Err() != nil && unborn(cmd.ProcessState) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("stop worker pid %d: %w", pid, err)
	}
	return nil
}

// unborn reports whether a worker was ended by the SIGTERM itself: it had not
// come to its handler, and so not to a stream.
func unborn(p *os.ProcessState) bool {
	s, ok := p.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && s.Signal() == syscall.SIGTERM
}

// start starts a copy of this process as worker n. The worker ends when hold is
// closed, be it by the death of the master.
func (m *master) start(n int) (cmd *exec.Cmd, hold io.Closer, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find own executable: %w", err)
	}
	cmd = exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), workerEnv+"="+strconv.Itoa(n))
	cmd.Stdout, cmd.Stderr = m.Log, os.Stderr
	cmd.ExtraFiles = []*os.File{m.listener, m.shared}
	hold, err = cmd.StdinPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start worker: %w", err)
	}
	return cmd, hold, nil
}
