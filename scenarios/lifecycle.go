package scenarios

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// lifecycle are the scenarios in which processes stop, start, come and go.
func lifecycle() []harness.Scenario {
	return []harness.Scenario{Drain(), Crash(), Pause(), RollingDeploy(), ScaleOut(), ScaleIn(), EdgeReload(),
		WorkerRecycle(), Herd()}
}

// Drain stops the app as a deploy does.
func Drain() harness.Scenario {
	return harness.Scenario{
		ID: "drain", Title: "SIGTERM with grace",
		Doc:       "When the app is told to stop, streams in flight complete, and after the new start new ones are fine.",
		Symptom:   "a deploy cuts the streams that are in flight",
		LookAlike: "a crash: here the app is asked to stop, and has its grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Drain{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Refuses: true, Checks: calmFlags}),
	}
}

// Crash kills a replica as a whole, and starts it again.
func Crash() harness.Scenario {
	return harness.Scenario{
		ID: "crash", Title: "A replica is killed and started again",
		Doc: "When a replica dies at once, its streams are cut so that clients can tell, and new ones are fine again " +
			"soon after it is back.",
		Symptom:   "streams end like successes, without their terminal",
		LookAlike: "a deploy with too short a grace: there SIGTERM comes first",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Crash{},
		When:      harness.When{Events: 3}, Hold: 300 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}

// Pause freezes a replica for a while, as a long garbage collection, a snapshot or
// a starved host does.
func Pause() harness.Scenario {
	const hold = 1500 * time.Millisecond
	return harness.Scenario{
		ID: "pause", Title: "A replica frozen for a while",
		Doc: "A replica that is frozen and thawed continues where it was: no timer takes it for dead, and no stream " +
			"is lost.",
		Symptom:   "streams are cut while the replica is frozen",
		LookAlike: "a crash: the process and its connections live on here",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Pause{For: hold},
		When:      harness.When{Events: 3}, Hold: hold,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// RollingDeploy replaces all replicas one by one while streams keep coming.
func RollingDeploy() harness.Scenario {
	return harness.Scenario{
		ID: "rolling-deploy", Title: "All replicas replaced, one by one",
		Doc: "While all replicas are replaced one by one, streams in flight complete where they are, and new ones " +
			"are served elsewhere.",
		Symptom:   "a deploy cuts the streams of each replica as it goes",
		LookAlike: "a crash: here each replica is asked to stop, and has the app's own grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 10 * time.Second},
		Fault:     fault.Deploy{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// ScaleOut adds a replica while streams keep coming.
func ScaleOut() harness.Scenario {
	return harness.Scenario{
		ID: "scale-out", Title: "One replica added",
		Doc: "When a replica joins, no stream in flight is disturbed, and those that the new one serves are as good " +
			"as the others.",
		Symptom:   "a share of the new streams fails, always on the replica that has just come",
		LookAlike: "an overloaded app: the old replicas' streams are fine",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 30, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 4 * time.Second},
		Fault:     fault.ScaleOut{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// ScaleIn removes one of two replicas while streams keep coming.
func ScaleIn() harness.Scenario {
	return harness.Scenario{
		ID: "scale-in", Title: "One replica removed",
		Doc: "When a replica leaves, its streams complete within the app's grace, and new ones are served by the " +
			"others.",
		Symptom:   "an autoscaler cuts streams whenever the load goes down",
		LookAlike: "a crash: here the replica is asked to stop, and has the app's own grace",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Replicas:  2,
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Load:      harness.Load{Duration: 3 * time.Second},
		Fault:     fault.ScaleIn{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// EdgeReload makes nginx read its configuration again under its streams.
func EdgeReload() harness.Scenario {
	return harness.Scenario{
		ID: "edge-reload", Title: "Edge reloaded mid-stream",
		Doc: "When the edge reloads, streams in flight complete in its old workers, and new ones are served by " +
			"the new.",
		Symptom:   "all streams are cut at the same time after a reload, and the app's log says that clients left",
		LookAlike: "clients that hang up: they do so at different times",
		Needs:     []string{"nginx"},
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Reload{},
		When:      harness.When{Events: 3}, Hold: 100 * time.Millisecond,
		Share:  1,
		Policy: faulty(record.Policy{Checks: calmFlags}),
	}
}

// WorkerRecycle has workers stop after a number of streams, as gunicorn's
// max_requests does, and another take their place. gunicorn reads the variable
// where its command line sets no number of its own.
func WorkerRecycle() harness.Scenario {
	return harness.Scenario{
		ID: "worker-recycle", Title: "Workers recycled under load",
		Doc: "A worker that has served its number of streams finishes those in flight before it goes, and new ones " +
			"are served all the while.",
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

// Herd cuts all streams at once, and has all clients come back at the same
// moment.
func Herd() harness.Scenario {
	return harness.Scenario{
		ID: "herd", Title: "All clients reconnect at once",
		Doc:       "When all streams are cut and all clients come back at the same moment, they are served again soon.",
		Symptom:   "after a short fault of the network the app stays unreachable for long",
		LookAlike: "overload: the number of clients is the same as before the fault",
		Edge:      stack.Edge{Form: stack.EdgeStreaming},
		Shape:     harness.Shape{Events: 40, Gap: 50 * time.Millisecond},
		Fault:     fault.Down{Link: stack.EdgeLink},
		When:      harness.When{Events: 3}, Hold: 300 * time.Millisecond,
		Share:  1,
		Client: harness.Client{Reconnect: harness.Reconnect{Times: 5, Wait: 500 * time.Millisecond, Together: true}},
		Policy: faulty(record.Policy{Kills: true, Refuses: true, Checks: calmFlags}),
	}
}
