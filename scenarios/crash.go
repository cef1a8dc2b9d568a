package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Crash kills a replica as a whole, and starts it again.
func Crash() harness.Scenario {
	return harness.Scenario{
		ID: "crash", Title: "A replica is killed and started again",
		Doc:       "When a replica dies at once, its streams are cut so that clients can tell, and new ones are fine again soon after it is back.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "a deploy with too short a grace: there SIGTERM comes first",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Crash{},
		When:      harness.When{Events: 3}, Hold: 300 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
