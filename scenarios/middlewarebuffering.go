package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// MiddlewareBuffering asks the app directly, as a browser does, for events large
// enough to be worth compressing: a middleware that joins the body, for its
// length or for gzip, shows here without any edge to blame.
func MiddlewareBuffering() harness.Scenario {
	return harness.Scenario{
		ID: "middleware-buffering", Title: "Middleware of the app",
		Doc:       "Asked directly and with Accept-Encoding: gzip, the app sends event by event: none of its middleware collects the answer.",
		Symptom:   "the complete response arrives at its end, in one burst",
		LookAlike: "buffering by the edge: there is no edge in this scenario",
		Edge:      stack.Edge{Form: stack.EdgeNone},
		Enter:     "app",
		Headers:   map[string]string{"Accept-Encoding": "gzip"},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond, Size: 600},
		Policy:    record.Policy{GapLimit: 5 * time.Second, MinStreams: 1, Expect: record.ExpectPaced, Checks: []string{"buffered", "lingering"}},
	}
}
