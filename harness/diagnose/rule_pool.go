package diagnose

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// threadPool (F2) explains delays of many sync generators by anyio's default
// limiter of 40 threads a process. Where the kernel's count of threads is known
// it decides; otherwise the rate at which events came.
type threadPool struct{}

// poolSize is anyio's default limit; poolLow and poolHigh are what the estimate
// may read for it.
const (
	poolSize = 40
	poolLow  = 32
	poolHigh = 46
	// A process with a full pool has its main thread, too. For a moment it may have
	// more: anyio lets a thread go with the request that began it, busy or not, and
	// starts another. A thread for each stream, though, is no queue.
	fullLow  = poolSize + 1
	fullHigh = poolSize + poolSize/2
	fullSure = poolSize + 5
)

func (threadPool) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return v.flagged(g, verdict.Late) || v.flagged(g, verdict.Gappy) })
	if len(gs) == 0 {
		return nil
	}
	flying, most, workers := v.crowd()
	if most <= poolSize {
		return nil
	}
	if full, confidence := v.fullPools(most); full != nil {
		return one(poolFinding(v, gs, confidence, most, workers).
			say("%d streams were held up while all 40 threads of the pool were taken, by %d streams: sync generators share 40 threads a process", len(gs), most).
			see(full...))
	} else if confidence == certain {
		return nil
	}
	early, late := served(flying, poolSize*workers)
	busy := (early + late) / 2 / float64(workers)
	if !isPool(early/float64(workers)) || !isPool(late/float64(workers)) {
		return nil
	}
	return one(poolFinding(v, gs, likely, most, workers).
		say("%d streams were held up while about %.0f of %d were served at a time: sync generators share 40 threads a process", len(gs), busy, most).
		see(fmt.Sprintf("throughput of %.0f streams' worth (Little's law: rate × service time)", busy)))
}

// crowd are the streams whose content came, and how many of them were open at
// once for each process that served them.
func (v *view) crowd() (flying []*verdict.Graded, most, workers int) {
	flying = inStep(v.Streams)
	workers = max(1, workersOf(flying))
	return flying, peak(flying) / workers, workers
}

// orPool adds the pool to the candidates where only a count of threads could rule
// it out.
func (v *view) orPool(f *finding) *finding {
	_, most, _ := v.crowd()
	counted := slices.ContainsFunc(v.Events, func(e record.Event) bool { return e.Kind == stack.KindThreads })
	if most <= poolSize || counted || f.Confidence == certain {
		return f
	}
	f.Confidence = possible
	return f.or(ThreadPool, "F2", fmt.Sprintf("%d streams a process were open: sync generators would have shared 40 threads", most)).
		settle(v.rerun("--streams 40") + "   # is all well below the knee?")
}

func poolFinding(v *view, gs []*verdict.Graded, confidence string, most, workers int) *finding {
	return found(ThreadPool, "F2", layerApp, confidence, gs).
		see(fmt.Sprintf("knee at %d: peak of %d concurrent streams a process; %d processes seen", poolSize, most, workers)).
		not("blocked event loop", "streams were held up one by one, not all at one moment").
		mend("make the generator async; or anyio.to_thread.current_default_thread_limiter().total_tokens = 200 at startup").
		settle(v.rerun("--streams 40") + "   # below the knee all is well")
}

// fullPools tells of processes whose threads rose to a full pool and stayed below
// the number of streams, most. With none, a certain "no" is one with threads far
// beyond a pool.
func (v *view) fullPools(most int) (lines []string, confidence string) {
	highest := map[int]record.Event{}
	for _, e := range v.Events {
		if e.Kind == stack.KindThreads && e.Value > highest[e.Pid].Value {
			highest[e.Pid] = e
		}
	}
	confidence = likely
	for _, pid := range slices.Sorted(maps.Keys(highest)) {
		e := highest[pid]
		switch n := int(e.Value); {
		case n > fullHigh:
			return nil, certain
		case n < fullLow || n > max(most, fullSure):
			continue
		case n <= fullSure:
			confidence = certain
		}
		lines = append(lines, fmt.Sprintf("pid %d of %s rose to %d threads at %.3f s and no further: its own and a full pool of %d", pid, e.Subject, e.Value, e.At.Seconds(), poolSize))
	}
	if lines == nil {
		return nil, likely
	}
	return lines[:min(2, len(lines))], confidence
}

// inStep are the streams whose content came.
func inStep(all []verdict.Graded) []*verdict.Graded {
	var out []*verdict.Graded
	for i := range all {
		if all[i].First != record.Never && all[i].Contents > 2 {
			out = append(out, &all[i])
		}
	}
	return out
}

func workersOf(gs []*verdict.Graded) int {
	n := 0
	for w := range byWorker(gs) {
		if w != "" {
			n++
		}
	}
	return n
}

// A step is a stream that begins (1) or ends (-1).
type step struct {
	at time.Duration
	by int
}

// steps are the begins and ends of streams in their order.
func steps(gs []*verdict.Graded) []step {
	var all []step
	for _, g := range gs {
		if g.End != record.Never {
			all = append(all, step{startOf(g), 1}, step{g.End, -1})
		}
	}
	slices.SortFunc(all, func(a, b step) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	return all
}

// peak is the largest number of streams between request and end.
func peak(gs []*verdict.Graded) int {
	n, most := 0, 0
	for _, s := range steps(gs) {
		n += s.by
		most = max(most, n)
	}
	return most
}

func isPool(n float64) bool { return n >= poolLow && n <= poolHigh }

// served is how many streams were being served at a time, by Little's law: events
// per second times what one event takes, in the first and the second half of the
// time in which more streams than threads were open. A pool shows as the same
// number in both. Where a queue is fair every event soon waits alike; what it
// takes without waiting shows in the first gaps, which begin while threads are
// still free. A first event waits for nothing and does not count.
func served(gs []*verdict.Graded, threads int) (early, late float64) {
	from, to := crowded(gs, threads)
	var gaps, firsts []time.Duration
	half := [2]float64{}
	for _, g := range gs {
		last, n := record.Never, 0
		for m := range g.Marks() {
			if m.Kind != stream.Content {
				continue
			}
			if n++; n > 1 {
				gaps = append(gaps, m.At-last)
				if m.At > from && m.At <= to {
					half[min(1, int(2*(m.At-from)/(to-from+1)))]++
				}
			}
			if n == 2 {
				firsts = append(firsts, m.At-last)
			}
			last = m.At
		}
	}
	if len(gaps) == 0 || to <= from {
		return 0, 0
	}
	slices.Sort(gaps)
	slices.Sort(firsts)
	service := min(gaps[len(gaps)/20], firsts[len(firsts)/10])
	share := 2 * service.Seconds() / (to - from).Seconds()
	return half[0] * share, half[1] * share
}

// crowded is the time from the first to the last moment at which more than n
// streams were open.
func crowded(gs []*verdict.Graded, n int) (from, to time.Duration) {
	open := 0
	from = record.Never
	for _, s := range steps(gs) {
		if open += s.by; open > n && from == record.Never {
			from = s.at
		} else if s.by < 0 && open == n {
			to = s.at
		}
	}
	return from, to
}
