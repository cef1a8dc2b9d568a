package local

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// watchPause lies between two looks at a replica's workers; watchShare keeps
// the looking below 2 % of one core, however many threads the app has. A look
// that only waited for a core on a busy machine must not blind us for long, hence
// watchMost.
const (
	watchPause = 50 * time.Millisecond
	watchMost  = 500 * time.Millisecond
	watchShare = 50
)

// tree lists the living processes of p and all that it started.
func (p *process) tree() []chain.Process {
	ps := descendants(p.guard.Process.Pid)
	if len(ps) == 0 && p.running() {
		ps = []chain.Process{{Host: p.Pid, Process: stack.Process{Pid: p.Pid, Command: p.Argv[0]}}}
	}
	return ps
}

// watch tells of workers that come and go, from a goroutine that ends with the
// process; those that are there already are told before it returns. A worker's
// exit status is its master's to see, not ours.
func (r *replica) watch(proc *process) {
	master := chain.Master(proc.Pid, proc.tree())
	known, ok := stack.Children(master)
	if !ok {
		return
	}
	for _, pid := range known {
		r.tellWorker(record.KindStart, pid)
	}
	r.watching.Go(func() { r.follow(proc, master, known) })
}

func (r *replica) follow(proc *process, master int, known []int) {
	var threads stack.Threads
	for pause := watchPause; ; {
		select {
		case <-proc.exited:
			return
		case <-time.After(pause):
		}
		began := time.Now()
		now, ok := stack.Children(master)
		if !ok {
			continue // the master has ended; the guard is about to say so
		}
		r.tellChanges(known, now)
		known = now
		for _, e := range threads.Look(r.spec.Now(), r.name, countThreads(append(now, master))) {
			r.spec.Notify(e)
		}
		pause = min(max(watchPause, watchShare*time.Since(began)), watchMost)
	}
}

// countThreads looks at the workers, and at their master, which serves where it
// has none.
func countThreads(pids []int) map[int]int {
	counts := make(map[int]int, len(pids))
	for _, pid := range pids {
		if n, ok := threadsOf(pid); ok {
			counts[pid] = n
		}
	}
	return counts
}

func (r *replica) tellChanges(before, now []int) {
	for _, pid := range before {
		if !slices.Contains(now, pid) {
			r.tellWorker(record.KindExit, pid)
		}
	}
	for _, pid := range now {
		if !slices.Contains(before, pid) {
			r.tellWorker(record.KindStart, pid)
		}
	}
}

// tellWorker tells of a worker: its end is not the replica's.
func (r *replica) tellWorker(kind record.EventKind, pid int) {
	r.spec.Notify(stack.Event{At: r.spec.Now(), Source: record.ProcessSource, Kind: kind,
		Subject: r.name, Role: record.WorkerRole, Pid: pid, Text: "seen within " + watchPause.String()})
}
