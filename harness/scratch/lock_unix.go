//go:build unix

package scratch

import (
	"os"

	"golang.org/x/sys/unix"
)

// hold locks a folder for as long as this process lives; nil where the file system has no
// locks. A sweeper that holds it is done in a moment.
func hold(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	for {
		switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err {
		case nil:
			return f, nil
		case unix.EINTR:
		default:
			return nil, f.Close()
		}
	}
}

// sweep removes a folder whose lock is free.
func sweep(path string) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		os.RemoveAll(path)
	}
}
