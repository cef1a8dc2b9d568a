//go:build unix

package history

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lock keeps other processes from putting the file at path aside, or, where alone is set,
// from appending to it. SQLite's own locks hold a file and not its name. It is a flock(2)
// of the folder, which ends with the process at the latest.
func lock(path string, alone bool) (unlock func(), err error) {
	f, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		switch err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB); {
		case err == nil:
			return func() { f.Close() }, nil
		case err == unix.ENOTSUP || err == unix.ENOLCK || err == unix.EINVAL:
			return func() { f.Close() }, nil // some network file systems have no locks
		case err != unix.EWOULDBLOCK && err != unix.EINTR:
			f.Close()
			return nil, fmt.Errorf("lock folder of history %s: %w", path, err)
		case time.Since(began) > busyFor:
			f.Close()
			return nil, fmt.Errorf("append to history %s: another process has held it for %v", path, busyFor)
		}
	}
}
