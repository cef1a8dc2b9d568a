package verdict

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Judge grades every stream of a run and puts all questions to all scenarios.
// Causes are left empty: package diagnose fills them in.
func Judge(run *record.Run) *Report { return JudgeScopes(run, Scopes(run)) }

// JudgeScopes is [Judge] for a run that has been sorted and graded already. The
// report's scenarios are in the order of scopes.
func JudgeScopes(run *record.Run, scopes []Scope) *Report {
	r := newReport(run)
	for i := range scopes {
		r.add(judgeScope(&scopes[i]))
	}
	return r.closed()
}

func newReport(run *record.Run) *Report {
	return &Report{Schema: Schema, Verdict: NotApplicable, Seed: run.Plan.Seed, Repro: run.Plan.Repro, Tool: run.Plan.Tool,
		StartedAt: run.Plan.Started, Outcomes: zeroOutcomes(), Scenarios: []ScenarioReport{},
		Complete: run.Finished != record.Never && !run.Interrupted && run.Torn == 0}
}

func (r *Report) add(s ScenarioReport) {
	r.Verdict = r.Verdict.Worse(s.Verdict)
	r.Started += s.Started
	for o, n := range s.Outcomes {
		r.Outcomes[o] += n
	}
	r.Scenarios = append(r.Scenarios, s)
}

// closed is the report when all scenarios are in it.
func (r *Report) closed() *Report {
	if r.Verdict == NotApplicable {
		r.Verdict = Inconclusive // nothing was judged
	}
	r.Why = headline(r)
	return r
}

func judgeScope(s *Scope) ScenarioReport {
	r := ScenarioReport{ID: s.Scenario.ID, Title: s.Scenario.Title, Verdict: Pass, Started: len(s.Streams),
		Outcomes: zeroOutcomes(), Flags: s.flagCounts(), Groups: s.groups(), Checks: []Check{}, Causes: []Cause{},
		Edge: s.edge(), Hops: s.hops(), Replicas: s.replicas(), Clients: s.clients(), Generator: s.generator()}
	for o, n := range Count(s.Streams) {
		r.Outcomes[o] = n
	}
	for _, c := range Checkers(&s.Scenario.Policy) {
		a := c.Check(s)
		if a.Verdict == "" {
			continue
		}
		if severity[a.Verdict] > severity[r.Verdict] {
			r.Verdict, r.Why = a.Verdict, a.Why
		}
		r.Checks = append(r.Checks, a.Check)
		if a.Verdict == Inconclusive || a.Verdict == NotApplicable {
			r.Doubts = append(r.Doubts, Doubt{About: a.Name, Why: a.Why, Settle: a.Settle})
		}
	}
	r.Doubts = append(r.Doubts, s.pacingDoubts()...)
	r.Doubts = append(r.Doubts, s.noteDoubts()...)
	r.Doubts = append(r.Doubts, s.redirectDoubts()...)
	r.Doubts = append(r.Doubts, s.proofDoubts()...)
	r.Doubts = append(r.Doubts, s.unclosedDoubts()...)
	r.setAside()
	if s.Scenario.Policy.Faulty && s.Active != record.Never {
		if took, _, _ := s.recovery(); took != record.Never {
			sec := took.Seconds()
			r.Recovery = &sec
		}
	}
	if r.Verdict == Pass {
		r.Bound = r.bound(s.Scenario.Policy.Faulty)
		r.Why = passWhy(&r)
	}
	return r
}

// setAside makes a scenario not applicable where a check says so and nothing has
// failed: whatever else is open follows from that. A run that broke or was cut
// short is no trait of the app's, and stays inconclusive.
func (r *ScenarioReport) setAside() {
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Verdict == NotApplicable })
	if i < 0 || r.Verdict == Fail || slices.ContainsFunc(r.Checks, Check.cutShort) {
		return
	}
	why := r.Checks[i]
	r.Verdict, r.Why = NotApplicable, why.Why
	r.Checks = slices.DeleteFunc(r.Checks, func(c Check) bool { return c.Verdict == Inconclusive })
	r.Doubts = slices.DeleteFunc(r.Doubts, func(d Doubt) bool { return d.About != why.Name || d.Why != why.Why })
}

// passWhy says what was measured: the counts stand beside it.
func passWhy(r *ScenarioReport) string {
	var parts []string
	if g := r.mainGroup(); g != nil {
		if g.TTFE != nil && g.TTFE.P50 != nil {
			parts = append(parts, "first event "+brief(*g.TTFE.P50)+" (p50)")
		}
		if g.Gap != nil {
			parts = append(parts, "longest silence "+brief(g.Gap.Max))
		}
	}
	if r.Recovery != nil {
		parts = append(parts, "recovered in "+brief(*r.Recovery))
	}
	why := strings.Join(parts, ", ")
	if len(parts) == 0 {
		why = fmt.Sprintf("%d streams: %s", r.Started, Say(r.Outcomes))
	}
	if r.Bound != nil {
		why += "; " + r.Bound.String()
	}
	return why
}

