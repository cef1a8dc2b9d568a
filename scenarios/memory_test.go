package scenarios_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/harnesstest"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack/memory"
	"github.com/streamproof/streamproof/harness/verdict"
)

// memoryTests is how the names of tests begin that play in memory: make test runs
// them by it, without the race detector, which does not bear their clock.
const memoryTests = "TestInMemory"

// inMemory plays o in memory, where it takes no time, and hands its report and its
// record to check.
func inMemory(t *testing.T, o harness.Options, check func(t *testing.T, r *verdict.Report, run *record.Run)) {
	t.Helper()
	if !strings.HasPrefix(t.Name(), memoryTests) {
		t.Fatalf("make test does not run %s in memory: its name must begin with %s", t.Name(), memoryTests)
	}
	if raceEnabled {
		t.Skip("runs without the race detector: make norace")
	}
	harnesstest.InMemory(t, func(t *testing.T, stacks *memory.Opener) {
		o.Opener, o.Dir = stacks, t.TempDir()+"/run"
		r := play(t, o)
		run, err := record.Open(o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, run)
	})
}

// inTime reports whether something took as long as it was to take, and no more than
// the clock that it ran on makes of it.
func inTime(took, want time.Duration) bool {
	return took >= want && took <= want+harnesstest.Slack
}
