package verdict_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	pass  = verdict.Pass
	fail  = verdict.Fail
	open  = verdict.Inconclusive
	flaky = verdict.Flaky
	aside = verdict.NotApplicable
)

var suiteStart = time.Date(2026, 11, 28, 18, 0, 0, 0, time.UTC)

// settled is a run of scenarios a, b, c … with these verdicts, as the suite settles it.
func settled(s record.Suite, verdicts []verdict.Verdict, retries ...map[string]verdict.Verdict) *verdict.Report {
	run := &record.Run{Plan: record.Plan{Started: suiteStart, Suite: s}}
	r := &verdict.Report{Verdict: aside}
	for i, v := range verdicts {
		id := string(rune('a' + i))
		run.Plan.Scenarios = append(run.Plan.Scenarios, record.Scenario{ID: id})
		r.Scenarios = append(r.Scenarios, verdict.ScenarioReport{ID: id, Verdict: v})
		r.Verdict = r.Verdict.Worse(v)
	}
	var again []*verdict.Report
	var folders []string
	for i, x := range retries {
		var of verdict.Report
		for id, v := range x {
			of.Scenarios = append(of.Scenarios, verdict.ScenarioReport{ID: id, Verdict: v, Why: "why"})
		}
		again, folders = append(again, &of), append(folders, string(rune('0'+i)))
	}
	r.Settle(run, again, folders)
	return r
}

// What all attempts at a scenario come to, and the run with it.
func TestSettleAttempts(t *testing.T) {
	for _, tt := range []struct {
		name            string
		attempts        []verdict.Verdict
		want            verdict.Verdict // of the scenario and, where flaky fails, of the run
		passes, lenient bool            // does the run, where flaky fails and where it passes
	}{
		{"fails, then passes", []verdict.Verdict{fail, pass}, flaky, false, true},
		{"fails twice, then passes", []verdict.Verdict{fail, fail, pass}, flaky, false, true},
		{"fails each time", []verdict.Verdict{fail, fail, fail}, fail, false, false},
		{"fails, then nobody knows", []verdict.Verdict{fail, open}, fail, false, false},
		{"fails, nobody knows, passes", []verdict.Verdict{fail, open, pass}, flaky, false, true},
		{"nobody knows, then it passes: nothing ever failed", []verdict.Verdict{open, pass}, pass, true, true},
		{"nobody knows, then it fails", []verdict.Verdict{open, fail}, fail, false, false},
		{"nobody knows, it fails, it passes", []verdict.Verdict{open, fail, pass}, flaky, false, true},
		{"nobody ever knows", []verdict.Verdict{open, open}, open, false, false},
		{"fails, then does not apply: nothing takes it back", []verdict.Verdict{fail, aside}, fail, false, false},
		{"nobody knows, then it does not apply", []verdict.Verdict{open, aside}, open, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var retries []map[string]verdict.Verdict
			for _, v := range tt.attempts[1:] {
				retries = append(retries, map[string]verdict.Verdict{"a": v})
			}
			for lenient, passes := range map[bool]bool{false: tt.passes, true: tt.lenient} {
				r := settled(record.Suite{Retries: 2, FlakyPasses: lenient}, tt.attempts[:1], retries...)
				s := r.Scenarios[0]
				if s.Verdict != tt.want || r.Verdict != tt.want || r.Passes() != passes {
					t.Errorf("flaky passes %v: scenario %s, run %s, passes %v; want %s, %v", lenient, s.Verdict, r.Verdict,
						r.Passes(), tt.want, passes)
				}
				if len(s.Attempts) != len(tt.attempts) || s.Judged() != tt.attempts[0] || s.Attempts[1].Folder != "0" {
					t.Errorf("attempts are not shown: %+v", s.Attempts)
				}
			}
		})
	}
}

// A flaky scenario is worse than one that is not decided where it fails the run, and no
// worse where it does not.
func TestSettleOrder(t *testing.T) {
	again := map[string]verdict.Verdict{"a": pass}
	for _, tt := range []struct {
		first   []verdict.Verdict
		lenient bool
		want    verdict.Verdict
	}{
		{[]verdict.Verdict{fail, pass}, false, flaky}, {[]verdict.Verdict{fail, pass}, true, flaky},
		{[]verdict.Verdict{fail, open}, false, flaky}, {[]verdict.Verdict{fail, open}, true, open},
		{[]verdict.Verdict{fail, fail}, false, fail}, {[]verdict.Verdict{fail, fail}, true, fail},
		{[]verdict.Verdict{fail, aside}, true, flaky},
	} {
		if r := settled(record.Suite{Retries: 1, FlakyPasses: tt.lenient}, tt.first, again); r.Verdict != tt.want {
			t.Errorf("%v, flaky passes %v: %s, want %s", tt.first, tt.lenient, r.Verdict, tt.want)
		}
	}
}

