package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// WorkerKill kills one worker process under its streams.
func WorkerKill() harness.Scenario {
	return harness.Scenario{
		ID: "worker-kill", Title: "A worker process is killed mid-stream",
		Doc:       "When a worker is killed, its streams are cut so that clients can tell, the others complete, and new ones are fine again soon.",
		Symptom:   "streams of one process end like successes, without their terminal",
		LookAlike: "a memory kill: there the kernel counts it",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Workers:   2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.KillWorker{},
		When:      harness.When{Events: 3}, Hold: 200 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}

// LaunderedKill is WorkerKill behind an edge with its defaults, which turns the
// death of a worker into a clean end.
func LaunderedKill() harness.Scenario {
	s := WorkerKill()
	s.ID, s.Title = "worker-kill-default-edge", "A worker is killed behind an edge with its defaults"
	s.Doc = "Behind nginx with its default upstream, a killed worker's streams still do not look like complete responses."
	s.Edge.Form = stack.EdgeDefault
	return s
}

// Drain stops the app as a deploy does.
func Drain() harness.Scenario {
	return harness.Scenario{
		ID: "drain", Title: "SIGTERM with grace",
		Doc:       "When the app is told to stop, streams in flight complete, and after the new start new ones are fine.",
		Symptom:   "a deploy cuts the streams that are in flight",
		LookAlike: "a crash: here the app is asked to stop, and has its grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Drain{Grace: 10 * time.Second},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Refuses: true, Checks: calmFlags}),
	}
}
