package fleet

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeSize is what a pipe may hold, in bytes: the most that pipe(7) lets anybody have.
// A worker must not wait while its parent does something else.
const pipeSize = 1 << 20

// widen makes a pipe hold more. One that cannot be made larger works as it is.
func widen(f *os.File) {
	if raw, err := f.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeSize) })
	}
}
