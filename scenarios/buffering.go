package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// buffering are the scenarios in which a hop may hold events back, or split them.
func buffering() []harness.Scenario {
	return []harness.Scenario{Buffering(), GzipBuffering(), CacheBuffering(), HTTP10Upstream(), MiddlewareBuffering(),
		TinyPackets()}
}

// Buffering puts the app behind an edge as most people run it and sends small,
// slow events: an edge that collects them until its buffer is full turns a
// stream into one late answer.
func Buffering() harness.Scenario {
	return harness.Scenario{
		ID: "buffering", Title: "Edge with its defaults",
		Doc: "Behind nginx with its default upstream (HTTP/1.0, buffering on), small slow events still arrive one " +
			"by one.",
		Symptom:   "the complete response arrives at its end, or in a few bursts",
		LookAlike: "an app that writes in bursts by itself: it does so in direct, too, and its own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeDefault},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond, Size: 16},
		Policy: record.Policy{GapLimit: 5 * time.Second, MinStreams: 1, Expect: record.ExpectPaced,
			Checks: []string{"buffered", "lingering"}},
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

// CacheBuffering puts a cache into the edge. Streams answer the same URI; an app
// that does not say no-store finds its answers served to others.
func CacheBuffering() harness.Scenario {
	return harness.Scenario{
		ID: "cache-buffering", Title: "Edge with a cache",
		Doc: "Behind an edge that stores answers, each client gets a stream of its own, event by event; nothing is " +
			"stored and served again.",
		Symptom:   "a stream arrives in one burst with another request's content",
		LookAlike: "an app that mixes up its requests: the same streams are fine in control",
		Edge:      stack.Edge{Form: stack.EdgeCache},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond},
		Load:      harness.Load{Duration: 3 * time.Second},
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Expect: record.ExpectRepeated,
			Checks: []string{"buffered", "lingering"}},
	}
}

// HTTP10Upstream makes the edge talk HTTP/1.0 to the app, as nginx did by default
// for twenty years. Such an answer ends with its connection and has no other end.
func HTTP10Upstream() harness.Scenario {
	return harness.Scenario{
		ID: "http10-upstream", Title: "Edge that talks HTTP/1.0 to the app",
		Doc: "Over HTTP/1.0, without chunks, streams arrive event by event and complete, and one that the app cuts " +
			"does not look whole.",
		Symptom:   "a stream that died in the app ends like a success: no terminal, no error",
		LookAlike: "an app that ends streams early by itself: asked directly, the same stream ends with an incomplete body",
		Edge:      stack.Edge{Form: stack.EdgeHTTP10},
		Shape:     harness.Shape{Events: 12, Gap: 50 * time.Millisecond},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Expect: record.ExpectPaced, Checks: everyFlag},
	}
}

// MiddlewareBuffering asks the app directly, as a browser does, for events large
// enough to be worth compressing: a middleware that joins the body, for its
// length or for gzip, shows here without any edge to blame.
func MiddlewareBuffering() harness.Scenario {
	return harness.Scenario{
		ID: "middleware-buffering", Title: "Middleware of the app",
		Doc: "Asked directly and with Accept-Encoding: gzip, the app sends event by event: none of its middleware " +
			"collects the answer.",
		Symptom:   "the complete response arrives at its end, in one burst",
		LookAlike: "buffering by the edge: there is no edge in this scenario",
		Edge:      stack.Edge{Form: stack.EdgeNone},
		Enter:     "app",
		Headers:   map[string]string{"Accept-Encoding": "gzip"},
		Shape:     harness.Shape{Events: 12, Gap: 100 * time.Millisecond, Size: 600},
		Policy: record.Policy{GapLimit: 5 * time.Second, MinStreams: 1, Expect: record.ExpectPaced,
			Checks: []string{"buffered", "lingering"}},
	}
}

// TinyPackets cuts what travels into packets of a few bytes, on both sides of the
// edge: frames are split inside a line and inside a character.
func TinyPackets() harness.Scenario {
	const size = 7
	return harness.Scenario{
		ID: "tiny-packets", Title: "Packets of a few bytes",
		Doc:       "Frames that arrive in packets of a few bytes, split inside lines and inside UTF-8, are the same frames.",
		Symptom:   "single characters are lost or replaced",
		LookAlike: "content that the app itself corrupts: that shows on the control streams too",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 20, Gap: 50 * time.Millisecond},
		Fault:     fault.All{fault.Slices(stack.EdgeLink, size), fault.Slices(stack.UpstreamLink, size)},
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{Checks: calmFlags}),
	}
}
