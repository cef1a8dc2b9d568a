package harness

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
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

// TestLoadOver: what the user leaves open is the scenario's, each key of it.
func TestLoadOver(t *testing.T) {
	poisson := Pattern{Arrivals: arrivals.Process{Kind: arrivals.Poisson}}
	up := []arrivals.Stage{{Duration: time.Second, Target: arrivals.Target{Value: 4}}}
	for name, tc := range map[string]struct{ user, own, want Load }{
		"nothing":          {Load{}, Load{Streams: 3, Total: 7}, Load{Streams: 3, Total: 7}},
		"streams":          {Load{Streams: 5}, Load{Streams: 3, Total: 7}, Load{Streams: 5, Total: 7}},
		"more than in all": {Load{Streams: 9}, Load{Total: 7}, Load{Streams: 7, Total: 7}},
		"a total":          {Load{Total: 2}, Load{Streams: 3, Total: 7}, Load{Streams: 2, Total: 2}},
		"a duration": {Load{Duration: time.Second}, Load{Streams: 3, Total: 7},
			Load{Streams: 3, Duration: time.Second}},
		"total and duration":  {Load{}, Load{Total: 7, Duration: time.Second}, Load{Total: 7, Duration: time.Second}},
		"the scenario's time": {Load{Total: 2}, Load{Duration: time.Second}, Load{Duration: time.Second}},
		"stages and a total": {Load{}, Load{Total: 7, Pattern: Pattern{Stages: up}},
			Load{Total: 7, Pattern: Pattern{Stages: up}}},
		"a rate to come":   {Load{Rate: 2, Total: 1}, Load{Pattern: poisson}, Load{Rate: 2, Total: 1, Pattern: poisson}},
		"streams, no rate": {Load{Streams: 2}, Load{Rate: 3, Total: 7, Pattern: poisson}, Load{Streams: 2, Total: 7}},
	} {
		if got := tc.user.Over(tc.own); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

// TestScenarioLoadIsChecked: as it is in the run, before anything is started.
func TestScenarioLoadIsChecked(t *testing.T) {
	poisson := Pattern{Arrivals: arrivals.Process{Kind: arrivals.Poisson}}
	for place, tc := range map[string]struct{ user, own Load }{
		"load":          {Load{}, Load{Streams: 3, Rate: 5, Duration: time.Second}},
		"load.duration": {Load{}, Load{Rate: 5}},
		"load.arrivals": {Load{}, Load{Pattern: poisson}},
		"load.total":    {Load{}, Load{Total: -1}},
		"load.stages": {Load{Duration: time.Second},
			Load{Pattern: Pattern{Stages: []arrivals.Stage{{Duration: time.Second, Target: arrivals.Target{Value: 4}}}}}},
		"": {Load{Duration: time.Second}, Load{Rate: 5, Pattern: poisson}},
	} {
		o := Options{Load: tc.user, Scenarios: []Scenario{{ID: "mine", Load: tc.own}}}
		err := o.Validate()
		var bad *UsageError
		if place == "" && err == nil || errors.As(err, &bad) && bad.Place == "scenario mine: "+place {
			continue
		}
		t.Errorf("want %q, got %v", place, err)
	}
}

// TestThresholdsOfBoth: each is the user's, else the scenario's.
func TestThresholdsOfBoth(t *testing.T) {
	p := &Plan{Options: Options{Thresholds: record.Thresholds{MaxGap: 2 * time.Second}}}
	sc := Scenario{Policy: record.Policy{Thresholds: record.Thresholds{FirstEvent: time.Second, MaxGap: time.Second}}}
	want := record.Thresholds{FirstEvent: time.Second, MaxGap: 2 * time.Second}
	if got := p.Fill(sc).Policy.Thresholds; got != want {
		t.Errorf("%+v, want %+v", got, want)
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
