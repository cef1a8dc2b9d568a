package chain

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A pause lies between two looks at a replica: an event that is read from them is
// that much late at least. Looking takes one in lookShare of the time of one core
// at most, however many processes and threads the app has; but a look that only
// waited for a core of a busy machine must not blind us for longer than mostPause.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 500 * time.Millisecond
	lookShare  = 50
)

// A View is what a machine sees of a replica at one time.
type View struct {
	// Life names the first process of the replica: another one is a new start, whose
	// workers are all new and whose counters begin anew.
	Life int
	// Root is the process from which roles are counted: see [Assign].
	Root int
	// Processes are the root, its workers, and whatever else was seen on the way.
	Processes []Process
	// Counters stand for harm: the first reading of each is told, and every change.
	Counters map[string]int64
}

// A Watch tells what happens inside of a replica: workers that come and go, threads
// that pile up, counters that rise. The replica's own start and end are told by its
// machine.
type Watch struct {
	spec    *stack.Spec
	replica string
	see     func() (View, bool)

	mu      sync.Mutex // guards what follows
	life    int
	workers map[int]Process
	counts  map[string]int64
	threads threads
}

// NewWatch watches a replica by what see returns, false for nothing to be seen. It
// has looked once when it returns, so that the workers of the beginning are told.
func NewWatch(spec *stack.Spec, replica string, see func() (View, bool)) *Watch {
	w := &Watch{spec: spec, replica: replica, see: see}
	w.Look()
	return w
}

// Follow looks again and again until done.
func (w *Watch) Follow(done <-chan struct{}) {
	for pause := leastPause; ; {
		select {
		case <-done:
			return
		case <-time.After(pause):
		}
		began := time.Now()
		w.Look()
		pause = min(max(leastPause, lookShare*time.Since(began)), mostPause)
	}
}

// Look looks now and tells what has changed since the last look.
func (w *Watch) Look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.see()
	if !ok {
		return
	}
	Assign(v.Root, v.Processes)
	serving, workers := map[int]int{}, map[int]Process{}
	for _, p := range v.Processes {
		if p.Role == stack.RoleWorker {
			workers[p.Pid] = p
		}
		if p.Role != stack.RoleHelper && p.Threads > 0 { // a master serves where it has no workers
			serving[p.Pid] = p.Threads
		}
	}
	if v.Life != w.life {
		w.life, w.workers, w.counts = v.Life, nil, nil
	}
	w.tellWorkers(record.KindExit, w.workers, workers)
	w.tellWorkers(record.KindStart, workers, w.workers)
	w.tellCounters(v.Counters)
	for _, e := range w.threads.look(w.spec.Now(), w.replica, serving) {
		w.spec.Notify(e)
	}
	w.workers, w.counts = workers, v.Counters
}

// tellWorkers tells of the workers that are in some and not in others. A worker's
// exit code is its master's to see, not ours.
func (w *Watch) tellWorkers(kind record.EventKind, some, others map[int]Process) {
	for _, pid := range slices.Sorted(maps.Keys(some)) {
		if _, both := others[pid]; !both {
			w.spec.Notify(stack.Event{At: w.spec.Now(), Source: record.ProcessSource, Kind: kind, Subject: w.replica,
				Role: record.WorkerRole, Pid: pid, Text: some[pid].Command})
		}
	}
}

func (w *Watch) tellCounters(now map[string]int64) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if n, was := now[name], w.counts[name]; w.counts == nil || n != was {
			w.spec.Notify(stack.Event{At: w.spec.Now(), Source: record.CgroupSource, Kind: record.KindCounter,
				Subject: w.replica, Counter: name, Value: n, Text: fmt.Sprintf("%d → %d", was, n)})
		}
	}
}
