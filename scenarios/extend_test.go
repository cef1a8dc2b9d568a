package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

func TestPage(t *testing.T) { page.Agrees(t, "README.md", "extend_test.go") }

// nothing is the smallest scenario: streams to which nothing is done, and which
// must be whole.
var nothing = harness.Scenario{ID: "nothing", Title: "Nothing is done"}

// brownout slows the network down, then holds everything back for a moment.
func brownout() harness.Scenario {
	const hold = 300 * time.Millisecond
	return harness.Scenario{
		ID: "brownout", Title: "A slow network that stalls",
		Doc:       "When the network becomes slow and then stops for a moment, streams continue, complete and in order.",
		Symptom:   "streams are cut, or lose what was on its way",
		LookAlike: "a silent app: the server's own stamps say when it wrote",
		Edge:      stack.Edge{Form: stack.EdgeNone},
		Shape:     harness.Shape{Events: 60, Gap: 25 * time.Millisecond},
		When:      harness.When{Events: 3}, // every victim has 3 events
		Fault: fault.Sequence{
			fault.Timed{Fault: fault.Latency(stack.EdgeLink, hold, 0), Hold: hold},
			fault.Timed{Fault: fault.Stall(stack.EdgeLink, hold), Hold: hold},
		},
		Policy: record.Policy{MinInBody: 1, Recovery: 10 * time.Second, Checks: []string{"lingering", "repeated terminal"}},
	}
}

func Example_scenario() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	report, err := scenarios.Execute(context.Background(), harness.Options{Dir: filepath.Join(dir, "run"), Seed: 1,
		Load: harness.Load{Streams: 4}, Scenarios: []harness.Scenario{nothing, brownout()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range report.Scenarios {
		fmt.Println(s.ID, s.Verdict)
	}
	// Output:
	// nothing pass
	// brownout pass
}
