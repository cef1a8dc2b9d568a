package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// RollingDeploy replaces all replicas one by one while streams keep coming.
func RollingDeploy() harness.Scenario {
	return harness.Scenario{
		ID: "rolling-deploy", Title: "All replicas replaced, one by one",
		Doc:       "While all replicas are replaced one by one, streams in flight complete where they are, and new ones are served elsewhere.",
		Symptom:   "a deploy cuts the streams of each replica as it goes",
		LookAlike: "a crash: here each replica is asked to stop, and has the app's own grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 10 * time.Second},
		Fault:     fault.Deploy{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
