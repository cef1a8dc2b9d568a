package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Cut resets and ends connections mid-body, on either side of the edge. The
// streams are lost; what must not happen is that a client takes one of them for
// a complete response.
func Cut() harness.Scenario {
	const after = 5
	var strikes fault.Strikes
	for _, link := range []string{stack.EdgeLink, stack.UpstreamLink} {
		for _, how := range []stack.Action{stack.RST, stack.FIN} {
			strikes = append(strikes, fault.Strike{Link: link, After: after, Action: how})
		}
	}
	return harness.Scenario{
		ID: "cut", Title: "Connections cut mid-body",
		Doc:       "A connection that is reset or ended mid-body, on either side of the edge, never looks like a complete response.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "an app that ends streams early: the relay's ledger says which streams it cut, and where",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 20, Gap: 50 * time.Millisecond},
		Fault:     strikes,
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}
