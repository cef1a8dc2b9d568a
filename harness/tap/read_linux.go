//go:build linux && (amd64 || arm64)

package tap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/streamproof/streamproof/harness/record"
)

// read empties the socket, or takes a burst. hup says that the peer will send no
// more: then a short read is not yet the end.
func (l *loop) read(f *flight, hup bool) {
	if f.pace.slow() {
		l.sip(f)
		return
	}
	f.poll.more = false
	for range burst {
		now := l.clock.now()
		n, stamp, errno := l.rx.recv(int(f.poll.fd), l.buf)
		switch {
		case errno == unix.EAGAIN:
			f.floor = max(f.floor, now)
			return
		case errno != 0 || n == 0:
			l.lost(f, errno)
			return
		}
		emptied := n < len(l.buf) && !hup
		if !l.feed(f, l.buf[:n], reading{at: l.clock.arrival(stamp, f.floor, now), now: now, emptied: emptied}) || emptied {
			return
		}
	}
	f.poll.more = true
	l.again = append(l.again, f)
}

// lost ends a flight whose connection gives no more bytes.
func (l *loop) lost(f *flight, errno syscall.Errno) {
	e := ending{at: l.clock.now(), close: record.CloseFIN, err: io.EOF}
	if errno != 0 {
		e.close, e.err = closeOf(errno), os.NewSyscallError("recvmsg", errno)
	}
	l.end(f, e)
}

// sip is read for a slow client: one ration, then a rest. The timers bring it
// back, so that nobody else waits.
func (l *loop) sip(f *flight) {
	now := l.clock.now()
	f.poll.more = true
	if now < f.pace.next {
		l.arm(f)
		return
	}
	n, _, errno := l.rx.recv(int(f.poll.fd), f.pace.ration(l.buf))
	switch {
	case errno == unix.EAGAIN:
		f.poll.more, f.floor = false, max(f.floor, now)
	case errno != 0 || n == 0:
		l.lost(f, errno)
		return
	default:
		f.pace.took(n, now)
		if !l.feed(f, l.buf[:n], reading{at: now, now: now}) {
			return
		}
	}
	l.arm(f)
}

// feed decodes one read and reports whether the loop still has the flight.
func (l *loop) feed(f *flight, p []byte, r reading) bool {
	rest, news := f.feed(p, r)
	switch news {
	case ended:
		l.end(f, ending{at: r.now})
		return false
	case encoded:
		l.handOff(f, rest)
		return false
	}
	if f.rearm {
		l.arm(f)
	}
	return true
}

// handOff gives a compressed stream a goroutine of its own: inflating may take
// long, and nobody else should wait for it.
func (l *loop) handOff(f *flight, rest []byte) {
	l.leave(f)
	f.poll.handed = true
	// The duplicate would keep the socket in the epoll.
	unix.EpollCtl(l.ep, unix.EPOLL_CTL_DEL, int(f.poll.fd), nil)
	file := os.NewFile(uintptr(f.poll.fd), "stream")
	conn, err := net.FileConn(file) // a duplicate
	err = errors.Join(err, file.Close())
	f.poll.fd = -1
	if err != nil {
		f.finish(ending{at: l.clock.now(), close: record.CloseError, err: fmt.Errorf("hand stream over: %w", err)})
		return
	}
	l.handoff.adopt(f, conn, bytes.Clone(rest))
}

// readAgain goes on with sockets that were left in the middle.
func (l *loop) readAgain() {
	if len(l.again) == 0 {
		return
	}
	todo := l.again
	l.again = nil
	for _, f := range todo {
		if f.poll.more && f.poll.slot >= 0 {
			l.read(f, true)
		}
	}
}
