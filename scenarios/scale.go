package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// ScaleOut adds a replica while streams keep coming.
func ScaleOut() harness.Scenario {
	return harness.Scenario{
		ID: "scale-out", Title: "One replica added",
		Doc:       "When a replica joins, no stream in flight is disturbed, and those that the new one serves are as good as the others.",
		Symptom:   "a share of the new streams fails, always on the replica that has just come",
		LookAlike: "an overloaded app: the old replicas' streams are fine",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 4 * time.Second},
		Fault:     fault.ScaleOut{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// ScaleIn removes one of two replicas while streams keep coming.
func ScaleIn() harness.Scenario {
	return harness.Scenario{
		ID: "scale-in", Title: "One replica removed",
		Doc:       "When a replica leaves, its streams complete within the app's grace, and new ones are served by the others.",
		Symptom:   "an autoscaler cuts streams whenever the load goes down",
		LookAlike: "a crash: here the replica is asked to stop, and has the app's own grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 3 * time.Second},
		Fault:     fault.ScaleIn{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
