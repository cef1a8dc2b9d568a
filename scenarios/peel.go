package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

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
		doc += " The edge is ours, nginx with its defaults, and stands in for yours: name yours in edge.nginx_conf, or edge.form."
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
