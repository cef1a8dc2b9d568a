package scenarios

import (
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// timeouts are the scenarios in which something is silent, or lasts, for longer than
// a timer on the way allows.
func timeouts() []harness.Scenario {
	return []harness.Scenario{ReadTimeout(), SendTimeout(), IdleTimeout(), Deadline(), WorkerTimeout(), KeepAliveRace()}
}

// edgeReadTimeout is the edge's read timeout, scaled down from the usual 60 s;
// the silence is half as long again.
const edgeReadTimeout = 2 * time.Second

// ReadTimeout makes the app think for longer than the edge will wait between
// two reads. An app that sends heartbeats lives through it.
func ReadTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "read-timeout", Title: "Silence longer than the edge's read timeout",
		Doc: "A pause in content longer than the edge's read timeout does not cut the stream, because heartbeats " +
			"carry it.",
		Symptom:   "streams are cut after the same silence each, inside a pause of the app",
		LookAlike: "a worker timeout: there the process dies, and its log says so",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, ReadTimeout: edgeReadTimeout},
		Shape: harness.Shape{Events: 8, Gap: 50 * time.Millisecond, PauseAt: 4, Pause: edgeReadTimeout * 3 / 2,
			Heartbeat: edgeReadTimeout / 4},
		Policy: record.Policy{GapLimit: 3 * edgeReadTimeout, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: edgeReadTimeout, Checks: calmFlags},
		Unscaled: harness.Timers{ReadTimeout: fullReadTimeout, Silence: fullReadTimeout},
	}
}

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
		Doc: "A client that takes too little for the edge is cut so that it can tell, and the others are not " +
			"disturbed.",
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

// balancerIdle is a load balancer's idle timeout, scaled down from the usual 60 s.
const balancerIdle = 2 * time.Second

// IdleTimeout puts a load balancer before the edge that ends connections on which
// nothing moves, and makes the app think for longer than that.
func IdleTimeout() harness.Scenario {
	return harness.Scenario{
		ID: "idle-timeout", Title: "Silence longer than a load balancer's idle timeout",
		Doc: "A pause in content longer than the idle timeout before the edge does not cut the stream, because " +
			"heartbeats carry it.",
		Symptom:   "streams are cut after the same silence each, and no log of edge or app says why",
		LookAlike: "proxy read timeout: that stands in the edge's error log",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, IdleTimeout: balancerIdle},
		Shape: harness.Shape{Events: 8, Gap: 50 * time.Millisecond, PauseAt: 4, Pause: balancerIdle * 3 / 2,
			Heartbeat: balancerIdle / 4},
		Policy: record.Policy{GapLimit: 3 * balancerIdle, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: balancerIdle, Checks: calmFlags},
		Unscaled: harness.Timers{IdleTimeout: fullBalancerIdle, Silence: fullBalancerIdle},
	}
}

// Deadline cuts streams at an age, however busy they are, as serverless platforms
// and total timeouts do. Heartbeats do not help.
func Deadline() harness.Scenario {
	return harness.Scenario{
		ID: "deadline", Title: "Absolute deadline between edge and app",
		Doc: "A stream that is cut at an absolute age, in the middle of its events, never looks like a complete " +
			"response.",
		Symptom:   "long answers end at the same age, like successes, without their terminal",
		LookAlike: "idle timeout: there the age differs and the silence before the end is the same",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Strike{Link: stack.UpstreamLink, Action: stack.FIN, Age: time.Second},
		Policy:    faulty(record.Policy{Kills: true, Checks: calmFlags}),
	}
}

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
		Doc: "A stream, and a silence in it, that last longer than the process manager's timeout do not get the " +
			"worker killed.",
		Symptom:   "all streams of a worker end at the same moment, after the same time",
		LookAlike: "a read timeout of the edge: there the process lives on",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Env:       gunicornTimeout(workerTimeout),
		Shape: harness.Shape{Events: 16, Gap: 100 * time.Millisecond, PauseAt: 4, Pause: workerTimeout * 3 / 2,
			Heartbeat: workerTimeout / 4},
		Policy: record.Policy{GapLimit: 3 * workerTimeout, MinStreams: 1, Expect: record.ExpectSilence,
			Silence: workerTimeout, Checks: calmFlags},
		Unscaled: harness.Timers{Env: gunicornTimeout(fullWorkerTimeout), Silence: fullWorkerTimeout},
	}
}

func gunicornTimeout(d time.Duration) []string {
	return []string{"GUNICORN_CMD_ARGS=--timeout " + seconds(d)}
}

// KeepAliveRace resets the connection to the app at the moment at which the edge
// writes a request on it. That is what the edge meets when the app closes an idle
// connection just as it is used again; here it is certain instead of rare.
func KeepAliveRace() harness.Scenario {
	return harness.Scenario{
		ID: "keepalive-race", Title: "Upstream connection closed as it is reused",
		Doc: "A request that meets a connection which the app has just closed is tried again or refused with a " +
			"status, and never left hanging.",
		Symptom:   "now and then a 502 before the first event, with no trace in the app",
		LookAlike: "an app that crashes on requests: its log says so, and its other streams suffer",
		Edge:      stack.Edge{Form: stack.EdgeStreaming, KeepAlive: 8},
		Fault:     fault.Strike{Link: stack.UpstreamLink, Action: stack.Refuse},
		Policy:    faulty(record.Policy{Checks: calmFlags}),
	}
}

// seconds writes whole seconds as command lines want them.
func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
