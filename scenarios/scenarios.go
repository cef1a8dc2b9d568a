// Package scenarios is the catalogue: one file, one scenario, with the sentence
// that says what it proves.
//
//  1. [Standard] is the suite that runs when nobody says otherwise.
//  2. [Execute] plays scenarios, judges and diagnoses the record, and writes the
//     reports.
//  3. [Run] does the same inside go test, one subtest a scenario.
package scenarios

import (
	"slices"

	"github.com/streamproof/streamproof/harness"
)

// Standard returns the standard suite: everything that any streaming endpoint
// should survive.
func Standard() []harness.Scenario {
	return []harness.Scenario{
		Control(), NotStreaming(), leftToTheEdge(Buffering()), ReadTimeout(), Latency(), Stall(), Cut(), WorkerKill(), Drain(),
	}
}

// leftToTheEdge has s hold what an edge of ours does to an app against the app only
// where the user named the edge, the scenario or a requirement: most apps leave it
// to their edge not to buffer, and theirs may well not.
func leftToTheEdge(s harness.Scenario) harness.Scenario {
	s.Policy.LeftToEdge = true
	return s
}

// Require makes scenarios obligatory: one that the app, or this machine, cannot
// play is then inconclusive, and fails a test, instead of being passed over.
func Require(list ...harness.Scenario) []harness.Scenario {
	list = slices.Clone(list)
	for i := range list {
		list[i].Required = true
	}
	return list
}

// All returns the catalogue in the order in which it reads best.
func All() []harness.Scenario {
	return slices.Concat(
		[]harness.Scenario{Control(), Direct(), NotStreaming(), Soak()},
		[]harness.Scenario{Buffering(), GzipBuffering(), CacheBuffering(), HTTP10Upstream(), MiddlewareBuffering(), TinyPackets()},
		[]harness.Scenario{ReadTimeout(), SendTimeout(), IdleTimeout(), Deadline(), WorkerTimeout(), KeepAliveRace()},
		[]harness.Scenario{Latency(), Jitter(), Bandwidth(), Stall(), SlowStart(), SlowClose()},
		[]harness.Scenario{Cut(), Reset(), Fin(), Truncate(), Blackhole(), Partition(), Refused()},
		[]harness.Scenario{MemoryKill(), MemoryKillContainer(), WorkerKill(), LaunderedKill(), MemorySqueeze(), SlowReader(), Leak()},
		[]harness.Scenario{Drain(), Crash(), Pause(), RollingDeploy(), ScaleOut(), ScaleIn(), EdgeReload(), WorkerRecycle(), Herd()},
		[]harness.Scenario{BlockedLoop(), ClientAbort(), Overload(), RateLimited()},
	)
}

// Lookup finds a scenario by its ID.
func Lookup(id string) (harness.Scenario, bool) {
	for _, s := range All() {
		if s.ID == id {
			return s, true
		}
	}
	return harness.Scenario{}, false
}