func TestQuarantine(t *testing.T) {
	holds := record.Quarantine{Scenario: "a", Reason: "APP-1", Until: "2026-11-28"} // the day of the run is the last
	over := record.Quarantine{Scenario: "a", Reason: "APP-1", Until: "2026-11-27"}
	for _, tt := range []struct {
		name     string
		q        record.Quarantine
		verdicts []verdict.Verdict
		retries  []map[string]verdict.Verdict
		want     verdict.Verdict
		excused  bool
	}{
		{"a failure does not count", holds, []verdict.Verdict{fail, pass}, nil, pass, true},
		{"nor does what is not decided", holds, []verdict.Verdict{open, pass}, nil, pass, true},
		{"nor does what is flaky", holds, []verdict.Verdict{fail, pass}, []map[string]verdict.Verdict{{"a": pass}}, pass,
			true},
		{"it excuses no other scenario", holds, []verdict.Verdict{fail, fail}, nil, fail, true},
		{"a pass counts", holds, []verdict.Verdict{pass}, nil, pass, false},
		{"with all in quarantine nothing is proven", holds, []verdict.Verdict{fail}, nil, open, true},
		{"with the others not applicable neither", holds, []verdict.Verdict{fail, aside}, nil, open, true},
		{"past its date it fails the run", over, []verdict.Verdict{fail, pass}, nil, fail, false},
		{"also where the scenario passes", over, []verdict.Verdict{pass, pass}, nil, fail, false},
		{"and where it does not apply", over, []verdict.Verdict{aside, pass}, nil, fail, false},
		{"of a scenario that is not played it says nothing", record.Quarantine{Scenario: "z", Until: "2026-01-01"},
			[]verdict.Verdict{pass}, nil, pass, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := settled(record.Suite{Quarantine: []record.Quarantine{tt.q}}, tt.verdicts, tt.retries...)
			if r.Verdict != tt.want {
				t.Errorf("the run is %s, want %s", r.Verdict, tt.want)
			}
			if q := r.Scenarios[0].Quarantine; (q != nil) != (tt.q.Scenario == "a") || q != nil && q.Excused != tt.excused {
				t.Errorf("quarantine: %+v", q)
			}
			if tt.retries == nil && r.Scenarios[0].Verdict != tt.verdicts[0] {
				t.Errorf("a quarantine changed what is shown: %s", r.Scenarios[0].Verdict)
			}
		})
	}
}

// A day ends at midnight of UTC, and what is no day is over.
func TestDayIsOver(t *testing.T) {
	for at, over := range map[string]bool{"2026-11-28T00:00:00Z": false, "2026-11-28T23:59:59Z": false,
		"2026-11-29T00:00:00Z": true, "2026-11-29T00:30:00+02:00": false, "2026-11-28T23:30:00-02:00": true} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := record.Day("2026-11-28").Over(when); got != over {
			t.Errorf("%s: over %v, want %v", at, got, over)
		}
	}
	if !record.Day("soon").Over(suiteStart) || !record.Day("").Over(suiteStart) {
		t.Error("what is no day never ends")
	}
}

// A suite of whatever can be played leaves out what cannot, unless that is required.
func TestSkipped(t *testing.T) {
	for _, required := range []bool{false, true} {
		unable := verdict.ScenarioReport{ID: "a", Verdict: open,
			Checks: []verdict.Check{{Name: "stack able", Verdict: open, Obligation: true}}}
		run := &record.Run{Plan: record.Plan{Suite: record.Suite{Name: "nightly", Able: true},
			Scenarios: []record.Scenario{{ID: "a", Required: required}, {ID: "b"}}}}
		r := &verdict.Report{Verdict: open, Scenarios: []verdict.ScenarioReport{unable, {ID: "b", Verdict: pass}}}
		r.Settle(run, nil, nil)
		want := map[bool]verdict.Verdict{false: pass, true: open}[required]
		if s := r.Scenarios[0]; r.Verdict != want || s.Skipped == required || s.Verdict != open || s.Retriable() {
			t.Errorf("required %v: the run is %s, want %s; %+v", required, r.Verdict, want, s)
		}
	}
}

// TestUnableHidesNoFailure: streams that broke a rule before the stack turned out to be
// unable are a failure of the app's.
func TestUnableHidesNoFailure(t *testing.T) {
	run := &record.Run{Plan: record.Plan{Suite: record.Suite{Name: "nightly", Able: true}, Scenarios: []record.Scenario{{ID: "a"}}}}
	r := &verdict.Report{Verdict: fail, Scenarios: []verdict.ScenarioReport{{ID: "a", Verdict: fail,
		Checks: []verdict.Check{{Name: "streams complete or fail cleanly", Verdict: fail},
			{Name: "stack able", Verdict: open, Obligation: true}}}}}
	r.Settle(run, nil, nil)
	if s := r.Scenarios[0]; r.Verdict != fail || s.Skipped || s.Unable() {
		t.Errorf("the run is %s; %+v", r.Verdict, s)
	}
}

// Without a suite, retries or quarantine nothing changes.
func TestSettleNothing(t *testing.T) {
	for _, v := range []verdict.Verdict{pass, fail, open, aside} {
		r := settled(record.Suite{}, []verdict.Verdict{v})
		if r.Verdict != aside.Worse(v) || r.Suite != nil || r.Scenarios[0].Attempts != nil {
			t.Errorf("%s: %+v", v, r)
		}
	}
	if fail.Worse(flaky) != fail || open.Worse(flaky) != flaky {
		t.Error("fail is worse than flaky, and flaky worse than inconclusive")
	}
}
