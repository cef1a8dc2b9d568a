package reports

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// suiteLine says how the scenarios of a run were chosen; "" where they were named singly.
func suiteLine(in Input) string {
	s := in.Report.Suite
	if s == nil {
		return ""
	}
	var parts []string
	if s.Name != "" {
		parts = append(parts, "suite "+s.Name)
	}
	if s.Shards > 0 {
		parts = append(parts, fmt.Sprintf("shard %d of %d: %d of %s, split %s", s.Shard, s.Shards, len(in.scenarios()),
			count(len(s.All), "scenario"), s.Split))
	}
	if s.Retry > 0 {
		parts = append(parts, fmt.Sprintf("retry %d", s.Retry))
	}
	if s.Retries > 0 {
		flaky := "fails the run"
		if s.FlakyPasses {
			flaky = "lets the run pass"
		}
		parts = append(parts, fmt.Sprintf("up to %s, a flaky scenario %s", count(s.Retries, "more attempt"), flaky))
	}
	return strings.Join(parts, "; ")
}

// settledNote says what became of a scenario beyond its first attempt, and of its
// quarantine; "" where there is nothing to say.
func settledNote(s *verdict.ScenarioReport) string {
	var parts []string
	for _, p := range []string{attemptsNote(s), quarantineNote(s)} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if s.Skipped {
		parts = append(parts, "cannot run here, and does not count")
	}
	return strings.Join(parts, "; ")
}

// attemptsNote reads "failed, passed on retry 1".
func attemptsNote(s *verdict.ScenarioReport) string {
	if len(s.Attempts) == 0 {
		return ""
	}
	var parts []string
	for i, a := range s.Attempts {
		words := map[verdict.Verdict]string{verdict.Pass: "passed", verdict.Fail: "failed"}
		word := cmp.Or(words[a.Verdict], "could not be decided")
		if i > 0 {
			word += fmt.Sprintf(" on retry %d", i)
		}
		parts = append(parts, word)
	}
	return strings.Join(parts, ", ")
}

// quarantineNote says whether a quarantine holds.
func quarantineNote(s *verdict.ScenarioReport) string {
	q := s.Quarantine
	switch {
	case q == nil:
		return ""
	case q.Expired:
		return fmt.Sprintf("its quarantine ended with %s (%s), which fails the run: remove it, or give it a later date",
			q.Until, q.Reason)
	case q.Excused:
		return fmt.Sprintf("quarantined until %s (%s): does not count", q.Until, q.Reason)
	}
	return fmt.Sprintf("not in need of its quarantine until %s (%s)", q.Until, q.Reason)
}

// firstBad is what the first attempt found that did not pass, of which the report tells;
// where a later one is worse, what that found.
func firstBad(s *verdict.ScenarioReport) string {
	if s.Judged() != verdict.Fail {
		for _, a := range s.Attempts {
			if a.Verdict == verdict.Fail {
				return a.Why
			}
		}
	}
	return decided(s)
}

// excused lists the scenarios of a run that did not pass and do not count for it.
func excused(r *verdict.Report) (quarantined, skipped, flaky []string) {
	for i := range r.Scenarios {
		switch s := &r.Scenarios[i]; {
		case s.Quarantine != nil && s.Quarantine.Excused:
			quarantined = append(quarantined, s.ID)
		case s.Skipped:
			skipped = append(skipped, s.ID)
		case s.Verdict == verdict.Flaky:
			flaky = append(flaky, s.ID)
		}
	}
	return quarantined, skipped, flaky
}

// excusedLine reads "; 1 quarantined (cut); 2 not able to run here (squeeze, memory-kill)": a
// pass is not green in silence.
func excusedLine(r *verdict.Report) string {
	quarantined, skipped, flaky := excused(r)
	var b strings.Builder
	for _, x := range []struct {
		what string
		ids  []string
	}{{"quarantined", quarantined}, {"not able to run here", skipped}, {"flaky", flaky}} {
		if len(x.ids) > 0 {
			fmt.Fprintf(&b, "; %d %s (%s)", len(x.ids), x.what, abbreviate(x.ids))
		}
	}
	return b.String()
}

// forgiven reports whether what did not pass in the first attempt of a scenario does not
// fail the run: it is shown, and is no failure for a CI job.
func forgiven(r *verdict.Report, s *verdict.ScenarioReport) bool {
	switch s.Counts() {
	case verdict.NotApplicable:
		return s.Verdict != verdict.NotApplicable
	case verdict.Flaky:
		return r.FlakyPasses()
	case verdict.Pass:
		return len(s.Attempts) > 0
	}
	return false
}

// An attemptView is one time that a scenario was played.
type attemptView struct {
	Verdict         verdictView
	Label, Why, Own string // Own is the report of its own, "" for the first time
	Took            string
}

func attemptViews(s *verdict.ScenarioReport) []attemptView {
	var out []attemptView
	for i, a := range s.Attempts {
		v := attemptView{Verdict: viewOf(a.Verdict), Label: "first attempt", Why: a.Why}
		if i > 0 {
			v.Label, v.Own = fmt.Sprintf("retry %d", i), a.Folder+"/"+HTMLFile
		} else {
			v.Why = cmp.Or(a.Why, decided(s))
		}
		if a.Took != nil {
			v.Took = short(seconds(*a.Took))
		}
		out = append(out, v)
	}
	return out
}

// decided is what the checks of the first attempt say.
func decided(s *verdict.ScenarioReport) string {
	if c := s.Decided(); c != nil {
		return c.Why
	}
	return ""
}
