package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Fin ends connections mid-body in an orderly way, on either side of the edge:
// no error reaches anybody, only the end comes too soon.
func Fin() harness.Scenario {
	return harness.Scenario{
		ID: "fin", Title: "Connections ended mid-body",
		Doc:       "A connection that ends in an orderly way mid-body never looks like a complete response.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "an app that ends streams early: the relay's ledger says which streams it ended, and where",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault:     fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.FIN}, {Link: stack.UpstreamLink, After: 5, Action: stack.FIN}},
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}
