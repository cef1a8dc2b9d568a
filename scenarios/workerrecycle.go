package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// WorkerRecycle has workers stop after a number of streams, as gunicorn's
// max_requests does, and another take their place. gunicorn reads the variable
// where its command line sets no number of its own.
func WorkerRecycle() harness.Scenario {
	return harness.Scenario{
		ID: "worker-recycle", Title: "Workers recycled under load",
		Doc:       "A worker that has served its number of streams finishes those in flight before it goes, and new ones are served all the while.",
		Symptom:   "every so many requests a handful of streams is cut",
		LookAlike: "memory kills: nobody kills here, and the manager's log announces each end",
		Needs:     []string{"an app whose workers are recycled"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Workers:   2,
		Args:      []string{"--max-requests", "15"},
		Env:       []string{"GUNICORN_CMD_ARGS=--max-requests 15 --graceful-timeout 30"},
		Shape:     harness.Shape{Events: 20, Gap: 40 * time.Millisecond},
		Load:      harness.Load{Duration: 4 * time.Second},
		Policy:    record.Policy{GapLimit: 3 * time.Second, MinStreams: 2, Expect: record.ExpectRecycled, Checks: calmFlags},
	}
}
