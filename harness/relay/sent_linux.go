package relay

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// sentLimit bounds the wait for a client that has stopped reading.
const sentLimit = 200 * time.Millisecond

// awaitSent waits until the peer's kernel has acknowledged all that was written
// to c.
func awaitSent(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	for began := time.Now(); time.Since(began) < sentLimit; time.Sleep(100 * time.Microsecond) {
		queued := 0
		if raw.Control(func(fd uintptr) { queued, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil ||
			queued == 0 {
			return
		}
	}
}
