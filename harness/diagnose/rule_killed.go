package diagnose

import (
	"cmp"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// killed (E7) explains cuts by the death of a process that nobody announced.
type killed struct{}

func (killed) match(v *view) []*finding {
	ms := v.matchDeaths(v.take(isCut), diedByKill, diedByExit)
	ms = slices.DeleteFunc(ms, func(m match) bool { return m.death.ours })
	if len(ms) == 0 {
		return nil
	}
	gs := gradedOf(ms)
	return one(found(WorkerKilled, layerManager, certain, gs).
		tell(fact{Kind: FactProcessDied, N: len(gs), About: []fact{ms[0].death.what}}).
		show(causesOfDeath(ms, 5)...).see(tightest(gs), workersLine(gs)).
		notIf(v.noWorkerTimeout(), "blocked event loop → worker timeout", fact{Kind: NotWorkerTimeout}).
		notIf(v.noOOM(), "memory kill", fact{Kind: NotOOM}).
		notIf(len(gs) > 1, "application error mid-stream", fact{Kind: NotOneByOne}).
		mend(fact{Kind: MendSignalSender}))
}

// workersLine is which processes served the streams.
func workersLine(gs []*verdict.Graded) fact {
	f := fact{Kind: FactOfWorkers}
	for w, ws := range byWorker(gs) {
		if w != "" {
			f.Counts = append(f.Counts, record.Count{Name: w, N: len(ws)})
		}
	}
	if len(f.Counts) == 0 {
		return fact{}
	}
	slices.SortFunc(f.Counts, func(a, b record.Count) int {
		return cmp.Or(cmp.Compare(a.N, b.N), cmp.Compare(a.Name, b.Name))
	})
	return f
}
