package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Partition parts the edge from one of two replicas.
func Partition() harness.Scenario {
	return harness.Scenario{
		ID: "partition", Title: "Edge cut off from one replica",
		Doc:       "When the edge cannot reach one replica, the streams there are cut so that clients can tell, those elsewhere complete, and new ones go elsewhere.",
		Symptom:   "streams of one replica end like successes, or new ones wait for it",
		LookAlike: "a crash of the replica: its process lives on here, and it is fine again at once",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.UpstreamLink, One: true},
		When:      harness.When{Events: 3}, Hold: time.Second,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
