package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Sockets counts the open sockets of a process by its host's /proc (proc(5)): 0
// where that is not there, or not ours to read.
func Sockets(pid int) (n int) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}
