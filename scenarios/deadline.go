package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Deadline cuts streams at an age, however busy they are, as serverless platforms
// and total timeouts do. Heartbeats do not help.
func Deadline() harness.Scenario {
	return harness.Scenario{
		ID: "deadline", Title: "Absolute deadline between edge and app",
		Doc:       "A stream that is cut at an absolute age, in the middle of its events, never looks like a complete response.",
		Symptom:   "long answers end at the same age, like successes, without their terminal",
		LookAlike: "idle timeout: there the age differs and the silence before the end is the same",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Strike{Link: stack.UpstreamLink, Action: stack.FIN, Age: time.Second},
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}
