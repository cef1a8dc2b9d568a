package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Latency slows the way from the app to the edge down mid-stream.
func Latency() harness.Scenario {
	return harness.Scenario{
		ID: "latency", Title: "Latency and jitter between edge and app",
		Doc:       "When the network between edge and app becomes slow mid-stream, streams continue, complete and in order.",
		Symptom:   "streams are cut when the network becomes slow",
		LookAlike: "a silent app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Latency(stack.UpstreamLink, time.Second, 50*time.Millisecond),
		When:      harness.When{Events: 3}, Hold: time.Second,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// Stall holds everything back on the way to the client, loses nothing, and lets
// go.
func Stall() harness.Scenario {
	const hold = 1500 * time.Millisecond
	return harness.Scenario{
		ID: "stall", Title: "Lossless stall on the way to the client",
		Doc:       "When the network holds everything back for a while and loses nothing, streams resume and complete.",
		Symptom:   "streams do not go on after the network does, or lose what was on its way",
		LookAlike: "a blackhole: that never lets go",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Stall(stack.EdgeLink, hold),
		When:      harness.When{Events: 3}, Hold: hold,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// faulty fills in what every scenario with a fault asks for.
func faulty(p record.Policy) record.Policy {
	p.MinStreams, p.MinInBody = 2, 1
	if p.GapLimit == 0 {
		p.GapLimit = 5 * time.Second
	}
	if p.Recovery == 0 {
		p.Recovery = 10 * time.Second
	}
	return p
}
