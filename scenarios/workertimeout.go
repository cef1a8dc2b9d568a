package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// workerTimeout is the process manager's timeout, scaled down from gunicorn's
// 30 s; the silence is half as long again, and the stream longer still.
const workerTimeout = 2 * time.Second

// WorkerTimeout makes streams, and a silence in them, last longer than the time
// after which the app's process manager takes a worker for dead. gunicorn reads
// the variable where its command line sets no timeout of its own; an app without
// a process manager has nothing to fear.
func WorkerTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "worker-timeout", Title: "Streams longer than the process manager's timeout",
		Doc:       "A stream, and a silence in it, that last longer than the process manager's timeout do not get the worker killed.",
		Symptom:   "all streams of a worker end at the same moment, after the same time",
		LookAlike: "a read timeout of the edge: there the process lives on",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Env:       []string{"GUNICORN_CMD_ARGS=--timeout " + seconds(workerTimeout)},
		Shape: harness.Shape{Events: 16, Gap: 100 * time.Millisecond, PauseAt: 4, Pause: workerTimeout * 3 / 2,
			Heartbeat: workerTimeout / 4},
		Policy: record.Policy{GapLimit: 3 * workerTimeout, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: workerTimeout, Checks: calmFlags},
	}
}
