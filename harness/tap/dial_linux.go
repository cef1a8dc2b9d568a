//go:build linux && (amd64 || arm64)

package tap

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/streamproof/streamproof/harness/record"
)

// start opens the connection of f and hands it to the loop.
func (l *loop) start(f *flight) {
	f.req.rest = f.req.wire()
	addrs, err := f.resolve()
	if f.req.addrs = addrs; err == nil {
		err = connect(f)
	}
	if err != nil {
		f.finish(ending{at: l.tap.Now(), close: record.CloseError, err: err})
		return
	}
	f.started.Store(true) // before the loop looks at f.cut, so that no cut is missed
	l.wake(f)
}

// connect starts to connect to the next address that does not refuse at once.
func connect(f *flight) error {
	err := errors.New("no address")
	for len(f.req.addrs) > 0 && err != nil {
		addr := f.req.addrs[0]
		f.req.addrs = f.req.addrs[1:]
		err = connectTo(f, addr)
	}
	return err
}

func connectTo(f *flight, addr netip.AddrPort) error {
	family, sa := sockaddr(addr)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("create socket: %w", err)
	}
	err = errors.Join(stampsOn(fd), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	if err == nil && f.pace != nil && f.pace.buffer > 0 {
		// Before the connect: the window that the peer sees is made of it.
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, f.pace.buffer)
	}
	if err == nil {
		if err = unix.Connect(fd, sa); err == unix.EINPROGRESS || err == unix.EINTR {
			err = nil
		}
	}
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("connect %s: %w", addr, err)
	}
	f.poll.fd = int32(fd)
	return nil
}

func sockaddr(a netip.AddrPort) (family int, sa unix.Sockaddr) {
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	zone, _ := strconv.ParseUint(a.Addr().Zone(), 10, 32)
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: uint32(zone)}
}

// connected learns how the connect went. After a failure it tries the next
// address.
func (l *loop) connected(f *flight) bool {
	code, err := unix.GetsockoptInt(int(f.poll.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code == 0 {
		f.connected(l.clock.now())
		return true
	}
	if err == nil {
		err = syscall.Errno(code)
	}
	err = fmt.Errorf("connect %s: %w", f.req.dial, err)
	if len(f.req.addrs) > 0 {
		unix.Close(int(f.poll.fd))
		if next := connect(f); next == nil {
			l.watch(f)
			return false
		}
	}
	l.end(f, ending{at: l.clock.now(), close: record.CloseError, err: err})
	return false
}

// write sends what it can of the request. A peer that does not want the rest may
// still answer: the read tells.
func (l *loop) write(f *flight) {
	began := l.clock.now()
	for len(f.req.rest) > 0 {
		began = l.clock.now()
		n, err := unix.Write(int(f.poll.fd), f.req.rest)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil:
			n = len(f.req.rest)
		}
		f.req.rest = f.req.rest[n:]
	}
	f.sent(began)
}
