package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// KeepAliveRace resets the connection to the app at the moment at which the edge
// writes a request on it. That is what the edge meets when the app closes an idle
// connection just as it is used again; here it is certain instead of rare.
func KeepAliveRace() harness.Scenario {
	return harness.Scenario{
		ID: "keepalive-race", Title: "Upstream connection closed as it is reused",
		Doc:       "A request that meets a connection which the app has just closed is tried again or refused with a status, and never left hanging.",
		Symptom:   "now and then a 502 before the first event, with no trace in the app",
		LookAlike: "an app that crashes on requests: its log says so, and its other streams suffer",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, KeepAlive: 8},
		Fault:     fault.Strike{Link: stack.UpstreamLink, Action: stack.Refuse},
		Policy:    faulty(record.Policy{Checks: calmFlags}),
	}
}
