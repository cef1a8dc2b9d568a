//go:build !(linux && (amd64 || arm64))

package tap

import (
	"net"
	"time"
)

// kernelStamps says that arrivals are stamped by the kernel on this system.
const kernelStamps = false

// A stamper is a connection that counts what it reads. Stamps are a matter of
// Linux: here they are 0, for none.
type stamper struct {
	net.Conn
	stamp int64
	empty time.Time // never known here
	bytes int64
}

func newStamper(c net.Conn) *stamper { return &stamper{Conn: c} }

func (s *stamper) looks() bool { return false }

func (s *stamper) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	s.bytes += int64(n)
	return n, err
}
