package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// SlowClose holds the end of connections back. Over HTTP/1.0 it is the only end
// that an answer has: the edge must wait for it, and the client with the edge.
func SlowClose() harness.Scenario {
	return harness.Scenario{
		ID: "slow-close", Title: "Connections that end late",
		Doc:       "An answer whose connection ends late is complete with its terminal event, and every connection does end.",
		Symptom:   "connections stay open after the answer and use up places",
		LookAlike: "an app that leaves connections open: that shows on the control streams too, and has no end",
		Edge:      stack.Edge{Form: stack.EdgeHTTP10},
		Fault:     fault.SlowClose(stack.UpstreamLink, time.Second),
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{GapLimit: 3 * time.Second, Checks: calmFlags}),
	}
}
