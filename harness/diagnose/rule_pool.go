package diagnose

import (
	"cmp"
	"maps"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
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
	gs := v.take(func(g *verdict.Graded) bool {
		return (v.flagged(g, verdict.Late) || v.flagged(g, verdict.Gappy)) && !v.answered(g)
	})
	if len(gs) == 0 {
		return nil
	}
	flying, most, workers := v.crowd()
	if most <= poolSize {
		return nil
	}
	full, confidence, ruledOut := v.fullPools(most)
	switch {
	case ruledOut:
		return nil
	case len(full) > 0:
		return one(poolFinding(v, gs, confidence, most, workers).
			tell(fact{Kind: FactPoolHeld, N: len(gs), Need: most}).
			see(full...))
	}
	early, late := served(flying, poolSize*workers)
	busy := (early + late) / 2 / float64(workers)
	if !isPool(early/float64(workers)) || !isPool(late/float64(workers)) {
		return nil
	}
	return one(poolFinding(v, gs, likely, most, workers).
		tell(fact{Kind: FactPoolServed, N: len(gs), Share: busy, Need: most}).
		see(fact{Kind: FactLittle, Share: busy}))
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
	counted := slices.ContainsFunc(v.Events, func(e record.Event) bool { return e.Kind == record.KindThreads })
	if most <= poolSize || counted || f.Confidence == certain {
		return f
	}
	f.Confidence = possible
	return f.or(ThreadPool, fact{Kind: MayPool, N: most}).
		settle(v.rerun("--streams 40", WhyBelowTheKnee))
}

func poolFinding(v *view, gs []*verdict.Graded, confidence string, most, workers int) *finding {
	return found(ThreadPool, layerApp, confidence, gs).
		see(fact{Kind: FactKnee, Need: poolSize, N: most, Of: workers}).
		not("blocked event loop", fact{Kind: NotAtOneMoment}).
		settle(v.rerun("--streams 40", WhyBelowKnee))
}

// fullPools tells of processes whose threads rose to a full pool and stayed below
// the number of streams, most. Threads far beyond a pool rule it out.
func (v *view) fullPools(most int) (lines []fact, confidence string, ruledOut bool) {
	confidence = likely
	for _, e := range v.highestThreads() {
		switch n := int(e.Value); {
		case n > fullHigh:
			return nil, "", true
		case n < fullLow || n > max(most, fullSure):
			continue
		case n <= fullSure:
			confidence = certain
		}
		lines = append(lines,
			fact{Kind: FactFullPool, N: e.Pid, Name: e.Subject, Of: int(e.Value), Took: e.At, Need: poolSize})
	}
	return lines[:min(2, len(lines))], confidence, false
}

// highestThreads are the highest counts of threads, by process. Containers number
// theirs alike, so that the pid alone does not tell them apart.
func (v *view) highestThreads() []record.Event {
	type process struct {
		replica string
		pid     int
	}
	highest := map[process]record.Event{}
	for _, e := range v.Events {
		if p := (process{e.Subject, e.Pid}); e.Kind == record.KindThreads && e.Value > highest[p].Value {
			highest[p] = e
		}
	}
	return slices.SortedFunc(maps.Values(highest), func(a, b record.Event) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Pid, b.Pid))
	})
}
