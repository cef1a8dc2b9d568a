package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Bandwidth narrows the way from the app to the edge to less than the streams
// need, and widens it again.
func Bandwidth() harness.Scenario {
	return harness.Scenario{
		ID: "bandwidth", Title: "Less bandwidth than the streams need",
		Doc:       "When the network carries less than the app writes, streams fall behind, lose nothing, and catch up.",
		Symptom:   "events are missing, or the stream is cut while it is slow",
		LookAlike: "a slow app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond, Size: 2048},
		Fault:     fault.Bandwidth(stack.UpstreamLink, 2, 700*time.Millisecond),
		When:      harness.When{Events: 3}, Hold: 1500 * time.Millisecond,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
