package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// MemorySqueeze lowers the app's memory limit while it streams, as a node under
// pressure does.
func MemorySqueeze() harness.Scenario {
	return harness.Scenario{
		ID: "memory-squeeze", Title: "Memory limit lowered under load",
		Doc:       "With hardly any memory left, the app finishes its streams, or they are cut so that clients can tell, and with its memory back it is fine again.",
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
