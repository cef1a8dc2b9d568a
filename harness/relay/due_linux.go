package relay

import (
	"container/heap"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A due says when the next of what is delayed of a connection is to be passed on.
type due struct {
	at    time.Time
	place int  // in dues
	in    bool // dues
}

// dues is a heap of connections, the soonest first.
type dues []*conn

// Len, Less, Swap, Push and Pop implement [heap.Interface].
func (d dues) Len() int           { return len(d) }
func (d dues) Less(i, j int) bool { return d[i].poll.due.at.Before(d[j].poll.due.at) }

func (d dues) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].poll.due.place, d[j].poll.due.place = i, j
}

func (d *dues) Push(x any) {
	c := x.(*conn)
	c.poll.due.place, c.poll.due.in = len(*d), true
	*d = append(*d, c)
}

func (d *dues) Pop() any {
	last := len(*d) - 1
	c := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	c.poll.due.in = false
	return c
}

// set puts c at its time, whether it is in the heap or not.
func (d *dues) set(c *conn, at time.Time) {
	c.poll.due.at = at
	if c.poll.due.in {
		heap.Fix(d, c.poll.due.place)
		return
	}
	heap.Push(d, c)
}

func (d *dues) remove(c *conn) {
	if c.poll.due.in {
		heap.Remove(d, c.poll.due.place)
	}
}

// newTimer is a timer that wakes the epoll. It counts in ns, as an epoll's own
// timeout does not.
func newTimer(ep int) (fd int, err error) {
	if fd, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return -1, fmt.Errorf("create timer: %w", err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: timerSlot}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("watch timer: %w", err)
	}
	return fd, nil
}

// delay keeps what was read of a connection, or how it ended. It reports whether more
// is to be read.
func (l *loop) delay(c *conn, p []byte, errno syscall.Errno) bool {
	d := &c.down.delay
	switch {
	case errno != 0:
		d.end = os.NewSyscallError("read", errno)
	case len(p) == 0:
		d.end = io.EOF
	default:
		d.hold(p)
	}
	return l.passDelayed(c)
}

// passDelayed passes on what is due, and reports whether more is to be read.
func (l *loop) passDelayed(c *conn) bool {
	d, m := &c.down.delay, l.impaired.now.Load()
	for {
		p, at, ok := d.next(m)
		if !ok || time.Until(at) > 0 {
			break
		}
		c.moved()
		d.passed(len(p)) // before: carry may hand the connection on
		if !l.carry(c, downwards, p) {
			return false
		}
		if len(c.down.rest) > 0 {
			l.due.remove(c)
			c.poll.waiting = true
			return false // goes on when the client can be written to
		}
	}
	if d.empty() && d.end != nil {
		l.endDelayed(c)
		return false
	}
	l.schedule(c)
	c.poll.waiting = !d.takes(m)
	return !c.poll.waiting
}

// endDelayed passes the end on, of which nothing is held any more.
func (l *loop) endDelayed(c *conn) {
	err := c.down.delay.end
	c.down.delay.end = nil
	c.moved()
	if err == io.EOF {
		l.fin(c, downwards, c.poll.client)
		return
	}
	l.pass(c, downwards, err)
}

// schedule sets the time at which c is looked at again, if there is one.
func (l *loop) schedule(c *conn) {
	_, at, ok := c.down.delay.next(l.impaired.now.Load())
	if !ok {
		l.due.remove(c)
		return
	}
	l.due.set(c, at)
}

// wind sets the timer to the soonest of what is due. It is for the loop alone, before
// it waits.
func (l *loop) wind() {
	if len(l.due) == 0 || l.due[0].poll.due.at.Equal(l.rings) {
		return
	}
	l.rings = l.due[0].poll.due.at
	in := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(1, time.Until(l.rings))))}
	unix.TimerfdSettime(l.timer, 0, &in, nil) // cannot fail with these arguments
}

// passDue passes on what is due by now.
func (l *loop) passDue() {
	if len(l.due) == 0 {
		return
	}
	for now := time.Now(); len(l.due) > 0 && !l.due[0].poll.due.at.After(now); {
		c := l.due[0]
		l.due.remove(c)
		waited := c.poll.waiting
		if l.passDelayed(c) && waited {
			l.move(c, downwards, true)
		}
	}
}

// reconsiderAll looks at every connection that an impairment has held up.
func (l *loop) reconsiderAll() {
	for _, c := range l.table {
		if c == nil || c.down.delay.empty() && !c.poll.waiting {
			continue
		}
		l.move(c, downwards, true)
	}
}
