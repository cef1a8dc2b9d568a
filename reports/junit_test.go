package reports

import (
	"encoding/xml"
	"strings"
	"testing"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// suites reads a JUnit report back, as a CI system does.
func suites(t *testing.T, in Input) junit.Testsuites {
	t.Helper()
	var out junit.Testsuites
	if err := xml.Unmarshal(rendered(t, JUnit, in), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// one returns an input of one scenario.
func one(s verdict.ScenarioReport) Input {
	s.ID = "x"
	return Input{Report: &verdict.Report{Verdict: verdict.Pass.Worse(s.Verdict), Complete: true, Scenarios: []verdict.ScenarioReport{s}}}
}

// TestJUnitTraps holds what is known to have misled readers of other tools.
func TestJUnitTraps(t *testing.T) {
	planned := func(in Input, ids ...string) Input {
		in.Run = &record.Run{Finished: record.Never}
		for _, id := range ids {
			in.Run.Plan.Scenarios = append(in.Run.Plan.Scenarios, record.Scenario{ID: id})
		}
		return in
	}
	torn := one(verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{pass("a", "")}})
	torn.Report.Complete = false
	harness := one(verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{pass("a", "")}})
	harness.Run = &record.Run{Notes: []record.Note{{Kind: record.NoteHarness, Text: "toxiproxy did not answer"}}}
	elsewhere := one(verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{pass("a", "")}})
	elsewhere.Report.Verdict = verdict.Fail

	for name, tt := range map[string]struct {
		in               Input
		failures, errors int
		message          string // must stand in a failure or an error
	}{
		"inconclusive is an error": {
			one(verdict.ScenarioReport{Verdict: verdict.Inconclusive, Checks: []verdict.Check{{Name: "enough streams", Verdict: verdict.Inconclusive, Why: "3 of 20"}}}),
			0, 1, "x: 3 of 20 [enough streams]"},
		"a verdict that nobody knows is an error": {
			one(verdict.ScenarioReport{Verdict: "perhaps", Checks: []verdict.Check{{Name: "c", Verdict: "perhaps"}}}),
			0, 1, "x: no reason given [c]"},
		"a scenario that never ran is an error": {
			planned(one(verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{pass("a", "")}}), "x", "gone"),
			0, 1, "gone: planned, but the run ended before it was judged [" + neverRanCheck + "]"},
		"a scenario that crashed before its checks is an error": {
			one(verdict.ScenarioReport{Verdict: verdict.Inconclusive, Why: "internal error"}),
			0, 1, "x: internal error [verdict]"},
		"a scenario worse than its checks keeps its verdict": {
			one(verdict.ScenarioReport{Verdict: verdict.Fail, Why: "worse", Checks: []verdict.Check{pass("a", "")}}),
			1, 0, "x: worse [verdict]"},
		"a torn record is an error":                        {torn, 0, 1, "run: the record has no end: the run was killed [record is whole]"},
		"a broken harness is an error":                     {harness, 0, 1, "toxiproxy did not answer"},
		"a run worse than its scenarios keeps its verdict": {elsewhere, 1, 0, " [verdict]"},
	} {
		t.Run(name, func(t *testing.T) {
			got := suites(t, tt.in)
			if got.Failures != tt.failures || got.Errors != tt.errors || got.Skipped != 0 {
				t.Errorf("%d failures, %d errors, %d skipped; want %d, %d, 0", got.Failures, got.Errors, got.Skipped, tt.failures, tt.errors)
			}
			if !messages(got, tt.message) {
				t.Errorf("no failure and no error says %q", tt.message)
			}
		})
	}
}

// messages reports whether a failure or an error says what.
func messages(all junit.Testsuites, what string) bool {
	for _, s := range all.Suites {
		for _, c := range s.Testcases {
			for _, r := range []*junit.Result{c.Failure, c.Error} {
				if r != nil && strings.Contains(r.Message, what) {
					return true
				}
			}
		}
	}
	return false
}

// TestJUnitKeepsNames: a failing name is never lost, neither to a length nor to a
// case of the same name.
func TestJUnitKeepsNames(t *testing.T) {
	long := strings.Repeat("very ", 100) + "long"
	got := suites(t, one(verdict.ScenarioReport{Verdict: verdict.Fail, Checks: []verdict.Check{
		{Name: "twin", Verdict: verdict.Fail, Why: "first"},
		{Name: "twin", Verdict: verdict.Pass},
		{Name: long, Verdict: verdict.Fail, Why: strings.Repeat("x", 10*lineBound)},
	}}))
	names := map[string]bool{}
	for _, s := range got.Suites {
		for _, c := range s.Testcases {
			if names[c.Classname+c.Name] {
				t.Errorf("two cases are called %q", c.Name)
			}
			names[c.Classname+c.Name] = true
		}
	}
	for _, want := range []string{"x: first [twin]", " [" + long + "]"} {
		if !messages(got, want) {
			t.Errorf("no failure says %.40q...", want)
		}
	}
}

// TestJUnitGreen: no failure and no error if, and only if, the run passed.
func TestJUnitGreen(t *testing.T) {
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive()} {
		got := suites(t, in)
		green := got.Failures+got.Errors == 0
		if green != (in.Report.Verdict == verdict.Pass) {
			t.Errorf("%s: %d failures and %d errors for a run that is %s", name, got.Failures, got.Errors, in.Report.Verdict)
		}
		if want := len(in.Report.Scenarios) + 1; len(got.Suites) != want {
			t.Errorf("%s: %d suites, want %d", name, len(got.Suites), want)
		}
	}
}
