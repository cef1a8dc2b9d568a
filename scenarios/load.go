package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// load are the scenarios in which streams and clients are the fault themselves.
func load() []harness.Scenario {
	return []harness.Scenario{BlockedLoop(), ClientAbort(), Overload(), RateLimited()}
}

// BlockedLoop looks for one request that holds up all others of its process.
func BlockedLoop() harness.Scenario {
	return harness.Scenario{
		ID: "blocked-loop", Title: "One stream must not hold up the others",
		Doc: "Streams of one process do not fall silent together: no handler blocks the event loop that serves " +
			"them all.",
		Symptom:   "all streams of a process pause at the same moment, at different events, and go on together",
		LookAlike: "a slow model: unrelated streams would not pause at the same moment",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Ramp: 500 * time.Millisecond},
		Policy: record.Policy{GapLimit: 1500 * time.Millisecond, MinStreams: 5, Expect: record.ExpectTogether,
			Checks: everyFlag},
	}
}

// ClientAbort hangs up on half of the streams and asks the server whether it
// noticed.
func ClientAbort() harness.Scenario {
	return harness.Scenario{
		ID: "client-abort", Title: "Clients hang up mid-stream",
		Doc:       "When a client hangs up, the server stops producing for it, and the other streams are not disturbed.",
		Symptom:   "the app works for clients that have gone, and slows down for those that stay",
		LookAlike: "an edge that does not pass the hang-up on: asked directly, the app stops",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 200, Gap: 20 * time.Millisecond},
		Client:    harness.Client{Abort: harness.Abort{AfterEvents: 5}},
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Expect: record.ExpectAbort,
			Checks: append([]string{"leaked"}, calmFlags...)},
	}
}

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
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Sheds: true, Expect: record.ExpectRefusals,
			Checks: calmFlags},
	}
}

// RateLimited lets only some streams through the edge at a time, and refuses the
// others with 429 while the first are in their body.
func RateLimited() harness.Scenario {
	return harness.Scenario{
		ID: "rate-limited", Title: "Limit on streams at the edge",
		Doc: "Streams beyond the edge's limit are refused with 429 before they begin, and those within it are not " +
			"disturbed.",
		Symptom:   "streams beyond the limit end early instead of being refused",
		LookAlike: "overload of the app: there the app refuses, with its own status",
		Needs:     []string{"nginx"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming, Conns: 6},
		Load:      harness.Load{Ramp: 500 * time.Millisecond},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Policy: record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Sheds: true, Expect: record.ExpectRefusals,
			Checks: calmFlags},
	}
}
