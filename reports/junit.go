package reports

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// JUnit writes junit.xml: a suite per scenario, a case per check, and the suite
// "run" for what is no scenario's own. A failed check is a failure. An
// inconclusive one is an error: CI systems show a skipped case in grey, and then
// nothing would be proved and nothing be seen. What does not apply to the app is
// skipped, and so is what a quarantine, a retry or the suite excuses. The file has no
// failure and no error if, and only if, the run passed.
func JUnit(w io.Writer, in Input) error {
	in, _ = in.safe()
	suites := []junit.Testsuite{{}} // the run's own stands first and is made last
	worst := verdict.Pass
	for _, s := range in.scenarios() {
		suites = append(suites, suite(in, s))
		if forgiven(in.Report, &s) {
			continue
		}
		worst = worst.Worse(orUnknown(s.Counts()))
		for _, c := range s.Checks {
			worst = worst.Worse(orUnknown(c.Verdict))
		}
	}
	suites[0] = runSuite(in, worst)
	all := junit.Testsuites{Name: "streamproof", Time: xmlSeconds(in.lasted())}
	for i, s := range suites {
		s.ID = i
		all.AddSuite(s)
	}
	if _, err := io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"); err != nil {
		return err
	}
	return all.WriteXML(w)
}

// runSuite holds the state of the record, and the verdict over all where it is
// worse than that of any scenario: otherwise one fault would count twice.
func runSuite(in Input, worst verdict.Verdict) junit.Testsuite {
	s := newSuite(in, "run", in.lasted())
	s.AddProperty("seed", fmt.Sprint(in.Report.Seed))
	s.AddProperty("repro", in.Report.Repro)
	s.AddProperty("verdict", string(orUnknown(in.Report.Verdict)))
	s.AddProperty("streams", fmt.Sprint(in.Report.Started))
	s.AddProperty("outcomes", tally(in.Report.Outcomes))
	if all := causesOfRun(in); all != "" {
		s.SystemOut = &junit.Output{Data: all}
	}
	whole := verdict.Check{Name: "record is whole", Verdict: verdict.Pass}
	if !in.Report.Complete {
		whole.Verdict, whole.Why = verdict.Inconclusive, notWhole(in.run())
		worst = worst.Worse(verdict.Inconclusive)
	}
	s.AddTestcase(testcase("run", whole, ""))
	for _, n := range in.run().Notes {
		if n.Kind == record.NoteHarness {
			c := verdict.Check{Name: "harness: " + n.Text, Verdict: verdict.Inconclusive, Why: n.Text}
			s.AddTestcase(testcase("run", c, n.Settle))
			worst = worst.Worse(verdict.Inconclusive)
		}
	}
	if rank(in.Report.Verdict) < rank(worst) && !in.Report.Passes() {
		s.AddTestcase(testcase("run", verdict.Check{Name: "verdict", Verdict: in.Report.Verdict, Why: headline(in)}, ""))
	}
	return s
}

// notWhole says why a record is not whole.
func notWhole(run *record.Run) string {
	switch {
	case run.Interrupted:
		return "the run was interrupted"
	case run.Torn > 0:
		return fmt.Sprintf("the record is torn: its last %s make no whole entry", count(run.Torn, "byte"))
	case run.Finished == record.Never:
		return "the record has no end: the run was killed"
	}
	return "the record is not whole"
}

func suite(in Input, s verdict.ScenarioReport) junit.Testsuite {
	out := newSuite(in, s.ID, scenarioTime(in.run(), s.ID))
	out.AddProperty("verdict", string(s.Verdict))
	out.AddProperty("streams", fmt.Sprint(s.Started))
	out.AddProperty("outcomes", tally(s.Outcomes))
	if note := settledNote(&s); note != "" {
		out.AddProperty("settled", note)
	}
	add := func(c verdict.Check, detail string) {
		tc := testcase(s.ID, c, detail)
		if forgiven(in.Report, &s) {
			tc = excusedCase(tc, settledNote(&s))
		}
		out.AddTestcase(tc)
	}
	detail := causesPlain(s)
	seen := map[string]int{}
	worst := verdict.Pass
	for _, c := range s.Checks {
		if rank(c.Verdict) < rank(worst) {
			worst = c.Verdict
		}
		// Some CI systems keep only the last of two cases with one name.
		if seen[c.Name]++; seen[c.Name] > 1 {
			c.Name = fmt.Sprintf("%s #%d", c.Name, seen[c.Name])
		}
		add(c, detail)
	}
	if len(s.Checks) == 0 || rank(s.Verdict) < rank(worst) {
		// No check says what the scenario says: a crash, or a verdict from elsewhere.
		c := verdict.Check{Name: "verdict", Verdict: s.Verdict, Why: s.Why}
		add(c, detail)
	}
	if q := s.Quarantine; q != nil && q.Expired {
		c := verdict.Check{Name: "quarantine", Verdict: verdict.Fail, Why: quarantineNote(&s)}
		out.AddTestcase(testcase(s.ID, c, ""))
	}
	return out
}

