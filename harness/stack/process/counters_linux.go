package process

import (
	"fmt"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/record"
)

// counters sums up the resident memory of processes. Pages that they share count
// once for each.
func counters(pids []int) (map[string]int64, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return nil, fmt.Errorf("read memory: %w", err)
	}
	var sum int64
	read := 0
	for _, pid := range pids {
		p, err := fs.Proc(pid)
		if err != nil {
			continue // it has ended by now
		}
		if m, err := p.Statm(); err == nil {
			sum, read = sum+int64(m.ResidentBytes()), read+1
		}
	}
	if read == 0 {
		return nil, fmt.Errorf("read memory: none of %d processes is left", len(pids))
	}
	return map[string]int64{record.MemoryCounter: sum}, nil
}
