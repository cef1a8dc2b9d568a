package harnesstest

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack/memory"
)

// InMemory runs f in a bubble of testing/synctest, with an opener of stacks in memory
// whose app is our own origin. A run on them takes no time but that of the CPU, and
// each thing happens at its exact time; the bubble waits for every goroutine that f
// leaves behind, and fails where one is stuck. t is the bubble's: f must use it, and
// neither Run nor Parallel of it.
func InMemory(t *testing.T, f func(t *testing.T, stacks *memory.Opener)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		// A bubble begins in the year 2000. The origin's stamps have as many digits as
		// today's Unix time in nanoseconds.
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		f(t, &memory.Opener{App: honest})
	})
}

// honest is a replica of our own origin.
func honest(int) http.Handler {
	s, err := origin.New(origin.Options{})
	if err != nil {
		panic(err) // the zero Options are good
	}
	return s
}
