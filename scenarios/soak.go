package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Soak sends many streams one after the other on many connections: faults that
// one stream in a hundred meets do not show in one wave.
func Soak() harness.Scenario {
	return harness.Scenario{
		ID: "soak", Title: "Many streams, for a while",
		Doc:       "Hundreds of streams, wave after wave, complete as the first ones did, so that rare failures are found too.",
		Symptom:   "one stream in fifty ends early, always another one",
		LookAlike: "a fault of the network: no fault is injected here, and the share stays the same however long it runs",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 10, Gap: 30 * time.Millisecond},
		Load:      harness.Load{Duration: 8 * time.Second},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 100, Checks: append([]string{"late", "gappy"}, calmFlags...)},
	}
}
