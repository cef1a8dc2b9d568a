//go:build unix

package origin

import (
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A fairListener spreads connections over the workers. The kernel wakes all who
// sleep on the socket and the first one takes it: under light load the same
// worker would get nearly everything.
type fairListener struct {
	*net.TCPListener
	board *board
	self  int
}

// Patience of a worker that has more connections than another. When one has
// waited for fairWait it takes it all the same: the other may be frozen.
const (
	fairStep = time.Millisecond
	fairWait = 20 * time.Millisecond
)

// Accept lets the others go first while this worker is ahead.
func (l *fairListener) Accept() (net.Conn, error) {
	for waited := time.Duration(0); l.ahead() && waited < fairWait; {
		time.Sleep(fairStep)
		switch pending, err := l.pending(); {
		case err != nil:
			return nil, err // closed
		case pending:
			waited += fairStep
		default:
			waited = 0
		}
	}
	c, err := l.TCPListener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	l.board.load[l.self].Add(1)
	return &fairConn{TCPConn: c, listener: l}, nil
}

// ahead reports whether another worker has fewer connections, give or take a
// sixteenth: under heavy load spreading them must not slow accepting down.
func (l *fairListener) ahead() bool {
	mine := l.board.load[l.self].Load()
	for i := range l.board.load {
		if others := l.board.load[i].Load(); others >= 0 && mine > others+others/16 {
			return true
		}
	}
	return false
}

// pending reports whether a connection waits to be accepted.
func (l *fairListener) pending() (bool, error) {
	raw, err := l.SyscallConn()
	if err != nil {
		return false, err
	}
	var ready int
	err = raw.Control(func(fd uintptr) {
		ready, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	})
	return ready > 0, err
}

// A fairConn takes itself off its worker's load when it is closed.
type fairConn struct {
	*net.TCPConn
	listener *fairListener
	once     sync.Once
}

func (c *fairConn) Close() error {
	c.once.Do(func() { c.listener.board.load[c.listener.self].Add(-1) })
	return c.TCPConn.Close()
}
