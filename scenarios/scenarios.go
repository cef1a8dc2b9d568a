// Package scenarios is the catalogue: a file for each family, and in each scenario
// the sentence that says what it proves.
//
//  1. [Standard] is the suite that runs when nobody says otherwise; [Suites] are all.
//  2. [Execute] plays scenarios, judges and diagnoses the record, and writes the
//     reports.
//  3. [Run] does the same inside go test, one subtest a scenario.
package scenarios

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/record"
)

// Standard returns the standard suite: everything that any streaming endpoint
// should survive.
func Standard() []harness.Scenario {
	return []harness.Scenario{
		Control(), NotStreaming(), leftToTheEdge(Buffering()), ReadTimeout(), Latency(), Stall(), Cut(), WorkerKill(),
		Drain(),
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

// All returns the catalogue in the order in which it reads best, family by family.
func All() []harness.Scenario {
	var all []harness.Scenario
	for _, f := range families {
		all = append(all, f.list()...)
	}
	return all
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

// everyFlag are the flags that no stream may bear where nothing was done to it.
var everyFlag = []string{
	"late", "gappy", "buffered", "lingering", "ragged", "repeated terminal", "error then terminal", "unprovable",
}

// calmFlags are those that a fault on the way does not excuse.
var calmFlags = []string{"lingering", "repeated terminal", "error then terminal", "unprovable"}

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
