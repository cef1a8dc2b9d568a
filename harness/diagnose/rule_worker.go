package diagnose

import (
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// instant is how far apart ends may lie that one event caused.
const instant = 250 * time.Millisecond

// workerTimeout (E1, E2, E3) explains cuts by a process manager that took a
// worker for dead. What the worker did before tells the three apart.
type workerTimeout struct{}

func (workerTimeout) match(v *view) []*finding {
	if len(v.tags[workerTimedOut]) == 0 {
		return recycledQuietly(v)
	}
	ms := v.matchDeaths(v.take(isCut), diedByTimeout)
	if len(ms) == 0 {
		return nil
	}
	gs := gradedOf(ms)
	lines := append(cite(v.tags[workerTimedOut], 2), cite(v.tags[workerAborted], 1)...)
	switch {
	case len(v.drained()) > 0:
		return one(v.recycled(gs).show(lines...))
	case v.stalledBefore(gs):
		return one(found(BlockedLoopTimeout, layerApp, certain, gs).
			tell(fact{Kind: FactBlockedTimeout, N: len(gs)}).
			show(lines...).see(tightest(gs), silenceLine(gs)).
			not("memory kill", fact{Kind: NotMemory}).
			not("worker recycled", fact{Kind: NotRecycled}))
	default:
		return one(found(SyncWorkerTimeout, layerManager, certain, gs).
			tell(fact{Kind: FactSyncTimeout, N: len(gs)}).
			show(lines...).see(sinceStart(gs)).
			not("blocked event loop", fact{Kind: NotSilentBefore}))
	}
}

func isCut(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated
}

// drained are the lines by which a worker said that it was going before a worker
// was taken for dead. Shutdowns after the last timeout are of a later end, such
// as our own.
func (v *view) drained() []hit {
	var last time.Duration
	for _, h := range v.tags[workerTimedOut] {
		if h.line.At == record.Never {
			last = 1<<63 - 1
		}
		last = max(last, h.line.At)
	}
	var out []hit
	for _, h := range append(slices.Clone(v.tags[recycling]), v.tags[shuttingDown]...) {
		if h.line.At <= last && !strings.Contains(h.line.Text, "Shutting down: Master") {
			out = append(out, h)
		}
	}
	return out
}

// stalledBefore reports whether most streams had been silent for much longer
// than usual when they were cut.
func (v *view) stalledBefore(gs []*verdict.Graded) bool {
	n := 0
	for _, g := range gs {
		if silence := g.End - lastBytes(g); silence >= minSilence && silence >= 4*usualGap(g) {
			n++
		}
	}
	return 2*n > len(gs)
}

// usualGap is the median time between two events of a stream.
func usualGap(g *verdict.Graded) time.Duration {
	var gaps []time.Duration
	last := record.Never
	for m := range g.Marks() {
		if last != record.Never {
			gaps = append(gaps, m.At-last)
		}
		last = m.At
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2]
}

func sinceStart(gs []*verdict.Graded) fact {
	if c, ok := of(Clusters(gs), SinceStart); ok {
		return c.fact()
	}
	return fact{Kind: FactCutSince, Stream: gs[0].Seq, Took: gs[0].End - startOf(gs[0])}
}

func (v *view) recycled(gs []*verdict.Graded) *finding {
	return found(WorkerRecycled, layerManager, certain, gs).
		tell(fact{Kind: FactRecycled, N: len(gs)}).
		show(cite(v.drained(), 4)...).see(tightest(gs)).
		not("blocked event loop → worker timeout", fact{Kind: NotBlockedRecycled})
}

// recycledQuietly is E3 where the worker goes without a timeout.
func recycledQuietly(v *view) []*finding {
	if len(v.tags[recycling]) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return isCut(g) && !g.Struck && !v.deaths.names(g) })
	gs = v.near(gs, v.tags[recycling])
	if len(gs) == 0 {
		return nil
	}
	return one(v.recycled(gs).show(cite(v.tags[recycling], 2)...))
}
