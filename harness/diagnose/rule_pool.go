package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// threadPool (F2) explains delays of many sync generators by anyio's default
// limiter of 40 threads a process.
type threadPool struct{}

// poolSize is anyio's default limit; poolLow and poolHigh are what the estimate
// may read for it.
const (
	poolSize = 40
	poolLow  = 32
	poolHigh = 46
)

func (threadPool) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return v.flagged(g, verdict.Late) || v.flagged(g, verdict.Gappy) })
	if len(gs) == 0 {
		return nil
	}
	flying := inStep(v.Streams)
	workers := max(1, workersOf(flying))
	most := peak(flying) / workers
	if most <= poolSize {
		return nil
	}
	early, late := served(flying)
	busy := (early + late) / 2 / float64(workers)
	if !isPool(early/float64(workers)) || !isPool(late/float64(workers)) {
		return nil
	}
	return one(found(ThreadPool, "F2", layerApp, likely, gs).
		say("%d streams were held up while about %.0f of %d were served at a time: sync generators share 40 threads a process", len(gs), busy, most).
		see(fmt.Sprintf("peak of %d concurrent streams a process, throughput of %.0f streams' worth (Little's law: rate × service time)", most, busy)).
		see(fmt.Sprintf("knee at %d; %d processes seen", poolSize, workers)).
		not("blocked event loop", "streams were held up one by one, not all at one moment").
		mend("make the generator async; or anyio.to_thread.current_default_thread_limiter().total_tokens = 200 at startup").
		settle(v.rerun("--streams 40") + "   # below the knee all is well"))
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

// peak is the largest number of streams between request and end.
func peak(gs []*verdict.Graded) int {
	type step struct {
		at time.Duration
		by int
	}
	var steps []step
	for _, g := range gs {
		if g.End != record.Never {
			steps = append(steps, step{startOf(g), 1}, step{g.End, -1})
		}
	}
	slices.SortFunc(steps, func(a, b step) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return a.by - b.by
	})
	n, most := 0, 0
	for _, s := range steps {
		n += s.by
		most = max(most, n)
	}
	return most
}

func isPool(n float64) bool { return n >= poolLow && n <= poolHigh }

// served is how many streams were being served at a time, by Little's law: events
// per second times the least time that an event takes. A pool shows as the same
// number early and late in the load. Where a queue is fair every event soon waits
// alike; what it takes without waiting shows in the first gaps, which begin while
// threads are still free.
func served(gs []*verdict.Graded) (early, late float64) {
	var at, gaps, firsts []time.Duration
	for _, g := range gs {
		last, n := record.Never, 0
		for m := range g.Marks() {
			if m.Kind != stream.Content {
				continue
			}
			at = append(at, m.At)
			if n++; last != record.Never {
				gaps = append(gaps, m.At-last)
			}
			if n == 2 {
				firsts = append(firsts, m.At-last)
			}
			last = m.At
		}
	}
	if len(gaps) == 0 {
		return 0, 0
	}
	slices.Sort(at)
	slices.Sort(gaps)
	slices.Sort(firsts)
	service := min(gaps[len(gaps)/20], firsts[len(firsts)/10]).Seconds()
	n := len(at)
	return rate(at[n/10:n/2]) * service, rate(at[n/2:9*n/10]) * service
}

// rate is how many of the sorted times there are per second.
func rate(at []time.Duration) float64 {
	if len(at) < 2 || at[len(at)-1] <= at[0] {
		return 0
	}
	return float64(len(at)-1) / (at[len(at)-1] - at[0]).Seconds()
}
