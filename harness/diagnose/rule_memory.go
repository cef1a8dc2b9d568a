package diagnose

import (
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// memoryKill (E9) explains cuts by the kernel. Only its own counters and events
// prove it: process managers guess "out of memory" for any SIGKILL.
type memoryKill struct{}

func (memoryKill) match(v *view) []*finding {
	kills, lines := v.oomKills(), v.oomLines()
	if kills == 0 && len(v.tags[oomKiller]) == 0 {
		return nil
	}
	gs := v.take(func(g *verdict.Graded) bool { return isCut(g) || g.Grade.Outcome == verdict.Refused })
	gs = gradedOf(v.matchDeaths(gs, diedByMemory, diedByKill, diedByExit))
	if len(gs) == 0 {
		return nil
	}
	name, what := MemoryKillWorker, "one process, while the container lived"
	if v.containerDied() {
		name, what = MemoryKillAll, "the container with it"
	}
	return one(found(name, "E9", layerKernel, certain, gs).
		say("the kernel killed %s, for its memory, and %d streams with it", what, len(gs)).
		see(lines...).see(cite(v.tags[oomKiller], 2)...).see(cite(v.tags[workerKill], 2)...).see(tightest(gs), workersLine(gs)).
		notIf(len(v.tags[workerTimedOut]) == 0, "worker timeout", "no WORKER TIMEOUT in the log").
		not("worker killed by somebody", "the kernel's own oom_kill counter or event says so").
		mend("raise the memory limit for this number of streams, or cap concurrency: uvicorn --limit-concurrency N; bound every buffer that a stream holds"))
}

// oomKills is how often the kernel killed: by how much its counter rose, or by
// its events where there is no counter. A single reading is of a counter that
// began with its container.
func (v *view) oomKills() int64 {
	var low, high, events int64
	readings := 0
	for _, e := range v.Events {
		switch {
		case e.Kind == "counter" && strings.Contains(e.Subject, "oom_kill"):
			if readings++; readings == 1 {
				low = e.Value
			}
			low, high = min(low, e.Value), max(high, e.Value)
		case e.Kind == "oom":
			events++
		}
	}
	if readings == 1 {
		low = 0
	}
	return max(high-low, events)
}

func (v *view) oomLines() []string {
	var out []string
	for _, e := range v.Events {
		if e.Kind == "oom" || e.Kind == "counter" && strings.Contains(e.Subject, "oom_kill") && e.Value > 0 || e.Kind == "die" {
			out = append(out, fmt.Sprintf("%s %s %s at %.3f s: value %d, code %d %s", e.Source, e.Kind, e.Subject, e.At.Seconds(), e.Value, e.Code, e.Text))
		}
	}
	return out[:min(4, len(out))]
}

// containerDied reports whether the container went with the process: a die that
// no kill of anybody's announced (FIELD-NOTES, detection ladder).
func (v *view) containerDied() bool {
	died, announced := false, false
	for _, e := range v.Events {
		if e.Source == "docker" {
			died = died || e.Kind == "die"
			announced = announced || e.Kind == "kill"
		}
	}
	return died && !announced
}
