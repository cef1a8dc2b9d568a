package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// balancerIdle is a load balancer's idle timeout, scaled down from the usual 60 s.
const balancerIdle = 2 * time.Second

// IdleTimeout puts a load balancer before the edge that ends connections on which
// nothing moves, and makes the app think for longer than that.
func IdleTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "idle-timeout", Title: "Silence longer than a load balancer's idle timeout",
		Doc:       "A pause in content longer than the idle timeout before the edge does not cut the stream, because heartbeats carry it.",
		Symptom:   "streams are cut after the same silence each, and no log of edge or app says why",
		LookAlike: "proxy read timeout: that stands in the edge's error log",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, IdleTimeout: balancerIdle},
		Shape: harness.Shape{Events: 8, Gap: 50 * time.Millisecond, PauseAt: 4, Pause: balancerIdle * 3 / 2,
			Heartbeat: balancerIdle / 4},
		Policy: record.Policy{GapLimit: 3 * balancerIdle, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: balancerIdle, Checks: calmFlags},
	}
}
