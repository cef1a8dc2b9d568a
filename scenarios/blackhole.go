package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Blackhole swallows everything between app and edge, without a packet that says
// so. Only a timer can notice; the edge has one.
func Blackhole() harness.Scenario {
	return harness.Scenario{
		ID: "blackhole", Title: "Silence without a packet between edge and app",
		Doc:       "When the path to the app goes silent without any message, the edge ends the stream within its read timeout, so that clients can tell.",
		Symptom:   "streams hang until the client gives up",
		LookAlike: "an app that hangs: its heartbeats stop too, and its log says nothing; here it goes on writing",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: edgeReadTimeout},
		Fault:     fault.Strike{Link: stack.UpstreamLink, After: 5, Action: stack.Blackhole},
		Policy:    faulty(record.Policy{GapLimit: 2 * edgeReadTimeout, Kills: true, Checks: calmFlags}),
	}
}
