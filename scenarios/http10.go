package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// HTTP10Upstream makes the edge talk HTTP/1.0 to the app, as nginx did by default
// for twenty years. Such an answer ends with its connection and has no other end.
func HTTP10Upstream() harness.Scenario {
	return harness.Scenario{
		ID: "http10-upstream", Title: "Edge that talks HTTP/1.0 to the app",
		Doc:       "Over HTTP/1.0, without chunks, streams arrive event by event and complete, and one that the app cuts does not look whole.",
		Symptom:   "a stream that died in the app ends like a success: no terminal, no error",
		LookAlike: "an app that ends streams early by itself: asked directly, the same stream ends with an incomplete body",
		Edge:      stack.Edge{Form: stack.EdgeHTTP10},
		Shape:     harness.Shape{Events: 12, Gap: 50 * time.Millisecond},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Expect: record.ExpectPaced, Checks: everyFlag},
	}
}
