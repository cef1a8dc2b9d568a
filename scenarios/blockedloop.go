package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// BlockedLoop looks for one request that holds up all others of its process.
func BlockedLoop() harness.Scenario {
	return harness.Scenario{
		ID: "blocked-loop", Title: "One stream must not hold up the others",
		Doc:       "Streams of one process do not fall silent together: no handler blocks the event loop that serves them all.",
		Symptom:   "all streams of a process pause at the same moment, at different events, and go on together",
		LookAlike: "a slow model: unrelated streams would not pause at the same moment",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Ramp: 500 * time.Millisecond},
		Policy:    record.Policy{GapLimit: 1500 * time.Millisecond, MinStreams: 5, Expect: record.ExpectTogether, Checks: everyFlag},
	}
}
