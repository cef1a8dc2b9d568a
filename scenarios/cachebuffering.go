package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// CacheBuffering puts a cache into the edge. Streams answer the same URI; an app
// that does not say no-store finds its answers served to others.
func CacheBuffering() harness.Scenario {
	return harness.Scenario{
		ID: "cache-buffering", Title: "Edge with a cache",
		Doc:       "Behind an edge that stores answers, each client gets a stream of its own, event by event; nothing is stored and served again.",
		Symptom:   "a stream arrives in one burst with another request's content",
		LookAlike: "an app that mixes up its requests: the same streams are fine in control",
		Edge:      stack.Edge{Form: stack.EdgeCache},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond},
		Load:      harness.Load{Duration: 3 * time.Second},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Expect: record.ExpectRepeated, Checks: []string{"buffered", "lingering"}},
	}
}
