package scenarios

import (
	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

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
