//go:build !linux

package relay

import (
	"net"
	"time"
)

// awaitSent gives the kernel a moment: only Linux says what is still queued.
func awaitSent(*net.TCPConn) { time.Sleep(20 * time.Millisecond) }
