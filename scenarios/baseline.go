package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// baseline are the scenarios without a fault: what fails here fails before any chaos.
func baseline() []harness.Scenario {
	return []harness.Scenario{Control(), Direct(), NotStreaming(), Soak()}
}

// Control sends streams and does nothing to them. What fails here is the app's
// or the edge's own, before any chaos.
func Control() harness.Scenario {
	return harness.Scenario{
		ID: "control", Title: "No fault",
		Doc:       "Without any fault, every stream completes, promptly and in order, and its connection ends.",
		Symptom:   "streams are cut, late or out of order before any chaos",
		LookAlike: "a fault of the edge: that shows here and not in direct",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Checks: everyFlag},
	}
}

// Direct is Control without anything between the clients and the app. What fails
// here is the app's own; what fails in Control alone is the chain's.
func Direct() harness.Scenario {
	return harness.Scenario{
		ID: "direct", Title: "No fault and no proxy",
		Doc: "Asked directly, without edge or link, the app completes every stream, promptly and in order, and ends " +
			"its connection.",
		Symptom:   "streams are cut, late or out of order although nothing stands between client and app",
		LookAlike: "an edge that cuts or buffers: that shows in control and not here",
		Edge:      stack.Edge{Form: stack.EdgeNone},
		Enter:     "app",
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 1, Checks: everyFlag},
	}
}

// NotStreaming asks for the same answers in one piece and compares the texts. It
// needs an app that answers a question twice alike.
func NotStreaming() harness.Scenario {
	return harness.Scenario{
		ID: "not-streaming", Title: "The same answer in one piece",
		Doc:       "What a stream says, event by event, is the text that the same question gets in one piece.",
		Symptom:   "the streamed text differs from the answer in one piece",
		LookAlike: "an app that answers each time anew: then both are right, and nothing is decided",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Policy:    record.Policy{MinStreams: 1, Expect: record.ExpectSameText, Checks: calmFlags},
	}
}

// Soak sends many streams one after the other on many connections: faults that
// one stream in a hundred meets do not show in one wave.
func Soak() harness.Scenario {
	return harness.Scenario{
		ID: "soak", Title: "Many streams, for a while",
		Doc: "Hundreds of streams, wave after wave, complete as the first ones did, so that rare failures are " +
			"found too.",
		Symptom:   "one stream in fifty ends early, always another one",
		LookAlike: "a fault of the network: no fault is injected here, and the share stays the same however long it runs",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 10, Gap: 30 * time.Millisecond},
		Load:      harness.Load{Duration: 8 * time.Second},
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 100,
			Checks: append([]string{"late", "gappy"}, calmFlags...)},
	}
}

// Peel sends the same small load to the app directly, through the upstream link,
// through the edge and through the whole chain, and compares. It stands outside
// of the catalogue: it looks for a cause, and a pass of it promises nothing under
// load. The edge is the app's own where it has one, or else nginx as most people
// run it; a server that already runs is met as it is.
func Peel(app harness.App) harness.Scenario {
	edge := stack.Edge{Form: stack.EdgeDefault}
	doc := "The same load, sent to every hop of the chain, gives the same result at each of them."
	switch {
	case app.URL != "":
		edge.Form = stack.EdgeNone
	case app.Edge == (stack.Edge{}):
		doc += " The edge is ours, nginx with its defaults, and stands in for yours: name yours in edge.nginx_conf, or " +
			"edge.form."
	}
	return harness.Scenario{
		ID: "peel", Title: "Layer by layer",
		Doc:    doc,
		Edge:   edge,
		Shape:  harness.Shape{Events: 12, Gap: 100 * time.Millisecond, Size: 16},
		Peel:   true,
		Policy: record.Policy{GapLimit: 5 * time.Second, MinStreams: 1, Checks: everyFlag},
	}
}
