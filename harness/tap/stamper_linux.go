//go:build linux && (amd64 || arm64)

package tap

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A stamper is a connection whose reads learn the kernel's receive stamp. It can
// sit under TLS: the stamp is then that of the record's last segment.
type stamper struct {
	net.Conn
	stamp int64     // of the last read, ns since the epoch; 0 for none
	bytes int64     // read so far
	empty time.Time // when the socket was last seen without bytes

	raw   syscall.RawConn // nil where the connection has no socket
	rx    receiver
	buf   []byte
	n     int
	errno syscall.Errno
	try   func(fd uintptr) bool
}

func newStamper(c net.Conn) *stamper {
	s := &stamper{Conn: c}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return s
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return s
	}
	var on error
	if err := raw.Control(func(fd uintptr) { on = stampsOn(int(fd)) }); err != nil || on != nil {
		return s
	}
	s.raw = raw
	s.rx.init()
	s.try = func(fd uintptr) bool {
		before := time.Now()
		if s.n, s.stamp, s.errno = s.rx.recv(int(fd), s.buf); s.errno != unix.EAGAIN {
			return true
		}
		s.empty = before
		return false
	}
	return s
}

// looks reports that a read which finds nothing is worth a note of its time.
func (s *stamper) looks() bool { return s.raw != nil }

// Read implements io.Reader.
func (s *stamper) Read(p []byte) (n int, err error) {
	if s.raw == nil || len(p) == 0 {
		n, err = s.Conn.Read(p)
		s.bytes += int64(n)
		return n, err
	}
	s.buf = p
	err = s.raw.Read(s.try)
	s.buf = nil
	switch {
	case err != nil:
		return 0, err
	case s.errno != 0:
		return 0, os.NewSyscallError("recvmsg", s.errno)
	case s.n == 0:
		return 0, io.EOF
	}
	s.bytes += int64(s.n)
	return s.n, nil
}
