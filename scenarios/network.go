package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// network are the scenarios in which the network is slow and loses nothing.
func network() []harness.Scenario {
	return []harness.Scenario{Latency(), Jitter(), Bandwidth(), Stall(), SlowStart(), SlowClose()}
}

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

// Jitter makes the way from the app to the edge irregular: events bunch up and
// spread out, and keep their order.
func Jitter() harness.Scenario {
	return harness.Scenario{
		ID: "jitter", Title: "Irregular delays between edge and app",
		Doc: "When delays vary from packet to packet, streams continue, complete and in order, and no timer takes " +
			"the bunching for silence.",
		Symptom:   "streams are cut although every event is on its way",
		LookAlike: "latency: there the first delay is the only one, and the gaps stay even",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 50, Gap: 50 * time.Millisecond},
		Fault:     fault.Jitter(stack.UpstreamLink, 600*time.Millisecond),
		When:      harness.When{Events: 3}, Hold: 1500 * time.Millisecond,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// Bandwidth narrows the way from the app to the edge to less than the streams
// need, and widens it again.
func Bandwidth() harness.Scenario {
	return harness.Scenario{
		ID: "bandwidth", Title: "Less bandwidth than the streams need",
		Doc:       "When the network carries less than the app writes, streams fall behind, lose nothing, and catch up.",
		Symptom:   "events are missing, or the stream is cut while it is slow",
		LookAlike: "a slow app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond, Size: 2048},
		Fault:     fault.Bandwidth(stack.UpstreamLink, 2, 700*time.Millisecond),
		When:      harness.When{Events: 3}, Hold: 1500 * time.Millisecond,
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

// SlowStart delays requests on their way to the app: the connection stands, and
// nothing comes for a while.
func SlowStart() harness.Scenario {
	return harness.Scenario{
		ID: "slow-start", Title: "Slow start between edge and app",
		Doc:       "A stream whose request reaches the app late starts late and is whole: no timer gives up on it first.",
		Symptom:   "first events later than the network explains",
		LookAlike: "an app that is slow to its first event: that shows on the control streams too",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault:     fault.SlowStart(stack.UpstreamLink, 800*time.Millisecond),
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{GapLimit: 3 * time.Second, Checks: append([]string{"late"}, calmFlags...)}),
	}
}

// SlowClose holds the end of connections back. Over HTTP/1.0 it is the only end
// that an answer has: the edge must wait for it, and the client with the edge.
func SlowClose() harness.Scenario {
	return harness.Scenario{
		ID: "slow-close", Title: "Connections that end late",
		Doc:       "An answer whose connection ends late is complete with its terminal event, and every connection does end.",
		Symptom:   "connections stay open after the answer and use up places",
		LookAlike: "an app that leaves connections open: that shows on the control streams too, and has no end",
		Edge:      stack.Edge{Form: stack.EdgeHTTP10},
		Fault:     fault.SlowClose(stack.UpstreamLink, time.Second),
		When:      harness.When{Events: 2},
		Policy:    faulty(record.Policy{GapLimit: 3 * time.Second, Checks: calmFlags}),
	}
}
