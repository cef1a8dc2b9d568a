package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Direct is Control without anything between the clients and the app. What fails
// here is the app's own; what fails in Control alone is the chain's.
func Direct() harness.Scenario {
	return harness.Scenario{
		ID: "direct", Title: "No fault and no proxy",
		Doc:       "Asked directly, without edge or link, the app completes every stream, promptly and in order, and ends its connection.",
		Symptom:   "streams are cut, late or out of order although nothing stands between client and app",
		LookAlike: "an edge that cuts or buffers: that shows in control and not here",
		Edge:      stack.Edge{Form: stack.EdgeNone},
		Enter:     "app",
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Checks: everyFlag},
	}
}
