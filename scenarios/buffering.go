package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Buffering puts the app behind an edge as most people run it and sends small,
// slow events: an edge that collects them until its buffer is full turns a
// stream into one late answer.
func Buffering() harness.Scenario {
	return harness.Scenario{
		ID: "buffering", Title: "Edge with its defaults",
		Doc:       "Behind nginx with its default upstream (HTTP/1.0, buffering on), small slow events still arrive one by one.",
		Symptom:   "the complete response arrives at its end, or in a few bursts",
		LookAlike: "an app that writes in bursts by itself: it does so in direct, too, and its own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeDefault},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond, Size: 16},
		Policy:    record.Policy{GapLimit: 5 * time.Second, MinStreams: 1, Expect: record.ExpectPaced, Checks: []string{"buffered", "lingering"}},
	}
}

// GzipBuffering is Buffering with compression at the edge, which holds events
// in its window.
func GzipBuffering() harness.Scenario {
	s := Buffering()
	s.ID, s.Title = "gzip-buffering", "Edge with its defaults and gzip"
	s.Doc = "Behind nginx with default upstream and gzip for event streams, small slow events still arrive one by one."
	s.LookAlike = "buffering by the edge without compression: that shows in buffering too"
	s.Edge.Form = stack.EdgeGzip
	s.Headers = map[string]string{"Accept-Encoding": "gzip"}
	s.Policy.Expect = record.ExpectCompressed
	return s
}
