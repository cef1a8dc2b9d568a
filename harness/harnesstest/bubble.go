package harnesstest

import (
	"net/http"
	"testing"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack/memory"
)

// InMemory runs f in a bubble of testing/synctest, with an opener of stacks in memory
// whose app is our own origin. A run on them takes no time but that of the CPU, and
// each thing happens at its exact time; the bubble waits for every goroutine that f
// leaves behind, and fails where one is stuck. t is the bubble's: f must use it, and
// neither Run nor Parallel of it. With the race detector there is no bubble, and a run
// takes its time.
func InMemory(t *testing.T, f func(t *testing.T, stacks *memory.Opener)) {
	t.Helper()
	onClock(t, func(t *testing.T) { f(t, &memory.Opener{App: honest}) })
}

// honest is a replica of our own origin.
func honest(int) http.Handler {
	s, err := origin.New(origin.Options{})
	if err != nil {
		panic(err) // the zero Options are good
	}
	return s
}
