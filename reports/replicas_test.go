package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestEveryFormatShowsReplicasAndClients looks for what a reader must not miss.
func TestEveryFormatShowsReplicasAndClients(t *testing.T) {
	in := Input{Run: &record.Run{}, Report: &verdict.Report{Verdict: verdict.Fail, Scenarios: []verdict.ScenarioReport{{
		ID: "deploy", Verdict: verdict.Fail, Why: "cut", Checks: []verdict.Check{{Name: "whole", Verdict: verdict.Fail, Why: "cut"}},
		Replicas: []verdict.ReplicaReport{
			{Name: "app[0]", Started: 7, Struck: 3, Outcomes: map[verdict.Outcome]int{verdict.Complete: 4, verdict.Truncated: 3}},
			{Name: "app[1]", Started: 5, Outcomes: map[verdict.Outcome]int{verdict.Complete: 5}},
			{Started: 1, Outcomes: map[verdict.Outcome]int{verdict.Refused: 1}}},
		Clients: &verdict.ClientsReport{Clients: 3, Again: 4, Whole: 2, Doubled: 1},
	}}}}
	var text, html bytes.Buffer
	if err := Text(&text, in); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&html, in); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"text": text.String(), "html": html.String()} {
		for _, want := range []string{"app[0]", "app[1]", "3 truncated", nobody, "3 clients asked again, 4 times in all; 2 got a complete response in the end", "the work of 1 request was begun more than once"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}

// Streams that somebody served are not those that no replica answered.
func TestServedByUnknownReplica(t *testing.T) {
	all := []verdict.ReplicaReport{{Name: "app[0]", Started: 3}, {Name: "app[1]", Started: 2},
		{Started: 60, Outcomes: map[verdict.Outcome]int{verdict.Complete: 59, verdict.Refused: 1}}}
	if v := replicaViews(all); len(v) != 3 || v[2].Name != unnamed {
		t.Errorf("got %+v", v)
	}
}

func TestOneReplicaNeedsNoTable(t *testing.T) {
	if v := replicaViews([]verdict.ReplicaReport{{Name: "app[0]", Started: 3}, {Started: 1}}); v != nil {
		t.Errorf("got %+v", v)
	}
}
