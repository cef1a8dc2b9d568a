package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// edgeSendTimeout is the edge's send timeout, scaled down from nginx's 60 s.
const edgeSendTimeout = time.Second

// SendTimeout holds everything back on the way to the client for longer than the
// edge will wait to send more. Unlike Stall it sends so much that the buffers on
// the way are full and the edge feels it.
func SendTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "send-timeout", Title: "Client that takes nothing for longer than the edge's send timeout",
		Doc:       "A client too slow for the edge is cut so that it can tell, and its place in the app is free for others.",
		Symptom:   "new streams are refused although the slow clients have gone",
		LookAlike: "proxy read timeout: there the app is silent, here the client",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, SendTimeout: edgeSendTimeout},
		Shape:     harness.Shape{Events: 60, Gap: 20 * time.Millisecond, Size: 64 << 10},
		Load:      harness.Load{Streams: 8},
		Fault:     fault.Strike{Link: stack.EdgeLink, After: 2, Action: stack.Hold, For: 3 * edgeSendTimeout},
		Policy:    faulty(record.Policy{GapLimit: 6 * edgeSendTimeout, Kills: true, Checks: calmFlags}),
	}
}
