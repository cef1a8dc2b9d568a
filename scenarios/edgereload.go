package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// EdgeReload makes nginx read its configuration again under its streams.
func EdgeReload() harness.Scenario {
	return harness.Scenario{
		ID: "edge-reload", Title: "Edge reloaded mid-stream",
		Doc:       "When the edge reloads, streams in flight complete in its old workers, and new ones are served by the new.",
		Symptom:   "all streams are cut at the same time after a reload, and the app's log says that clients left",
		LookAlike: "clients that hang up: they do so at different times",
		Needs:     []string{"nginx"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Reload{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}
