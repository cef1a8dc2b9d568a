package verdict

import (
	"slices"
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
		r.add(run, judgeScope(&scopes[i]))
	}
	return r.closed()
}

func newReport(run *record.Run) *Report {
	return &Report{Schema: Schema, Verdict: NotApplicable, Seed: run.Plan.Seed, Repro: run.Plan.Repro, Tool: run.Plan.Tool,
		StartedAt: run.Plan.Started, Outcomes: zeroOutcomes(), Scenarios: []ScenarioReport{},
		Judged:   true,
		Complete: run.Finished != record.Never && !run.Interrupted && run.Torn == 0}
}

func (r *Report) add(run *record.Run, s ScenarioReport) {
	s.timed(run)
	r.Verdict = r.Verdict.Worse(s.Verdict)
	r.Started += s.Started
	for o, n := range s.Outcomes {
		r.Outcomes[o] += n
	}
	r.Scenarios = append(r.Scenarios, s)
}

// timed adds where the time went.
func (r *ScenarioReport) timed(run *record.Run) {
	steps, sum := run.Took(r.ID)
	r.Steps = nil
	for _, s := range steps {
		r.Steps = append(r.Steps, StepReport{s.Name, s.For.Seconds()})
	}
	if sum != record.Never {
		took := sum.Seconds()
		r.Took = &took
	}
}

// closed is the report when all scenarios are in it.
func (r *Report) closed() *Report {
	if r.Verdict == NotApplicable {
		r.Verdict = Inconclusive // nothing was judged
	}
	return r
}

func judgeScope(s *Scope) ScenarioReport {
	r := ScenarioReport{ID: s.Scenario.ID, Title: s.Scenario.Title, Verdict: Pass, Started: len(s.Streams),
		Outcomes: zeroOutcomes(), Flags: s.flagCounts(), Groups: s.groups(), Checks: []Check{}, Causes: []Cause{},
		Edge: s.edge(), Hops: s.hops(), Replicas: s.replicas(), Clients: s.clients(),
		Sessions: s.sessions(), Generator: s.generator()}
	for o, n := range Count(s.Streams) {
		r.Outcomes[o] = n
	}
	for _, c := range Checkers(&s.Scenario.Policy) {
		a := c.Check(s)
		if a.Verdict == "" {
			continue
		}
		r.answer(a)
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
	}
	return r
}

// answer adds the answer of a check.
func (r *ScenarioReport) answer(a Answer) {
	if severity[a.Verdict] > severity[r.Verdict] {
		r.Verdict = a.Verdict
	}
	r.Checks = append(r.Checks, a.Check)
	if a.Verdict == Inconclusive || a.Verdict == NotApplicable {
		r.Doubts = append(r.Doubts, Doubt{About: a.Name, Fact: a.Fact, Next: a.Next})
	}
}

// Decided is the check that decided the verdict: the first one as bad as it. Nil of a
// pass.
func (r *ScenarioReport) Decided() *Check {
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Verdict == r.Judged() && c.Verdict != Pass })
	if i < 0 {
		return nil
	}
	return &r.Checks[i]
}

// setAside makes a scenario not applicable where a check says so and nothing has
// failed: whatever else is open follows from that. A run that broke or was cut
// short is no trait of the app's, and stays inconclusive; so do streams that broke a
// rule with an excuse, and streams that have no outcome.
func (r *ScenarioReport) setAside() {
	i := slices.IndexFunc(r.Checks, func(c Check) bool { return c.Verdict == NotApplicable })
	if i < 0 || r.Verdict == Fail || slices.ContainsFunc(r.Checks, Check.standsAlone) {
		return
	}
	why := r.Checks[i]
	r.Verdict = NotApplicable
	r.Checks = slices.DeleteFunc(r.Checks, func(c Check) bool { return c.Verdict == Inconclusive })
	r.Doubts = slices.DeleteFunc(r.Doubts, func(d Doubt) bool { return d.About != why.Name || d.Fact != why.Fact })
}

// MainGroup is the group that the scenario is about; nil for none.
func (r *ScenarioReport) MainGroup() *GroupReport {
	for _, name := range []record.Group{record.Load, record.Victim} {
		for i := range r.Groups {
			if r.Groups[i].Group == name {
				return &r.Groups[i]
			}
		}
	}
	return nil
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
		ds = append(ds, doubtOn("scenario", doubtOf(n), record.Quoted(n.Settle)))
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
