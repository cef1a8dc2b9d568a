package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Control sends streams and does nothing to them. What fails here is the app's
// or the edge's own, before any chaos.
func Control() harness.Scenario {
	return harness.Scenario{
		ID: "control", Title: "No fault",
		Doc:       "Without any fault, every stream completes, promptly and in order, and its connection ends.",
		Symptom:   "streams are cut, late or out of order before any chaos",
		LookAlike: "a fault of the edge: that shows here and not in direct",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Checks: everyFlag},
	}
}

// everyFlag are the flags that no stream may bear where nothing was done to it.
var everyFlag = []string{"late", "gappy", "buffered", "lingering", "ragged", "repeated terminal", "error then terminal", "unprovable"}

// calmFlags are those that a fault on the way does not excuse.
var calmFlags = []string{"lingering", "repeated terminal", "error then terminal", "unprovable"}
