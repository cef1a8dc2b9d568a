package fault

import (
	"testing"

	"github.com/streamproof/streamproof/harness/stack"
)

// The worker that dies is one that serves, as far as sockets tell.
func TestPickWorker(t *testing.T) {
	worker := func(pid, sockets int) stack.Process { return stack.Process{Pid: pid, Role: "worker", Sockets: sockets} }
	master := stack.Process{Pid: 1, Role: "master", Sockets: 50}
	for _, tc := range []struct {
		name string
		ps   []stack.Process
		last int // of those to choose from, 0 for none
	}{
		{"one has all connections", []stack.Process{master, worker(7, 18), worker(8, 5)}, 7},
		{"shared evenly", []stack.Process{master, worker(7, 11), worker(8, 11)}, 8},
		{"sockets not seen", []stack.Process{master, worker(7, 0), worker(8, 0)}, 8},
		{"two of three", []stack.Process{worker(7, 12), worker(8, 11), worker(9, 4)}, 8},
		{"no worker", []stack.Process{master}, 0},
	} {
		p, ok := pickWorker(tc.ps, func(n int) int { return n - 1 })
		if ok != (tc.last != 0) || p.Pid != tc.last {
			t.Errorf("%s: pid %d (%v), want %d", tc.name, p.Pid, ok, tc.last)
		}
	}
}
