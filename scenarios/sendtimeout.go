package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// edgeSendTimeout is the edge's send timeout, scaled down from nginx's 60 s.
const edgeSendTimeout = time.Second

// SendTimeout has clients that take so little that the edge cannot send anything
// for longer than it will wait. They come straight to it: a link before it would
// take what they leave.
//
//	edge: 32 KB in its socket, a third of them must go before it sends again
//	client: 6 KB/s ─▶ 1.7 s between two writes, send_timeout 1 s
func SendTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "send-timeout", Title: "Clients slower than the edge's send timeout",
		Doc:       "A client that takes too little for the edge is cut so that it can tell, and the others are not disturbed.",
		Symptom:   "streams of slow clients end like successes, without their terminal",
		LookAlike: "proxy read timeout: there the app is silent, here the client",
		Needs:     []string{"nginx"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming, SendTimeout: edgeSendTimeout},
		Enter:     "nginx",
		Shape:     harness.Shape{Events: 60, Gap: 20 * time.Millisecond, Size: 4 << 10},
		Client:    harness.Client{Read: harness.Reading{Rate: 6 << 10, Buffer: 4 << 10}},
		Policy: record.Policy{GapLimit: 6 * edgeSendTimeout, MinStreams: 2, Kills: true, Expect: record.ExpectCut,
			Checks: []string{"repeated terminal", "error then terminal", "unprovable"}},
	}
}
