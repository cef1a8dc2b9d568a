package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Jitter makes the way from the app to the edge irregular: events bunch up and
// spread out, and keep their order.
func Jitter() harness.Scenario {
	return harness.Scenario{
		ID: "jitter", Title: "Irregular delays between edge and app",
		Doc:       "When delays vary from packet to packet, streams continue, complete and in order, and no timer takes the bunching for silence.",
		Symptom:   "streams are cut although every event is on its way",
		LookAlike: "latency: there the first delay is the only one, and the gaps stay even",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 50, Gap: 50 * time.Millisecond},
		Fault:     fault.Jitter(stack.UpstreamLink, 600*time.Millisecond),
		When:      harness.When{Events: 3}, Hold: 1500 * time.Millisecond,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
