package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// SlowStart delays requests on their way to the app: the connection stands, and
// nothing comes for a while.
func SlowStart() harness.Scenario {
	return harness.Scenario{
		ID: "slow-start", Title: "Slow start between edge and app",
		Doc:       "A stream whose request reaches the app late starts late and is whole: no timer gives up on it first.",
		Symptom:   "first events later than the network explains",
		LookAlike: "an app that is slow to its first event: that shows on the control streams too",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault:     fault.SlowStart(stack.UpstreamLink, 800*time.Millisecond),
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{GapLimit: 3 * time.Second, Checks: append([]string{"late"}, calmFlags...)}),
	}
}
