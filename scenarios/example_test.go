package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

// A scenario of one's own: the network holds everything back twice, the second
// time together with more latency, and every stream still completes.
func ExampleExecute() {
	dir, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(dir)
	const hold = 300 * time.Millisecond
	weather := harness.Scenario{
		ID: "weather", Title: "A rough network", Edge: stack.Edge{Form: stack.EdgeNone},
		Shape: harness.Shape{Events: 60, Gap: 25 * time.Millisecond},
		When:  harness.When{Events: 3},
		Fault: fault.Sequence{
			fault.Timed{Fault: fault.Stall(stack.EdgeLink, hold), Hold: hold},
			fault.Timed{Fault: fault.All{fault.Stall(stack.EdgeLink, hold), fault.Latency(stack.EdgeLink, hold, 0)}, Hold: hold},
		},
		Hold:   time.Millisecond,
		Policy: record.Policy{MinInBody: 1, Recovery: 10 * time.Second},
	}
	report, err := scenarios.Execute(context.Background(), harness.Options{Scenarios: []harness.Scenario{weather},
		Load: harness.Load{Streams: 8}, Seed: 1, Dir: filepath.Join(dir, "run")})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(report.Verdict, report.Scenarios[0].ID)
	// Output: pass weather
}