// excusedCase is a case that did not pass and fails no job: shown as skipped, with the
// reason before what happened.
func excusedCase(tc junit.Testcase, why string) junit.Testcase {
	for _, res := range []*junit.Result{tc.Failure, tc.Error} {
		if res != nil {
			tc.Failure, tc.Error = nil, nil
			tc.Skipped = &junit.Result{Message: why + ": " + res.Message}
		}
	}
	return tc
}

func newSuite(in Input, name string, took time.Duration) junit.Testsuite {
	s := junit.Testsuite{Name: name, Package: "streamproof", Time: xmlSeconds(took)}
	if at := in.Report.StartedAt; !at.IsZero() {
		s.SetTimestamp(at.UTC())
	}
	return s
}

// testcase says in the message what happened, between the names of scenario and
// check: some viewers show nothing but the message.
func testcase(scenario string, c verdict.Check, detail string) junit.Testcase {
	tc := junit.Testcase{Name: c.Name, Classname: "streamproof." + scenario, Status: string(c.Verdict)}
	if c.Verdict == verdict.Pass {
		return tc
	}
	res := &junit.Result{
		Message: fmt.Sprintf("%s: %s [%s]", scenario, cmp.Or(c.Why, "no reason given"), c.Name),
		Type:    string(c.Verdict),
		Data:    detail,
	}
	switch c.Verdict {
	case verdict.Fail, verdict.Flaky:
		tc.Failure = res
	case verdict.NotApplicable:
		tc.Skipped = &junit.Result{Message: res.Message} // its schema knows no more
	default:
		tc.Error = res
	}
	return tc
}

// causesOfRun lists the distinct causes of a run, each once, in plain lines.
func causesOfRun(in Input) string {
	var b strings.Builder
	for _, d := range distinctCauses(in) {
		c := d.Cause
		fmt.Fprintf(&b, "%s: %s (%s)\n  %s\n", d.Rank, c.Cause, causeLine(c), d.explains())
		if to := diagnose.Link(c.Cause); to != "" {
			fmt.Fprintf(&b, "  about it: %s\n", to)
		}
		if c.Summary != "" {
			fmt.Fprintf(&b, "  %s\n", c.Summary)
		}
		for _, e := range c.Evidence {
			fmt.Fprintf(&b, "  evidence: %s\n", e)
		}
		b.WriteString(fixPlain(c.Fix))
	}
	return b.String()
}

// fixPlain is a fix in plain lines.
func fixPlain(fix string) string {
	if fix == "" {
		return ""
	}
	return "  fix:\n    " + strings.ReplaceAll(fix, "\n", "\n    ") + "\n"
}

// causesPlain names the causes of a scenario with their fixes, which is what a
// person reads beside a failed case; their evidence stands with the run's suite.
func causesPlain(s verdict.ScenarioReport) string {
	var b strings.Builder
	causes, note := blamed(s)
	if note != "" {
		fmt.Fprintln(&b, note)
	}
	for i, c := range causes {
		if further(causes, i) {
			fmt.Fprintf(&b, "possible cause: %s\n", c.Cause)
			continue
		}
		fmt.Fprintf(&b, "cause: %s (%s)\n%s", c.Cause, causeLine(c), fixPlain(c.Fix))
	}
	for _, d := range s.Doubts {
		fmt.Fprintf(&b, "doubt: %s: %s", d.About, d.Why)
		if d.Settle != "" {
			fmt.Fprintf(&b, "; next step: %s", d.Settle)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// scenarioTime is the time between the first and the last moment that the
// record knows of a scenario.
func scenarioTime(run *record.Run, id string) time.Duration {
	from, to := span(run, id)
	return max(to-from, 0)
}

func xmlSeconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
