package sleep

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A timer is a timerfd that Go's own poller waits for. It is kept whole, so that a sleep
// allocates nothing.
type timer struct {
	file  *os.File // nil where there is none
	raw   syscall.RawConn
	set   func(fd uintptr) // to spec
	spec  unix.ItimerSpec
	err   error   // of set
	fired [8]byte // how often, which is once
}

func newTimer() *timer {
	t := &timer{}
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return t
	}
	file := os.NewFile(uintptr(fd), "timerfd")
	if t.raw, err = file.SyscallConn(); err != nil {
		file.Close()
		return t
	}
	t.file = file
	t.set = func(fd uintptr) { t.err = unix.TimerfdSettime(int(fd), 0, &t.spec, nil) }
	return t
}

// sleep reports false where it could not sleep.
func (t *timer) sleep(d time.Duration) bool {
	if t == nil || t.file == nil {
		return false
	}
	t.spec.Value = unix.NsecToTimespec(int64(d))
	if err := t.raw.Control(t.set); err != nil || t.err != nil {
		return false
	}
	_, err := t.file.Read(t.fired[:])
	return err == nil
}

func (t *timer) close() {
	if t != nil && t.file != nil {
		t.file.Close()
	}
}
