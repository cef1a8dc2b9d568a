package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm wakes as near to a moment of the real clock as the kernel can. Go's own timers
// are kept by epoll_wait(2), in whole milliseconds: starts that are due within one would
// be sent together. A timerfd_create(2) wakes the poller itself.
type alarm struct {
	file *os.File
	buf  [8]byte // how often it has gone off
}

// newAlarm returns nil where the kernel has none to give.
func newAlarm() *alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	return &alarm{file: os.NewFile(uintptr(fd), "alarm")}
}

// wait waits for a time. It does not wait where it cannot: a start is early then.
func (a *alarm) wait(d time.Duration) {
	raw, err := a.file.SyscallConn()
	if err != nil {
		return
	}
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if raw.Control(func(fd uintptr) { err = unix.TimerfdSettime(int(fd), 0, &once, nil) }) == nil && err == nil {
		a.file.Read(a.buf[:])
	}
}

func (a *alarm) close() { a.file.Close() }
