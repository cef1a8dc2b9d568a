package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// ClientAbort hangs up on half of the streams and asks the server whether it
// noticed.
func ClientAbort() harness.Scenario {
	return harness.Scenario{
		ID: "client-abort", Title: "Clients hang up mid-stream",
		Doc:       "When a client hangs up, the server stops producing for it, and the other streams are not disturbed.",
		Symptom:   "the app works for clients that have gone, and slows down for those that stay",
		LookAlike: "an edge that does not pass the hang-up on: asked directly, the app stops",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 200, Gap: 20 * time.Millisecond},
		Client:    harness.Client{Abort: harness.Abort{AfterEvents: 5}},
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Expect: record.ExpectAbort,
			Checks: append([]string{"leaked"}, calmFlags...)},
	}
}
