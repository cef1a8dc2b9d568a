package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Refused takes the way to the app down: what travels ends, and new connections
// are refused by the kernel until it is up again.
func Refused() harness.Scenario {
	return harness.Scenario{
		ID: "refused", Title: "Connections to the app refused",
		Doc:       "While nothing listens where the edge looks for the app, new streams are refused with a status at once, and soon after they are fine again.",
		Symptom:   "new streams hang, or are refused long after the app is back",
		LookAlike: "overload: an app that refuses by itself says so in its log, and its old streams go on",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.UpstreamLink},
		When:      harness.When{Events: 3}, Hold: 500 * time.Millisecond,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
