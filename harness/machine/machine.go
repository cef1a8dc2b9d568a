// Package machine measures what the machine does beside a run: who takes its
// CPU, and who has to wait for one, or for a disk. The load generator, the app and
// everything else share it, and what an app could not do for want of a CPU, or of a
// disk that others kept busy, is not its failure.
//
//  1. A [Sampler] is told which processes are the system under test.
//  2. Each call of [Sampler.Sample] reads the kernel's counters and returns what
//     they grew by since the call before, as a [record.MachineSample].
//
// Where the kernel keeps no such counters (anywhere but on Linux) a sample holds
// only how late its own timer fired.
package machine

import (
	"runtime"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Every is how often a run takes a sample. The files of a process with a
// hundred threads take about 1 ms to read.
const Every = 250 * time.Millisecond

// A Sampler turns counters into samples. It is not for concurrent use.
type Sampler struct {
	now  func() time.Duration
	last time.Duration
	was  counters
	also []int // processes of the load generator beside this one

	// queued tells since when the threads of the app have been seen to wait for a core,
	// by thread.
	queued map[int]queue
}

// A queue is one that a thread stands in: it was seen to be ready to run, and has not
// run since.
type queue struct {
	since  time.Duration
	slices uint64 // that it had when it was seen
}

// counters are the kernel's, from the start of the machine or of a thread.
type counters struct {
	known       bool
	busy, steal time.Duration
	ours, app   map[int]use // by thread
	also        map[int]use // of the load generator's other processes
	disk        disk
}

// A disk is what the kernel counts of all disks together.
type disk struct {
	waited time.Duration // by any program
	moved  int64         // bytes, both ways
	app    map[int]int64 // of them, by process; nil where one of them may not be asked
}

// use fills in what happened to the disks since was. waits tells, at this moment,
// whether a thread of the app waits for one: it is only asked where somebody did, since
// it reads a file of each thread.
func (d disk) use(was disk, m *record.MachineSample, waits func() bool) {
	m.DiskWait, m.DiskBytes = d.waited-was.waited, d.moved-was.moved
	for pid, n := range d.app {
		m.AppDiskBytes += max(0, n-was.app[pid])
	}
	if d.app != nil && 4*m.DiskWait >= m.Over && waits() {
		m.AppOnDisk = m.Over
	}
}

// A use is what one thread has had of the CPUs. The kernel counts a wait at its end:
// while one lasts, none of these changes.
type use struct {
	ran, waited time.Duration
	slices      uint64 // how often it got a core
}

// New begins to count. now is the run's clock, app lists processes of the system
// under test, all of whose threads count.
func New(now func() time.Duration, app []int) *Sampler {
	return &Sampler{now: now, last: now(), was: read(app, nil)}
}

// Also says which processes send load beside this one, from the next sample on.
func (s *Sampler) Also(pids []int) { s.also = pids }

// Sample returns what happened since the last call, or since New. late is how
// much after its time the caller woke up, at least: see kept. whole says that app is all of the
// system under test, so that whatever else ran is somebody else's.
func (s *Sampler) Sample(app []int, whole bool, late time.Duration) record.MachineSample {
	at, now := s.now(), read(app, s.also)
	m := record.MachineSample{At: at, Over: at - s.last, Late: late}
	if now.known && s.was.known {
		m.Busy, m.Steal, m.Known = now.busy-s.was.busy, now.steal-s.was.steal, true
		m.OursRan, m.OursWaited = grown(s.was.ours, now.ours, m.Over)
		m.AppRan, m.AppWaited = grown(s.was.app, now.app, m.Over)
		m.AppHeld = max(held(s.was.app, now.app, m.Over), s.holds(&m, at, now.app, ready))
		m.Whole = whole && len(now.app) > 0
		now.disk.use(s.was.disk, &m, func() bool { return onDisk(app) })
	}
	m.Late = max(m.Late, kept(m))
	// Those run beside us, and say nothing about whether we could take the sample.
	ran, waited := grown(s.was.also, now.also, m.Over)
	m.OursRan, m.OursWaited = m.OursRan+ran, max(m.OursWaited, waited)
	s.last, s.was = at, now
	return m
}

// kept is how long something kept us from taking a sample that is due each [Every]. A
// look takes a moment, so what is longer than that, and in which we did not run, is time
// in which nobody let us: the caller may have woken in time, and lost the core after it.
//
//	last ├─ Every ─┤ woken  ·····nothing of ours ran·····  at
//	                        └──────────── kept ───────────┘
func kept(m record.MachineSample) time.Duration {
	return max(0, min(m.Over-Every, m.Over-m.OursRan))
}

// held is the longest wait for a core that ended since the last sample, at least: no
// other one can have been longer than the time since then, and the longest of some is no
// shorter than their mean. A wait may have begun long before that sample.
//
//	sample      1              2              3
//	waited  ────┼──────────────┼──────────╸run
//	counted     0              0              all of it
func held(was, now map[int]use, over time.Duration) (longest time.Duration) {
	for tid, u := range now {
		before, known := was[tid]
		if !known || u.ran < before.ran || u.slices <= before.slices {
			continue
		}
		waited := u.waited - before.waited
		longest = max(longest, waited-over, waited/time.Duration(u.slices-before.slices))
	}
	return longest
}

// holds is the longest wait for a core that still goes on, at least. ready tells whether
// a thread is ready to run at this moment: it is only asked where nearly all cores were
// busy, since it reads a file.
func (s *Sampler) holds(m *record.MachineSample, at time.Duration, app map[int]use, ready func(tid int) bool) (
	longest time.Duration,
) {
	before := s.queued
	s.queued = map[int]queue{}
	if 10*(m.Busy+m.Steal) < 9*m.Over*time.Duration(runtime.NumCPU()) {
		return 0
	}
	for tid, u := range app {
		if u.ran != s.was.app[tid].ran {
			continue
		}
		q, ok := before[tid]
		switch {
		case ok && q.slices == u.slices:
			longest = max(longest, at-q.since)
		case ready(tid):
			q = queue{at, u.slices}
		default:
			continue
		}
		s.queued[tid] = q
	}
	return longest
}

// grown is what all threads ran together, and what the one waited that waited
// longest: a queue of one does not hold up the others. No thread can have had
// more than the time since the last sample, whenever it was first seen.
func grown(was, now map[int]use, over time.Duration) (ran, waited time.Duration) {
	for tid, u := range now {
		before := was[tid]
		if u.ran < before.ran { // the number was given to another thread
			before = use{}
		}
		ran += min(u.ran-before.ran, over)
		waited = max(waited, min(u.waited-before.waited, over))
	}
	return ran, waited
}
