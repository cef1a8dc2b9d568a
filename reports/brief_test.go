package reports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const longFault = diagnose.InjectedFault + ": rst after event 5 on the edge link, fin after event 5 on the edge link, rst after event 5 on the upstream link"

// cutByUs is a run that passes although a scenario has streams that we cut.
func cutByUs() Input {
	s := newSynth()
	for range 20 {
		s.stream("cut", s.now, healthy(record.Control))
	}
	for range 10 {
		h := healthy(record.Victim)
		h.events, h.outcome, h.ending = 5, verdict.Aborted, verdict.ResetInBody
		s.stream("cut", s.now, h)
	}
	s.scenario(record.Scenario{ID: "cut", Title: "Cuts"}, verdict.ScenarioReport{Verdict: verdict.Pass, Checks: []verdict.Check{pass("streams complete or fail cleanly", "all")},
		Causes: []verdict.Cause{{Cause: longFault, Injected: true, Count: 10, Confidence: "certain",
			Evidence: []record.Evidence{record.Figure("our relay struck it")}, Fix: "no action needed"}}})
	return s.input()
}

// TestOurOwnFaultIsNoFinding: a pass blames nobody, and says what we did.
func TestOurOwnFaultIsNoFinding(t *testing.T) {
	in := cutByUs()
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "junit": JUnit, "markdown": Markdown, "html": HTML} {
		got := string(rendered(t, write, in))
		for _, never := range []string{longFault, "our relay struck it", "no action needed"} {
			if strings.Contains(got, never) {
				t.Errorf("%s shows %q", name, never)
			}
		}
		if name == "html" && !strings.Contains(got, "10 streams ended early because of the injected fault, which this scenario allows") {
			t.Error("html does not say what our fault did")
		}
	}
	if got := string(rendered(t, HTML, in)); !strings.Contains(got, "or was cut by us where the scenario says so") || strings.Contains(got, "Every stream completed or failed cleanly") {
		t.Error("with aborted streams the page says that every stream completed or failed cleanly")
	}
	if got := string(rendered(t, HTML, passing())); !strings.Contains(got, "Every stream completed or failed cleanly") {
		t.Error("with complete streams only, the page does not say so")
	}

	// A failure of other streams does not make it one.
	s := &in.Report.Scenarios[0]
	s.Verdict = verdict.Fail
	if got := string(rendered(t, TextOn(Screen{}), in)); strings.Contains(got, "injected fault") {
		t.Errorf("a fault that broke no check stands among the causes:\n%s", got)
	}

	// Where its streams broke a check, the fault is evidence, by a name that fits a
	// title.
	s.Causes[0].Checks = []string{"strict: no stream is cut or refused"}
	got := string(rendered(t, TextOn(Screen{}), in))
	if want := "cause: injected fault: rst after event 5 on the edge link and 2 more  certain\n"; !strings.Contains(got, want) {
		t.Errorf("no %q in\n%s", want, got)
	}
}

// TestReasonIsSaidOnce: headline, tables and checks of a page do not repeat one
// another.
func TestReasonIsSaidOnce(t *testing.T) {
	in := failing()
	why := "14 of 40 victims got a clean end of body"
	in.Report.Why = "1 of 4 scenarios failed (worker-kill); worker-kill: " + why
	in.Report.Scenarios[1].Why = why
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown} {
		if n := strings.Count(string(rendered(t, write, in)), why); n != 1 {
			t.Errorf("%s says the reason %d times, want 1", name, n)
		}
	}
	// In HTML the folded record of all checks holds it too.
	if n := strings.Count(string(rendered(t, HTML, in)), why); n != 2 {
		t.Errorf("html says the reason %d times, want 2: at the top and in the list of checks", n)
	}
}

// TestUnableTogether: what could not be played for one reason is one item.
func TestUnableTogether(t *testing.T) {
	s := newSynth()
	s.control(10)
	const why = "not possible here: no stream of control brought any content"
	for _, id := range []string{"cut", "stall", "drain"} {
		s.scenario(record.Scenario{ID: id}, verdict.ScenarioReport{Verdict: verdict.Inconclusive, Why: why, Checks: []verdict.Check{
			{Name: "stack able", Verdict: verdict.Inconclusive, Why: why, Obligation: true},
			{Name: "fault seen in effect", Verdict: verdict.Inconclusive, Why: "the fault never struck", Obligation: true}}})
	}
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown} {
		got := string(rendered(t, write, s.input()))
		if strings.Count(got, why) != 1 || !strings.Contains(got, "cut, stall, drain") || strings.Contains(got, "never struck") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	p := newPage(s.input(), 0)
	if len(p.Open) != 1 || p.Open[0].Scenario != "cut, stall, drain" {
		t.Errorf("the list at the top: %+v", p.Open)
	}
}

