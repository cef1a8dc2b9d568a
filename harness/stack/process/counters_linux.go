package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/streamproof/streamproof/harness/record"
)

// counters sums up the resident memory of processes. Pages that they share count
// once for each.
func counters(pids []int) (map[string]int64, error) {
	var sum int64
	read := 0
	for _, pid := range pids {
		if n, err := resident(pid); err == nil { // it may have ended by now
			sum, read = sum+n, read+1
		}
	}
	if read == 0 {
		return nil, fmt.Errorf("read memory: none of %d processes is left", len(pids))
	}
	return map[string]int64{record.MemoryCounter: sum}, nil
}

// resident reads the second field of /proc/pid/statm, in pages: proc_pid_statm(5).
func resident(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("read /proc/%d/statm: %q", pid, b)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
