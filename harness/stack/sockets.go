package stack

import (
	"strings"

	"github.com/prometheus/procfs"
)

// Sockets counts the open sockets of a process by its host's /proc (proc(5)): 0
// where that is not there, or not ours to read.
func Sockets(pid int) (n int) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0
	}
	p, err := fs.Proc(pid)
	if err != nil {
		return 0
	}
	open, err := p.FileDescriptorTargets()
	if err != nil {
		return 0
	}
	for _, to := range open {
		if strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
