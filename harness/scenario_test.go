package harness

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/stack"
)

func TestLinksStandOnlyWhereAScenarioActsOnThem(t *testing.T) {
	slow := fault.Latency(stack.EdgeLink, time.Second, 0)
	inner := fault.Latency(stack.UpstreamLink, time.Second, 0)
	streaming := stack.Edge{Form: stack.EdgeStreaming}
	for name, tc := range map[string]struct {
		scenario Scenario
		bare     string
	}{
		"no fault":               {Scenario{Edge: streaming}, "edge upstream"},
		"clients":                {Scenario{Edge: streaming, Client: Client{Abort: Abort{AfterEvents: 1}}}, "edge upstream"},
		"a process":              {Scenario{Edge: streaming, Fault: fault.Crash{}}, "edge upstream"},
		"the outer link":         {Scenario{Edge: streaming, Fault: slow}, "upstream"},
		"the inner link":         {Scenario{Edge: streaming, Fault: inner}, "edge"},
		"the only link":          {Scenario{Edge: stack.Edge{Form: stack.EdgeNone}, Fault: inner}, ""},
		"one of several":         {Scenario{Edge: streaming, Fault: fault.Strike{Link: "upstream[1]"}}, "edge"},
		"peel compares the hops": {Scenario{Edge: streaming, Peel: true}, ""},
	} {
		if got := strings.Join(tc.scenario.UnusedLinks(), " "); got != tc.bare {
			t.Errorf("%s: leaves out %q, want %q", name, got, tc.bare)
		}
	}
}
