package diagnose

import (
	"fmt"
	"slices"
	"strings"

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
		say("%d streams were cut when their process died: %s", len(gs), ms[0].death.what).
		show(causesOfDeath(ms, 5)...).see(tightest(gs), workersLine(gs)).
		notIf(v.noWorkerTimeout(), "blocked event loop → worker timeout", "no WORKER TIMEOUT in the log").
		notIf(v.noOOM(), "memory kill", "oom_kill did not rise").
		notIf(len(gs) > 1, "application error mid-stream", "several streams of one process ended at one moment").
		mend("find out who sends the signal (deploys, health checks, operators); have clients resume or retry"))
}

func workersLine(gs []*verdict.Graded) string {
	var names []string
	for w, ws := range byWorker(gs) {
		if w != "" {
			names = append(names, fmt.Sprintf("%d of worker %s", len(ws), w))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
