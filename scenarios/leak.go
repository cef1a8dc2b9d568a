package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

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
