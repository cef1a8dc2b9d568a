package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// SlowReader makes clients take less than the app writes. What they leave fills
// the buffers of every hop, until the app itself is made to wait.
func SlowReader() harness.Scenario {
	return harness.Scenario{
		ID: "slow-reader", Title: "Clients that read slowly",
		Doc:       "A client that takes less than the app writes gets everything in the end: hops and app wait for it, and drop nothing.",
		Symptom:   "events are missing on slow streams only, or memory grows with every slow client",
		LookAlike: "a slow app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 100, Gap: 5 * time.Millisecond, Size: 16 << 10},
		Load:      harness.Load{Streams: 8},
		Client:    harness.Client{Read: harness.Reading{Rate: 500 << 10, Buffer: 16 << 10}},
		Policy:    record.Policy{GapLimit: 5 * time.Second, MinStreams: 2, Expect: record.ExpectSlow, Checks: []string{"repeated terminal", "error then terminal", "unprovable"}},
	}
}
