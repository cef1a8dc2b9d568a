package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Overload sends more streams at once than the app can serve.
func Overload() harness.Scenario {
	return harness.Scenario{
		ID: "overload", Title: "More streams than the app can serve",
		Doc:       "Above its capacity the app refuses with a status what it cannot serve, and finishes what it has let in.",
		Symptom:   "under load streams end early or hang, and nothing says that they were refused",
		LookAlike: "a limit of the edge: its refusals stand in its log, and the app never sees them",
		Needs:     []string{"an app with a limit on streams, below the load"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Args:      []string{"--capacity", "6"},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Sheds: true, Expect: record.ExpectRefusals, Checks: calmFlags},
	}
}
