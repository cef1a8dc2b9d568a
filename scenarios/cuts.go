package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// cuts are the scenarios in which connections are cut, swallowed or refused.
func cuts() []harness.Scenario {
	return []harness.Scenario{Cut(), Reset(), Fin(), Truncate(), Blackhole(), Partition(), Refused()}
}

// Cut resets and ends connections mid-body, on either side of the edge. The
// streams are lost; what must not happen is that a client takes one of them for
// a complete response.
func Cut() harness.Scenario {
	const after = 5
	var strikes fault.Strikes
	for _, link := range []string{stack.EdgeLink, stack.UpstreamLink} {
		for _, how := range []stack.Action{stack.RST, stack.FIN} {
			strikes = append(strikes, fault.Strike{Link: link, After: after, Action: how})
		}
	}
	return harness.Scenario{
		ID: "cut", Title: "Connections cut mid-body",
		Doc: "A connection that is reset or ended mid-body, on either side of the edge, never looks like a complete " +
			"response.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "an app that ends streams early: the relay's ledger says which streams it cut, and where",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 20, Gap: 50 * time.Millisecond},
		Fault:     strikes,
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}

// Reset resets connections mid-body, on either side of the edge.
func Reset() harness.Scenario {
	return harness.Scenario{
		ID: "reset", Title: "Connections reset mid-body",
		Doc: "A connection that is reset mid-body never looks like a complete response, and its slot is free for " +
			"others.",
		Symptom:   "streams are refused long after the resets",
		LookAlike: "a crash of the app: its process lives on, and its log says that clients left",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault: fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.RST},
			{Link: stack.UpstreamLink, After: 5, Action: stack.RST}},
		Policy: faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}

// Fin ends connections mid-body in an orderly way, on either side of the edge:
// no error reaches anybody, only the end comes too soon.
func Fin() harness.Scenario {
	return harness.Scenario{
		ID: "fin", Title: "Connections ended mid-body",
		Doc:       "A connection that ends in an orderly way mid-body never looks like a complete response.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "an app that ends streams early: the relay's ledger says which streams it ended, and where",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault: fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.FIN},
			{Link: stack.UpstreamLink, After: 5, Action: stack.FIN}},
		Policy: faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}

// Truncate ends connections inside an event, on either side of the edge.
func Truncate() harness.Scenario {
	return harness.Scenario{
		ID: "truncate", Title: "Connections ended inside an event",
		Doc: "A connection that ends inside an event never looks like a complete response, and half an event is " +
			"never delivered as one.",
		Symptom:   "the last event is half of one, and the stream ends like a success",
		LookAlike: "an app that writes half an event: the server's own checksum or the ledger of the relay tells",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Fault: fault.Strikes{{Link: stack.EdgeLink, After: 5, Action: stack.Truncate},
			{Link: stack.UpstreamLink, After: 5, Action: stack.Truncate}},
		Policy: faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}

// Blackhole swallows everything between app and edge, without a packet that says
// so. Only a timer can notice; the edge has one.
func Blackhole() harness.Scenario {
	return harness.Scenario{
		ID: "blackhole", Title: "Silence without a packet between edge and app",
		Doc: "When the path to the app goes silent without any message, the edge ends the stream within its read " +
			"timeout, so that clients can tell.",
		Symptom:   "streams hang until the client gives up",
		LookAlike: "an app that hangs: its heartbeats stop too, and its log says nothing; here it goes on writing",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: edgeReadTimeout},
		Fault:     fault.Strike{Link: stack.UpstreamLink, After: 5, Action: stack.Blackhole},
		Policy:    faulty(record.Policy{GapLimit: 2 * edgeReadTimeout, Kills: true, Checks: calmFlags}),
		Unscaled:  harness.Timers{ReadTimeout: patientReadTimeout, GapLimit: 2 * patientReadTimeout},
	}
}

// patientReadTimeout outlasts the first event of most answers.
const patientReadTimeout = 20 * time.Second

// Partition parts the edge from one of two replicas.
func Partition() harness.Scenario {
	return harness.Scenario{
		ID: "partition", Title: "Edge cut off from one replica",
		Doc: "When the edge cannot reach one replica, the streams there are cut so that clients can tell, those " +
			"elsewhere complete, and new ones go elsewhere.",
		Symptom:   "streams of one replica end like successes, or new ones wait for it",
		LookAlike: "a crash of the replica: its process lives on here, and it is fine again at once",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.UpstreamLink, One: true},
		When:      harness.When{Events: 3}, Hold: time.Second,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}

// Refused takes the way to the app down: what travels ends, and new connections
// are refused by the kernel until it is up again.
func Refused() harness.Scenario {
	return harness.Scenario{
		ID: "refused", Title: "Connections to the app refused",
		Doc: "While nothing listens where the edge looks for the app, new streams are refused with a status at once, " +
			"and soon after they are fine again.",
		Symptom:   "new streams hang, or are refused long after the app is back",
		LookAlike: "overload: an app that refuses by itself says so in its log, and its old streams go on",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.UpstreamLink},
		When:      harness.When{Events: 3}, Hold: 500 * time.Millisecond,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
