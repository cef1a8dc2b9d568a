package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Truncate ends connections inside an event, on either side of the edge.
func Truncate() harness.Scenario {
	return harness.Scenario{
		ID: "truncate", Title: "Connections ended inside an event",
		Doc:       "A connection that ends inside an event never looks like a complete response, and half an event is never delivered as one.",
		Symptom:   "the last event is half of one, and the stream ends like a success",
		LookAlike: "an app that writes half an event: the server's own checksum or the ledger of the relay tells",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault:     fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.Truncate}, {Link: stack.UpstreamLink, After: 5, Action: stack.Truncate}},
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}
