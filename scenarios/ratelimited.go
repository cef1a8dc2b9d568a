package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// RateLimited lets only some streams through the edge at a time, and refuses the
// others with 429 while the first are in their body.
func RateLimited() harness.Scenario {
	return harness.Scenario{
		ID: "rate-limited", Title: "Limit on streams at the edge",
		Doc:       "Streams beyond the edge's limit are refused with 429 before they begin, and those within it are not disturbed.",
		Symptom:   "streams beyond the limit end early instead of being refused",
		LookAlike: "overload of the app: there the app refuses, with its own status",
		Needs:     []string{"nginx"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming, Conns: 6},
		Load:      harness.Load{Ramp: 500 * time.Millisecond},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Sheds: true, Expect: record.ExpectRefusals, Checks: calmFlags},
	}
}
