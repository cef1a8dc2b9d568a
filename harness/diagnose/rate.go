package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

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
