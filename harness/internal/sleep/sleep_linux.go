package sleep

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A timer is a timerfd that Go's own poller waits for; nil where there is none.
type timer struct{ file *os.File }

func newTimer() timer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return timer{}
	}
	return timer{os.NewFile(uintptr(fd), "timerfd")}
}

// sleep reports false where it could not sleep.
func (t timer) sleep(d time.Duration) bool {
	if t.file == nil {
		return false
	}
	raw, err := t.file.SyscallConn()
	if err != nil {
		return false
	}
	var set error
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := raw.Control(func(fd uintptr) { set = unix.TimerfdSettime(int(fd), 0, &spec, nil) }); err != nil || set != nil {
		return false
	}
	var expired [8]byte // their number, which is 1
	_, err = t.file.Read(expired[:])
	return err == nil
}

func (t timer) close() {
	if t.file != nil {
		t.file.Close()
	}
}