// mainGroup is the group that the scenario is about.
func (r *ScenarioReport) mainGroup() *GroupReport {
	for _, name := range []record.Group{record.Load, record.Victim} {
		for i := range r.Groups {
			if r.Groups[i].Group == name {
				return &r.Groups[i]
			}
		}
	}
	return nil
}

// brief writes seconds with three significant digits: "3.1 ms", "2.5 s".
func brief(sec float64) string {
	switch {
	case sec < 999.5e-6:
		return fmt.Sprintf("%.0f µs", sec*1e6)
	case sec < 0.9995:
		return three(sec*1e3) + " ms"
	}
	return three(sec) + " s"
}

// three writes x with three significant digits, whole numbers in full, no zeros
// at the end and never an exponent.
func three(x float64) string {
	digits := 3
	if a := math.Abs(x); a > 0 {
		digits = min(max(2-int(math.Floor(math.Log10(a))), 0), 9)
	}
	s := strconv.FormatFloat(x, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

func zeroOutcomes() map[Outcome]int {
	n := make(map[Outcome]int, len(Outcomes))
	for _, o := range Outcomes {
		n[o] = 0
	}
	return n
}

func (s *Scope) flagCounts() map[Flag]int {
	n := make(map[Flag]int)
	for i := range s.Streams {
		for _, f := range s.Streams[i].Grade.Flags {
			n[f]++
		}
	}
	return n
}

// noteDoubts passes the harness's own doubts on.
func (s *Scope) noteDoubts() []Doubt {
	var ds []Doubt
	for n := range s.doubts {
		ds = append(ds, Doubt{About: "scenario", Why: doubtText(n), Settle: n.Settle})
	}
	return ds
}

var groupOrder = []record.Group{record.Solo, record.Probe, record.Baseline, record.Victim, record.Control, record.Load,
	record.Browser, record.Recovery}

func (s *Scope) groups() []GroupReport {
	var rs []GroupReport
	for _, name := range groupOrder {
		r := GroupReport{Group: name, Outcomes: zeroOutcomes()}
		var ttfe, gap, took []time.Duration
		for g := range s.InGroup(name) {
			r.Started++
			r.Outcomes[g.Grade.Outcome]++
			if g.Grade.Outcome != Complete {
				continue
			}
			gap = append(gap, g.MaxGap)
			if d, ok := TTFE(g.Stream); ok {
				ttfe = append(ttfe, d)
			}
			if d, ok := DurationOf(g.Stream); ok {
				took = append(took, d)
			}
		}
		if r.Started > 0 {
			r.TTFE, r.Gap, r.Duration = QuantilesOf(ttfe), QuantilesOf(gap), QuantilesOf(took)
			rs = append(rs, r)
		}
	}
	return rs
}

// headline is the report in one sentence.
func headline(r *Report) string {
	var of []string
	var first *ScenarioReport
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Verdict != r.Verdict {
			continue
		}
		if of = append(of, s.ID); first == nil {
			first = s
		}
	}
	switch {
	case len(r.Scenarios) == 0:
		return "no scenario was run"
	case r.Verdict == Pass:
		return fmt.Sprintf("%s; %d streams: %s", passed(len(of), first.ID, len(r.Scenarios)), r.Started, Say(r.Outcomes))
	case len(of) == 0:
		return fmt.Sprintf("nothing was judged: none of %d scenarios applies to this app (%s: %s)", len(r.Scenarios),
			r.Scenarios[0].ID, r.Scenarios[0].Why)
	default:
		word := map[Verdict]string{Fail: "failed", Inconclusive: "could not be decided"}[r.Verdict]
		if len(r.Scenarios) == 1 {
			return fmt.Sprintf("%s %s: %s", first.ID, word, first.Why)
		}
		return fmt.Sprintf("%d of %d scenarios %s (%s); %s: %s", len(of), len(r.Scenarios), word, abbreviate(of), first.ID,
			first.Why)
	}
}

// passed says how many scenarios passed, the first of which is first, and how many
// do not apply.
func passed(n int, first string, of int) string {
	switch aside := of - n; {
	case aside > 0:
		return fmt.Sprintf("%d of %d scenarios passed, %d not applicable to this app", n, of, aside)
	case n == 1:
		return first + " passed"
	}
	return fmt.Sprintf("all %d scenarios passed", n)
}

// abbreviate names at most four.
func abbreviate(ids []string) string {
	const most = 4
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
}
