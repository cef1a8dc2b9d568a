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

func TestOnlyARelayStandsWhereAScenarioOnlyStrikes(t *testing.T) {
	slow := fault.Latency(stack.EdgeLink, time.Second, 0)
	cut := fault.Strike{Link: stack.EdgeLink, Action: stack.RST}
	inner := fault.Strike{Link: stack.UpstreamLink, Action: stack.RST}
	streaming, none := stack.Edge{Form: stack.EdgeStreaming}, stack.Edge{Form: stack.EdgeNone}
	for name, tc := range map[string]struct {
		scenario Scenario
		struck   string
	}{
		"strikes":                 {Scenario{Edge: streaming, Fault: cut}, "edge upstream"},
		"strikes on both":         {Scenario{Edge: streaming, Fault: fault.Strikes{cut, inner}}, "edge upstream"},
		"a toxic":                 {Scenario{Edge: streaming, Fault: slow}, "upstream"},
		"a strike and a toxic":    {Scenario{Edge: streaming, Fault: fault.All{inner, slow}}, "upstream"},
		"both on the only link":   {Scenario{Edge: none, Fault: fault.Sequence{inner, slow}}, ""},
		"strikes on the only one": {Scenario{Edge: none, Fault: inner}, "edge upstream"},
		"the link taken down":     {Scenario{Edge: streaming, Fault: fault.Down{Link: stack.EdgeLink}}, "upstream"},
		"peel compares the hops":  {Scenario{Edge: streaming, Peel: true}, ""},
	} {
		if got := strings.Join(tc.scenario.StruckLinks(), " "); got != tc.struck {
			t.Errorf("%s: only strikes on %q, want %q", name, got, tc.struck)
		}
	}
}
