package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// resources are the scenarios in which a process runs out of something, is killed for
// it, or must give it back.
func resources() []harness.Scenario {
	return []harness.Scenario{MemoryKill(), MemoryKillContainer(), WorkerKill(), LaunderedKill(), MemorySqueeze(),
		SlowReader(), Leak()}
}

// MemoryKill has the kernel kill one worker for its memory, while its siblings
// live. Only containers have a limit to run into: elsewhere a SIGKILL stands for
// it, and the report says so.
func MemoryKill() harness.Scenario {
	s := WorkerKill()
	s.ID, s.Title = "memory-kill", "The kernel kills a worker for its memory"
	s.Doc = "When the kernel kills a worker for its memory, its streams are cut so that clients can tell, the others " +
		"complete, and new ones are fine again soon."
	s.LookAlike = "a SIGKILL from elsewhere: the kernel counts only its own"
	s.Fault = fault.MemoryKill{}
	s.Load.Duration = pressed
	// What presses memory drives the container's programs out of the page cache, and the
	// kernel holds up all its processes. On a slow disk that takes more than 3 s until it
	// kills, those that live are silent for more than 5 s, and a new worker is read anew.
	s.Shape.Events = 100
	s.Policy.GapLimit, s.Policy.Recovery = 15*time.Second, 20*time.Second
	return s
}

// MemoryKillContainer has the kernel kill the app's first process, and the whole
// container with it.
func MemoryKillContainer() harness.Scenario {
	s := MemoryKill()
	s.ID, s.Title = "memory-kill-container", "The kernel kills the whole app for its memory"
	s.Doc = "When the kernel kills the whole app for its memory, its streams are cut so that clients can tell, and " +
		"after the new start new ones are fine."
	s.Fault = fault.MemoryKill{Whole: true}
	return s
}

// WorkerKill kills one worker process under its streams.
func WorkerKill() harness.Scenario {
	return harness.Scenario{
		ID: "worker-kill", Title: "A worker process is killed mid-stream",
		Doc: "When a worker is killed, its streams are cut so that clients can tell, the others complete, and new " +
			"ones are fine again soon.",
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

// MemorySqueeze lowers the app's memory limit while it streams, as a node under
// pressure does.
func MemorySqueeze() harness.Scenario {
	return harness.Scenario{
		ID: "memory-squeeze", Title: "Memory limit lowered under load",
		Doc: "With hardly any memory left, the app finishes its streams, or they are cut so that clients can tell, " +
			"and with its memory back it is fine again.",
		Symptom:   "streams hang, or end like successes, as soon as memory is short",
		LookAlike: "a memory kill: the kernel's counter tells whether it killed",
		Needs:     []string{"docker"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 60, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Ramp: time.Second},
		Fault:     fault.Squeeze{Room: 4 << 20},
		When:      harness.When{Events: 3}, Hold: 4 * time.Second,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Recovery: 20 * time.Second, Checks: calmFlags}),
	}
}

// SlowReader makes clients take less than the app writes. What they leave fills
// the buffers of every hop, until the app itself is made to wait.
func SlowReader() harness.Scenario {
	return harness.Scenario{
		ID: "slow-reader", Title: "Clients that read slowly",
		Doc: "A client that takes less than the app writes gets everything in the end: hops and app wait for it, and " +
			"drop nothing.",
		Symptom:   "events are missing on slow streams only, or memory grows with every slow client",
		LookAlike: "a slow app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 100, Gap: 5 * time.Millisecond, Size: 16 << 10},
		Load:      harness.Load{Streams: 8},
		Client:    harness.Client{Read: harness.Reading{Rate: 500 << 10, Buffer: 16 << 10}},
		Policy: record.Policy{GapLimit: 5 * time.Second, MinStreams: 2, Expect: record.ExpectSlow,
			Checks: []string{"repeated terminal", "error then terminal", "unprovable"}},
	}
}

// Leak sends turn after turn of streams and looks at the app's memory before and
// after.
func Leak() harness.Scenario {
	return harness.Scenario{
		ID: "leak", Title: "Memory after many streams",
		Doc:       "After hundreds of streams the app's memory is back to where it was after the first ones.",
		Symptom:   "memory grows with the number of streams that were served, until the kernel kills",
		LookAlike: "memory that concurrent streams need: that is given back when they end",
		Needs:     []string{"an app that we start, on Linux"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 10, Gap: 20 * time.Millisecond},
		Load:      harness.Load{Duration: 6 * time.Second},
		Fault:     fault.Watch{},
		When:      harness.When{After: time.Second},
		Policy:    faulty(record.Policy{Expect: record.ExpectMemory, Checks: calmFlags}),
	}
}

// pressed is how long streams keep coming: all in a container crawls while it is
// at its limit, and on a busy machine it takes seconds until the kernel has to
// kill. It must then still serve somebody.
const pressed = 8 * time.Second
