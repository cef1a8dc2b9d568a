package fault

import (
	"context"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
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

// A slow hand is a stack on which a kill takes effect at once, and returns later.
type slowHand struct {
	stack.Stack
	now    time.Duration
	killed bool
}

func (h *slowHand) Replicas() []stack.Replica { return []stack.Replica{{Name: "app[0]"}} }

func (h *slowHand) Processes(context.Context) ([]stack.Process, error) {
	if h.killed {
		return nil, nil
	}
	return []stack.Process{{Replica: "app[0]", Pid: 42, Role: "worker"}}, nil
}

func (h *slowHand) Signal(context.Context, stack.Process, int) error {
	h.killed = true
	h.now += 20 * time.Millisecond
	return nil
}

// Streams end as soon as the signal is sent: a kill that was stamped when the call
// came back would have come after the ends that it caused.
func TestKillIsStampedBeforeItsEffect(t *testing.T) {
	for _, f := range []Fault{KillWorker{}, Crash{}} {
		h := &slowHand{now: time.Second}
		var told []record.Event
		err := f.Inject(t.Context(), Target{Stack: h, Pick: func(int) int { return 0 }, Now: func() time.Duration {
			return h.now
		},
			Tell: func(e record.Event) { told = append(told, e) }})
		if err != nil || len(told) != 1 || told[0].At != time.Second {
			t.Errorf("%s: told %+v, %v; want one event at 1s", f, told, err)
		}
	}
}
