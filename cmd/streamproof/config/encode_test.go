package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/scenarios"
)

// TestEncode: every scenario of the catalogue, and combined faults, are read as they were
// written.
func TestEncode(t *testing.T) {
	all := scenarios.All()
	strike := fault.Strike{Link: stack.EdgeLink, After: 3, Action: stack.RST}
	all = append(all, harness.Scenario{ID: "combined", Hold: time.Second, When: harness.When{Events: 2},
		Fault: fault.Sequence{
			fault.Timed{Fault: fault.Stall(stack.EdgeLink, 3*time.Second), Hold: 3 * time.Second, When: fault.When{After: time.Second}},
			fault.All{fault.Strikes{strike, {Link: stack.UpstreamLink, Action: stack.FIN, Age: time.Second}}, fault.Pause{For: time.Second},
				fault.Strike{Link: stack.EdgeLink, After: 4, Action: stack.Hold, For: time.Second}}}})
	for _, sc := range all {
		t.Run(sc.ID, func(t *testing.T) {
			sc.ID = "x-" + sc.ID
			o := harness.Options{Scenarios: []harness.Scenario{sc}, Seed: 7, SLO: "complete >= 99%", GapLimit: time.Second,
				Load: harness.Load{Streams: 200, Ramp: time.Second}, AllowHosts: []string{"a.example"},
				Thresholds: record.Thresholds{MaxGap: time.Second, Slowdown: -1}}
			o.App.Memory, o.App.Command, o.App.Env, o.App.Dir = 64<<20, []string{"python3", "a b.py"}, []string{"A=1"}, "sub"
			o.App.Stream = harness.Stream{Path: "/x", Headers: map[string]string{"A": "${B}"}, Body: "{\"a\": \"b: c\"}\n", Longest: time.Minute}
			o.App.TLS.Insecure, o.App.Edge.ReadTimeout = true, 3*time.Second
			o.App.Logs = []harness.LogFile{{Kind: "app", Path: "app.log"}}
			same(t, o)
			o.Load = harness.Load{Pattern: harness.Pattern{Arrivals: arrivals.Process{Kind: arrivals.Poisson},
				Stages: []arrivals.Stage{{Duration: time.Second, Target: arrivals.Target{Value: 4.5, Rate: true}}}}}
			same(t, o)
		})
	}
}

// same writes options, reads them, and compares what a run would record of them.
func same(t *testing.T, o harness.Options) {
	t.Helper()
	text, err := Encode(o, ".")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse("streamproof.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := f.Options()
	if got.Scenarios, err = f.Defined(nil); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plan := func(o harness.Options) record.Plan {
		p := harness.Plan{Options: o}
		return p.Record(time.Time{})
	}
	want := plan(o)
	for i := range want.Scenarios { // what a file says in another way, and what no judging reads
		s, g := &want.Scenarios[i], plan(got).Scenarios[i]
		s.Policy.LeftToEdge, s.Policy.MinStreams = false, max(s.Policy.MinStreams, 1)
		if len(s.Policy.Checks) == 0 {
			s.Policy.Checks = g.Policy.Checks
		}
		if s.Title == "" {
			s.Title, s.Doc = g.Title, g.Doc
		}
		if s.Fault != "" {
			s.Policy.Recovery, s.Policy.MinInBody = g.Policy.Recovery, g.Policy.MinInBody
		}
	}
	if diff := cmp.Diff(want, plan(got)); diff != "" {
		t.Errorf("(-written +read)\n%s\n%s", diff, text)
	}
	if diff := cmp.Diff(o.App, got.App); diff != "" {
		t.Errorf("app (-written +read)\n%s\n%s", diff, text)
	}
}
