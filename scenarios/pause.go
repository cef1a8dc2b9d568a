package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Pause freezes a replica for a while, as a long garbage collection, a snapshot or
// a starved host does.
func Pause() harness.Scenario {
	const hold = 1500 * time.Millisecond
	return harness.Scenario{
		ID: "pause", Title: "A replica frozen for a while",
		Doc:       "A replica that is frozen and thawed continues where it was: no timer takes it for dead, and no stream is lost.",
		Symptom:   "streams are cut while the replica is frozen",
		LookAlike: "a crash: the process and its connections live on here",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Pause{For: hold},
		When:      harness.When{Events: 3}, Hold: hold,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
