package machine

import (
	"os"
	"time"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack"
)

// mostThreads bounds the files that one sample reads.
const mostThreads = 512

// read takes the counters of proc_stat(5) and of /proc/PID/task/TID/schedstat
// (Documentation/scheduler/sched-stats.rst: time on a CPU and time waiting for
// one, in nanoseconds).
func read(app []int) counters {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return counters{}
	}
	stat, err := fs.Stat()
	if err != nil {
		return counters{}
	}
	c := stat.CPUTotal
	return counters{
		known: true,
		busy:  seconds(c.User + c.Nice + c.System + c.IRQ + c.SoftIRQ), // guests' time is in User and Nice
		steal: seconds(c.Steal),
		ours:  threads(fs, []int{os.Getpid()}),
		app:   threads(fs, app),
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func threads(fs procfs.FS, pids []int) map[int]use {
	found := map[int]use{}
	for _, pid := range pids {
		all, err := fs.AllThreads(pid)
		if err != nil {
			continue // it has ended
		}
		for _, t := range all {
			if len(found) == mostThreads {
				return found
			}
			if s, err := t.Schedstat(); err == nil {
				found[t.PID] = use{time.Duration(s.RunningNanoseconds), time.Duration(s.WaitingNanoseconds)}
			}
		}
	}
	return found
}

// Below lists the processes that pids and their children have started and that
// still live, pids included.
func Below(pids []int) []int {
	var all []int
	seen := map[int]bool{}
	for len(pids) > 0 {
		pid := pids[0]
		pids = pids[1:]
		if seen[pid] {
			continue
		}
		seen[pid] = true
		all = append(all, pid)
		below, _ := stack.Children(pid)
		pids = append(pids, below...)
	}
	return all
}
