package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// suiteOf is a run of scenarios with these verdicts, each with one check that says so, and
// of one retry.
func suiteOf(s record.Suite, first, again []verdict.Verdict) Input {
	run := &record.Run{Plan: record.Plan{Started: startedAt, Suite: s}, Finished: record.Never}
	report := func(verdicts []verdict.Verdict) *verdict.Report {
		r := &verdict.Report{Judged: true, Complete: true, Verdict: verdict.NotApplicable}
		for i, v := range verdicts {
			if v == "" {
				continue
			}
			took := float64(i + 1)
			c := verdict.Check{Name: "streams complete or fail cleanly", Verdict: v, Why: fmt.Sprintf("why %d is %s", i, v)}
			r.Scenarios = append(r.Scenarios, verdict.ScenarioReport{ID: fmt.Sprint("s", i), Verdict: v, Started: 20,
				Checks: []verdict.Check{c}, Took: &took,
				Steps: []verdict.StepReport{{Name: record.StepOpening, Seconds: took / 4},
					{Name: record.StepStreams, Seconds: took * 3 / 4}}})
			r.Verdict = r.Verdict.Worse(v)
		}
		if r.Verdict == verdict.NotApplicable {
			r.Verdict = verdict.Inconclusive
		}
		return r
	}
	r := report(first)
	for _, s := range r.Scenarios {
		run.Plan.Scenarios = append(run.Plan.Scenarios, record.Scenario{ID: s.ID})
	}
	var retries []*verdict.Report
	var folders []string
	if again != nil {
		x := report(again)
		Word(x)
		retries, folders = []*verdict.Report{x}, []string{"retry-1"}
	}
	r.Settle(run, retries, folders)
	Word(r)
	return Input{Run: run, Report: r}
}

// junit.xml has a failure or an error if, and only if, the run does not pass: with every
// verdict of two scenarios and of a retry, with a quarantine that holds, one that is over
// and none, and however flaky counts.
func TestJUnitFailsIfTheRunDoes(t *testing.T) {
	all := []verdict.Verdict{verdict.Pass, verdict.Fail, verdict.Inconclusive, verdict.NotApplicable}
	for _, a := range all {
		for _, b := range all {
			for _, again := range append(all, "") {
				for _, until := range []record.Day{"", "2027-01-01", "2026-01-01"} {
					for _, lenient := range []bool{false, true} {
						s := record.Suite{Retries: 1, FlakyPasses: lenient}
						if until != "" {
							s.Quarantine = []record.Quarantine{{Scenario: "s0", Reason: "APP-1", Until: until}}
						}
						var retry []verdict.Verdict
						if again != "" && (a == verdict.Fail || a == verdict.Inconclusive) {
							retry = []verdict.Verdict{again}
						}
						in := suiteOf(s, []verdict.Verdict{a, b}, retry)
						xml := string(rendered(t, JUnit, in))
						bad := strings.Contains(xml, "<failure") || strings.Contains(xml, "<error")
						if bad == in.Report.Passes() {
							t.Errorf("%s and %s, retry %v, until %q, flaky passes %v: the run is %s, and junit says\n%s", a, b, retry,
								until, lenient, in.Report.Verdict, xml)
						}
					}
				}
			}
		}
	}
}

// What was played again, or is excused, is told in every format: green is never silent.
func TestSettledIsShown(t *testing.T) {
	v := func(list ...verdict.Verdict) []verdict.Verdict { return list }
	quarantine := func(until record.Day) record.Suite {
		return record.Suite{Quarantine: []record.Quarantine{{Scenario: "s0", Reason: "see APP-1", Until: until}}}
	}
	for _, tt := range []struct {
		name  string
		in    Input
		says  []string // in every format
		shout string
	}{
		{"flaky passes", suiteOf(record.Suite{Retries: 1, FlakyPasses: true}, v(verdict.Fail, verdict.Pass), v(verdict.Pass)),
			[]string{"failed, passed on retry 1", "why 0 is fail"}, "FLAKY"},
		{"flaky fails", suiteOf(record.Suite{Retries: 1}, v(verdict.Fail, verdict.Pass), v(verdict.Pass)),
			[]string{"failed, passed on retry 1", "why 0 is fail"}, "FLAKY"},
		{"not decided, then passes", suiteOf(record.Suite{Retries: 1}, v(verdict.Inconclusive), v(verdict.Pass)),
			[]string{"could not be decided, passed on retry 1"}, "PASS"},
		{"not decided, then fails", suiteOf(record.Suite{Retries: 1}, v(verdict.Inconclusive), v(verdict.Fail)),
			[]string{"could not be decided, failed on retry 1", "why 0 is fail"}, "FAIL"},
		{"in quarantine", suiteOf(quarantine("2026-12-31"), v(verdict.Fail, verdict.Pass), nil),
			[]string{"quarantined until 2026-12-31", "see APP-1", "why 0 is fail"}, "PASS"},
		{"past its date", suiteOf(quarantine("2026-01-31"), v(verdict.Pass, verdict.Pass), nil),
			[]string{"its quarantine ended with 2026-01-31", "which fails the run", "see APP-1"}, "FAIL"},
		{"not in need of it", suiteOf(quarantine("2026-12-31"), v(verdict.Pass, verdict.Pass), nil),
			[]string{"not in need of its quarantine until 2026-12-31"}, "PASS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, format := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown, "html": HTML,
				"json": JSON, "junit": JUnit} {
				got := strings.ReplaceAll(string(rendered(t, format, tt.in)), `\`, "")
				for _, says := range tt.says {
					if !strings.Contains(got, says) {
						t.Errorf("%s does not say %q:\n%s", name, says, got)
					}
				}
			}
			if text := string(rendered(t, TextOn(Screen{}), tt.in)); !strings.HasPrefix(text, tt.shout) {
				t.Errorf("not %s: %s", tt.shout, text)
			}
		})
	}
}

// A pass names in its first line what it leaves out.
func TestPassSaysWhatItExcuses(t *testing.T) {
	in := suiteOf(record.Suite{Quarantine: []record.Quarantine{{Scenario: "s0", Reason: "r", Until: "2026-12-31"}}},
		[]verdict.Verdict{verdict.Fail, verdict.Pass, verdict.NotApplicable}, nil)
	got := headline(in)
	if !strings.Contains(got, "1 quarantined (s0)") || !strings.HasPrefix(got, "1 of 3 scenarios passed") {
		t.Error(got)
	}
}

// The time is told in all formats, the longest first, and adds up.
func TestTimeIsShown(t *testing.T) {
	in := suiteOf(record.Suite{Name: "smoke"}, slices.Repeat([]verdict.Verdict{verdict.Pass}, 8), nil)
	text := string(rendered(t, TextOn(Screen{}), in))
	for _, want := range []string{"time  36 s in 8 scenarios: load 27 s, starting the stack 9 s\n",
		"longest: s7 8 s, s6 7 s, s5 6 s, s4 5 s, s3 4 s and 3 shorter scenarios\n", "\nsuite smoke\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if page := string(rendered(t, HTML, in)); !strings.Contains(page, "Where the time went: 36 s") ||
		!strings.Contains(page, `<th scope="row">s7</th><td class="n">2 s</td><td class="n">6 s</td><td class="n">8 s</td>`) {
		t.Error("the page does not tell where the time went")
	}
	if !strings.Contains(string(rendered(t, Markdown, in)), "Where the time went") {
		t.Error("nor does the summary")
	}
}
