package verdict

import (
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// An Attempt is one time that a scenario was played.
type Attempt struct {
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why"`
	Folder  string   `json:"folder,omitempty"` // of its own record, within the run folder; "" for the first time
	Took    *float64 `json:"took_seconds,omitempty"`
}

// A QuarantineReport is what the user excuses a scenario by.
type QuarantineReport struct {
	Reason string     `json:"reason"`
	Until  record.Day `json:"until"` // the last day
	// Expired says that it was over when the run began: that fails the run, whatever the
	// scenario came to. Excused says that the scenario did not pass and does not count.
	Expired bool `json:"expired,omitempty"`
	Excused bool `json:"excused,omitempty"`
}

// Settle puts together what the scenarios of a run came to and what its retries, in their
// order, came to, as the plan of the run says. It must be called once. folders are those
// of the retries.
//
//	first         retries       verdict
//	pass          none          pass
//	fail          … pass        flaky
//	fail          no pass       fail
//	inconclusive  … pass        pass, with its attempts shown: nothing has ever failed
//	inconclusive  … fail, pass  flaky
//	inconclusive  … fail        fail
//	inconclusive  no other      inconclusive
//
// A quarantine excuses what did not pass; one that is over fails the run.
func (r *Report) Settle(run *record.Run, retries []*Report, folders []string) {
	of := run.Plan.Suite
	if of.IsZero() {
		return
	}
	r.Suite = &of
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		s.attempts(retries, folders)
		if q := of.Quarantined(s.ID); q != nil {
			s.Quarantine = &QuarantineReport{Reason: q.Reason, Until: q.Until, Expired: q.Until.Over(run.Plan.Started)}
			s.Quarantine.Excused = !s.Quarantine.Expired && s.Verdict != Pass && s.Verdict != NotApplicable
		}
		required := slices.ContainsFunc(run.Plan.Scenarios, func(p record.Scenario) bool {
			return p.ID == s.ID && p.Required
		})
		s.Skipped = of.Able && s.Unable() && !required
	}
	r.Verdict = r.settled()
}

// attempts adds the retries of a scenario.
func (r *ScenarioReport) attempts(retries []*Report, folders []string) {
	all := []Attempt{{Verdict: r.Verdict, Took: r.Took}}
	for i, x := range retries {
		for _, s := range x.Scenarios {
			if s.ID == r.ID {
				all = append(all, Attempt{s.Verdict, s.Why, folders[i], s.Took})
			}
		}
	}
	if len(all) > 1 {
		r.Attempts, r.Verdict = all, of(all)
	}
}

// of is the verdict of several attempts.
func of(all []Attempt) Verdict {
	has := func(v Verdict) bool { return slices.ContainsFunc(all, func(a Attempt) bool { return a.Verdict == v }) }
	switch {
	case has(Fail) && has(Pass):
		return Flaky
	case has(Fail):
		return Fail
	case has(Pass):
		return Pass
	}
	return all[0].Verdict
}

// Retriable reports whether playing a scenario again may tell more.
func (r *ScenarioReport) Retriable() bool {
	return (r.Verdict == Fail || r.Verdict == Inconclusive) && !r.Unable()
}

// Judged is the verdict of the checks: that of the first attempt.
func (r *ScenarioReport) Judged() Verdict {
	if len(r.Attempts) > 0 {
		return r.Attempts[0].Verdict
	}
	return r.Verdict
}

// Counts is what a scenario counts as in the verdict of the run; not applicable where it
// does not.
func (r *ScenarioReport) Counts() Verdict {
	switch q := r.Quarantine; {
	case q != nil && q.Expired:
		return Fail
	case q != nil && q.Excused, r.Skipped:
		return NotApplicable
	}
	return r.Verdict
}

// settled is the worst of what the scenarios count as; inconclusive where nothing counts.
func (r *Report) settled() Verdict {
	has := map[Verdict]bool{}
	for i := range r.Scenarios {
		has[r.Scenarios[i].Counts()] = true
	}
	worstFirst := []Verdict{Fail, Flaky, Inconclusive, Pass}
	if r.FlakyPasses() {
		worstFirst = []Verdict{Fail, Inconclusive, Flaky, Pass}
	}
	for _, v := range worstFirst {
		if has[v] {
			return v
		}
	}
	return Inconclusive
}

// FlakyPasses reports whether a run passes whose worst scenario is flaky.
func (r *Report) FlakyPasses() bool { return r.Suite != nil && r.Suite.FlakyPasses }

// Passes reports whether the run is as it must be.
func (r *Report) Passes() bool {
	return r.Verdict == Pass || r.Verdict == Flaky && r.FlakyPasses()
}
