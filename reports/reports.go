// Package reports shows a judged run to people and to machines. Every reporter
// is a pure function of the stored run and its verdict, so that a report can be
// written again at any time.
//
//  1. [Input] brings the run and what was judged of it. Everything in it that a
//     server, a log or a container said is hostile: [Input.safe] makes a copy
//     without control characters and with bounded lengths, and only then is it
//     shown.
//     Of a long record, which is judged in parts, a [Selection] keeps what is shown.
//  2. [Input.scenarios] adds the scenarios that were planned and never judged:
//     what did not run must be seen, in every format.
//  3. [Text], [JSON], [JUnit], [Markdown] and [HTML] write one format each;
//     [WriteAll] writes the files of the run folder.
//  4. What packages of harness found, they say in facts ([record.Fact]). The files
//     words_….go have one sentence for each kind; [Say] and [Word] put them in.
//     No other package makes sentences for readers, see TestNobodyElseMakesSentences
//     of package record and the list there of those that still do.
//  5. [Progress] is the one part that lives while a run lasts.
//
// A report counts what it leaves out.
package reports

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Reporter writes one format. Its error is that of the writer.
type Reporter func(w io.Writer, in Input) error

// Input is what reporters read. They change nothing in it.
type Input struct {
	Run    *record.Run     // nil where only the verdict is at hand
	Report *verdict.Report // must not be nil
	// Scopes hold the graded streams, see [verdict.Scopes]. Nil lets the HTML
	// report grade them itself.
	Scopes []verdict.Scope
}

// run returns the run, or an empty one.
func (in Input) run() *record.Run {
	if in.Run == nil {
		return &record.Run{Finished: record.Never}
	}
	return in.Run
}

// scenarios returns the judged scenarios in the order of the plan, then one
// inconclusive report for each planned scenario that has none.
func (in Input) scenarios() []verdict.ScenarioReport {
	all := slices.Clone(in.Report.Scenarios)
	for _, p := range in.run().Plan.Scenarios {
		judged := func(s verdict.ScenarioReport) bool { return s.ID == p.ID }
		if !slices.ContainsFunc(all, judged) {
			all = append(all, neverRan(p))
		}
	}
	return all
}

// neverRanCheck is the check that stands for a scenario without a judgement.
const neverRanCheck = "scenario ran"

func neverRan(p record.Scenario) verdict.ScenarioReport {
	why := "planned, but the run ended before it was judged"
	return verdict.ScenarioReport{
		ID: p.ID, Title: p.Title, Verdict: verdict.Inconclusive, Why: why,
		Checks: []verdict.Check{{Name: neverRanCheck, Verdict: verdict.Inconclusive, Why: why, Obligation: true}},
	}
}

// worstFirst orders scenarios for a reader: fail, flaky, inconclusive, pass, not
// applicable; otherwise as they ran.
func worstFirst(all []verdict.ScenarioReport) []verdict.ScenarioReport {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b verdict.ScenarioReport) int {
		return cmp.Compare(rank(a.Verdict), rank(b.Verdict))
	})
	return all
}

// rank is 0 for the worst verdict. An unknown one ranks with inconclusive: it
// must not look like a pass.
func rank(v verdict.Verdict) int {
	switch v {
	case verdict.Fail:
		return 0
	case verdict.Flaky:
		return 1
	case verdict.Pass:
		return 3
	case verdict.NotApplicable:
		return 4
	default:
		return 2
	}
}

// open returns the checks that did not pass, worst first.
func open(checks []verdict.Check) []verdict.Check {
	var bad []verdict.Check
	for _, c := range checks {
		if c.Verdict != verdict.Pass {
			bad = append(bad, c)
		}
	}
	slices.SortStableFunc(bad, func(a, b verdict.Check) int {
		return cmp.Compare(rank(a.Verdict), rank(b.Verdict))
	})
	return bad
}

// doubts parts the doubts of a scenario: those that only repeat a check that is
// open, by its name, and all others. What repeats a cause is left out, as the
// cause says itself what would settle it.
func doubts(s verdict.ScenarioReport) (settle map[string]string, rest []verdict.Doubt) {
	settle = map[string]string{}
	for _, d := range s.Doubts {
		same := func(c verdict.Check) bool { return c.Name == d.About && c.Why == d.Why }
		repeats := func(c verdict.Cause) bool { return d.Cause == c.Cause && d.Settle == c.Settle }
		switch {
		case slices.ContainsFunc(s.Checks, same):
			settle[d.About] = d.Settle
		case !slices.ContainsFunc(s.Causes, repeats):
			rest = append(rest, d)
		}
	}
	return settle, rest
}

// plan finds the plan of a scenario.
func (in Input) plan(id string) record.Scenario {
	for _, p := range in.run().Plan.Scenarios {
		if p.ID == id {
			return p
		}
	}
	return record.Scenario{ID: id}
}

// lasted is how long the run took: 0 if that is not known.
func (in Input) lasted() time.Duration {
	return max(in.run().Finished, 0)
}