// TestGuessesAreFolded: behind the first cause stand in full only those that are
// no guess and have evidence of their own.
func TestGuessesAreFolded(t *testing.T) {
	same := []record.Evidence{record.Figure("stream 8: clean EOF without terminal")}
	in := failing()
	in.Report.Scenarios[1].Causes = []verdict.Cause{
		{Cause: "first", Confidence: "possible", Evidence: same},
		{Cause: "rival", Confidence: "likely", Evidence: []record.Evidence{record.Figure("its own")}},
		{Cause: "twin", Confidence: "likely", Evidence: same, Fix: "mend the twin"},
		{Cause: "guess", Confidence: "possible", Evidence: []record.Evidence{record.Figure("a hint")}, Fix: "mend the guess"},
	}
	const line = "2 further possible causes: twin, guess"
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown, "html": HTML} {
		got := string(rendered(t, write, in))
		if !strings.Contains(got, line) || !strings.Contains(got, "rival") || strings.Count(got, same[0].Text) != 1 {
			t.Errorf("%s: no %q, or the evidence stands there more than once", name, line)
		}
		if folded := strings.Contains(got, "mend the twin") && strings.Contains(got, "mend the guess"); folded != (name == "html") {
			t.Errorf("%s: fixes of folded causes shown: %v", name, folded)
		}
	}
}

// TestAskedFor: an error status for all streams names the path that was asked
// for, once.
func TestAskedFor(t *testing.T) {
	s := newSynth()
	for _, id := range []string{"control", "stall"} {
		for range 4 {
			h := healthy(record.Load)
			h.events, h.outcome, h.ending = 0, verdict.FailedClean, verdict.HTTPError
			s.stream(id, s.now, h)
		}
		s.scenario(record.Scenario{ID: id}, verdict.ScenarioReport{Verdict: verdict.Fail, Checks: []verdict.Check{
			{Name: "untouched streams complete", Verdict: verdict.Fail, Why: id + ": status 404"}}})
	}
	for i := range s.run.Streams {
		s.run.Streams[i].Status = 404
	}
	const want = "every stream asked for POST /chat and got status 404; the path is stream.path in the file, or --path"
	for name, write := range map[string]Reporter{"text": TextOn(Screen{}), "markdown": Markdown, "html": HTML} {
		if n := strings.Count(string(rendered(t, write, s.input())), want); n != 1 {
			t.Errorf("%s says it %d times, want 1", name, n)
		}
	}
	s.run.Streams[2].Status = 200
	if got := askedFor(s.input(), s.report.Scenarios[0]); got != "" {
		t.Errorf("one stream came through: %q", got)
	}
}

func TestTitle(t *testing.T) {
	for name, want := range map[string]string{
		"stall": "stall", "rst, fin": "rst, fin", longFault: "injected fault: rst after event 5 on the edge link and 2 more",
		strings.Repeat("long ", 30): strings.Repeat("long ", 30),
	} {
		if diff := cmp.Diff(want, title(name)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestSins(t *testing.T) {
	n := func(id string, started int, o map[verdict.Outcome]int) verdict.ScenarioReport {
		return verdict.ScenarioReport{ID: id, Verdict: verdict.Fail, Started: started, Outcomes: o}
	}
	cut := n("cut", 28, map[verdict.Outcome]int{verdict.Aborted: 10, verdict.Truncated: 2, verdict.Corrupt: 0})
	stall := n("stall", 12, map[verdict.Outcome]int{verdict.Stalled: 3})
	late := n("late", 12, map[verdict.Outcome]int{verdict.Complete: 12})
	for want, all := range map[string][]verdict.ScenarioReport{
		"cut failed: 2 of 28 streams truncated": {cut},
		"late failed":                           {late},
		"2 of 2 scenarios failed: cut, stall; 3 of 40 streams stalled, 2 truncated": {cut, stall},
	} {
		if got := headline(Input{Report: &verdict.Report{Verdict: verdict.Fail, Scenarios: all}}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
