package shrunk_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/scenarios"
)

// A comment.
func TestShrunk(t *testing.T) {
	scenarios.RunOptions(t, harness.Options{
		Scenarios: []harness.Scenario{{
			ID:    "before",
			Fault: fault.Strikes{{Link: "upstream", Action: "fin"}, {Link: "upstream", After: 1, Action: "rst"}},
		}, {
			ID:    "bad",
			Shape: harness.Shape{Events: 100},
			Fault: fault.Sequence{fault.Timed{
				Fault: fault.Latency("edge", 1*time.Second, 0),
				Hold:  1 * time.Second,
			}, fault.All{fault.Strike{Link: "edge", After: 3, Action: "rst"}, fault.Pause{For: 4 * time.Second}}},
			Hold: 4 * time.Second,
			Client: harness.Client{
				Retry: harness.Retry{Times: 2},
			},
		}, {
			ID:    "after",
			Fault: fault.All{fault.SlowStart("edge", 1*time.Second), fault.Slices("edge", 8), fault.SlowClose("edge", 1*time.Second), fault.Jitter("edge", 1*time.Second), fault.Bandwidth("edge", 10, 1*time.Second), fault.Stall("edge", 1*time.Second), fault.KillWorker{}},
		}},
		Load: harness.Load{Streams: 200, Duration: 30 * time.Second},
		Seed: 7,
		SLO:  "complete >= 99%",
	})
}
