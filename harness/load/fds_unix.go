//go:build unix

package load

import "syscall"

// spareFDs are left for the rest of the process: files, listeners, the fault
// proxies' control connections.
const spareFDs = 256

// MaxStreams is how many streams this process can hold at once, by its limit on
// open files: one socket each.
func MaxStreams() int {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 1024 - spareFDs // the least that systems allow
	}
	return int(max(1, min(int64(r.Cur), 1<<20)-spareFDs))
}
