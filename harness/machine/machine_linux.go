package machine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/procfs"

	"github.com/streamproof/streamproof/harness/stack"
)

// mostThreads bounds the files that one sample reads.
const mostThreads = 512

// read takes the counters of proc_stat(5) and of /proc/PID/task/TID/schedstat
// (Documentation/scheduler/sched-stats.rst: time on a CPU and time waiting for
// one, in nanoseconds).
func read(app, also []int) counters {
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
		also:  threads(fs, also),
		disk:  disks(fs, app),
	}
}

// disks takes the counters of /proc/pressure/io (Documentation/accounting/psi.rst:
// microseconds), of /proc/vmstat (pgpgin and pgpgout: KiB) and of /proc/PID/io.
func disks(fs procfs.FS, app []int) disk {
	var d disk
	psi, err := fs.PSIStatsForResource("io")
	if err != nil || psi.Some == nil {
		return d // the kernel keeps none
	}
	d.waited = time.Duration(psi.Some.Total) * time.Microsecond
	if d.moved, err = paged(); err != nil {
		return d
	}
	d.app = map[int]int64{}
	for _, pid := range app {
		p, err := fs.Proc(pid)
		if err != nil {
			continue // it has ended
		}
		io, err := p.IO()
		switch {
		case errors.Is(err, os.ErrPermission):
			d.app = nil
			return d
		case err == nil:
			d.app[pid] = int64(io.ReadBytes + io.WriteBytes)
		}
	}
	return d
}

// paged is what was read from disks and written to them since the machine began.
func paged() (bytes int64, err error) {
	text, err := os.ReadFile("/proc/vmstat")
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "pgpgin" && name != "pgpgout" {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/vmstat: %w", err)
		}
		bytes += n << 10
	}
	return bytes, err
}

// onDisk reports whether a thread of the app waits uninterruptibly (state D of
// proc_pid_stat(5)), as one that waits for a disk does.
func onDisk(app []int) bool {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return false
	}
	looked := 0
	for _, pid := range app {
		all, err := fs.AllThreads(pid)
		if err != nil {
			continue // it has ended
		}
		for _, t := range all {
			if looked++; looked > mostThreads {
				return false
			}
			if s, err := t.Stat(); err == nil && s.State == "D" {
				return true
			}
		}
	}
	return false
}

// ready reports whether a thread runs or waits for a core (state R of proc_pid_stat(5)).
func ready(tid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/stat")
	if err != nil {
		return false // it has ended
	}
	_, after, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ") // a name may have any bytes
	return strings.HasPrefix(after, "R")
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
				found[t.PID] = use{time.Duration(s.RunningNanoseconds), time.Duration(s.WaitingNanoseconds),
					s.RunTimeslices}
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
