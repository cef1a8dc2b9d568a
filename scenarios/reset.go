package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Reset resets connections mid-body, on either side of the edge.
func Reset() harness.Scenario {
	return harness.Scenario{
		ID: "reset", Title: "Connections reset mid-body",
		Doc:       "A connection that is reset mid-body never looks like a complete response, and its slot is free for others.",
		Symptom:   "streams are refused long after the resets",
		LookAlike: "a crash of the app: its process lives on, and its log says that clients left",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault:     fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.RST}, {Link: stack.UpstreamLink, After: 5, Action: stack.RST}},
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}
