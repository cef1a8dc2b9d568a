package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// edgeReadTimeout is the edge's read timeout, scaled down from the usual 60 s;
// the silence is half as long again.
const edgeReadTimeout = 2 * time.Second

// ReadTimeout makes the app think for longer than the edge will wait between
// two reads. An app that sends heartbeats lives through it.
func ReadTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "read-timeout", Title: "Silence longer than the edge's read timeout",
		Doc:       "A pause in content longer than the edge's read timeout does not cut the stream, because heartbeats carry it.",
		Symptom:   "streams are cut after the same silence each, inside a pause of the app",
		LookAlike: "a worker timeout: there the process dies, and its log says so",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: edgeReadTimeout},
		Shape: harness.Shape{Events: 8, Gap: 50 * time.Millisecond, PauseAt: 4, Pause: edgeReadTimeout * 3 / 2,
			Heartbeat: edgeReadTimeout / 4},
		Policy: record.Policy{GapLimit: 3 * edgeReadTimeout, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: edgeReadTimeout, Checks: calmFlags},
	}
}
