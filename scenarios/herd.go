package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Herd cuts all streams at once, and has all clients come back at the same
// moment.
func Herd() harness.Scenario {
	return harness.Scenario{
		ID: "herd", Title: "All clients reconnect at once",
		Doc:       "When all streams are cut and all clients come back at the same moment, they are served again soon.",
		Symptom:   "after a short fault of the network the app stays unreachable for long",
		LookAlike: "overload: the number of clients is the same as before the fault",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.EdgeLink},
		When:      harness.When{Events: 3}, Hold: 300 * time.Millisecond,
		Share:  1,
		Client: harness.Client{Reconnect: harness.Reconnect{Times: 5, Wait: 500 * time.Millisecond, Together: true}},
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
