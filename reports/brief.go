package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/streamproof/streamproof/harness/verdict"
)

// brief says in a few words why a scenario stands where it does: what a pass
// measured, the causes of a failure, or else what happened or what was missing.
func brief(s verdict.ScenarioReport) string {
	note := settledNote(&s)
	switch later := s.Verdict != verdict.Pass && s.Judged() != s.Verdict && s.Judged() != verdict.Fail; {
	case note == "":
		return briefOf(s)
	case later || len(telling(s)) == 0: // Why has the note
		return bound(s.Why, 2*briefBound)
	}
	return note + "; " + briefOf(s)
}

func briefOf(s verdict.ScenarioReport) string {
	bad := telling(s)
	switch {
	case len(bad) == 0, s.Verdict == verdict.NotApplicable:
		return s.Why
	case s.Unable():
		return "cannot run here"
	}
	causes, _ := blamed(s)
	if s.Judged() == verdict.Fail && len(causes) > 0 {
		return because(causes)
	}
	what := bound(cmp.Or(bad[0].Why, checkLabel(bad[0].Name)), briefBound)
	if n := len(bad) - 1; n > 0 {
		what += "; and " + count(n, "more check")
	}
	return what
}

// briefBound is what a cell of a table holds, in runes.
const briefBound = 160

// because reads "worker killed", or "worker killed and 2 more causes".
func because(causes []verdict.Cause) string {
	n := 0
	for i := range causes {
		if i > 0 && !further(causes, i) {
			n++
		}
	}
	first := title(causes[0].Cause)
	if n > 0 {
		return first + " and " + count(n, "more cause")
	}
	return first
}

// telling returns the checks that did not pass, worst first. Of a scenario that
// never began only the reason is told: the rest follows from it.
func telling(s verdict.ScenarioReport) []verdict.Check {
	bad := open(s.Checks)
	if s.Unbegun() {
		bad = slices.DeleteFunc(bad, func(c verdict.Check) bool { return c.Verdict == verdict.Inconclusive && !c.Prevents() })
	}
	return bad
}

// aside parts the scenarios that do not apply to this app from all others.
func aside(all []verdict.ScenarioReport) (judged, not []verdict.ScenarioReport) {
	for _, s := range all {
		if s.Verdict == verdict.NotApplicable {
			not = append(not, s)
		} else {
			judged = append(judged, s)
		}
	}
	return judged, not
}

// applying is what would make a scenario apply that does not.
func applying(s verdict.ScenarioReport) string {
	for _, d := range s.Doubts {
		if d.Why == s.Why {
			return d.Settle
		}
	}
	return ""
}

// alike puts scenarios that could not be played for the same reason into one,
// so that the reason is read once.
func alike(all []verdict.ScenarioReport) []verdict.ScenarioReport {
	var out []verdict.ScenarioReport
	for _, s := range all {
		i := slices.IndexFunc(out, func(o verdict.ScenarioReport) bool {
			return o.Unable() && s.Unable() && o.Why == s.Why || o.Verdict == verdict.NotApplicable && s.Verdict == o.Verdict &&
				o.Why == s.Why
		})
		if i < 0 {
			out = append(out, s)
			continue
		}
		out[i].ID += ", " + s.ID
	}
	return out
}

// blamed parts the causes of a scenario. What our own fault did to streams that
// broke no check is no finding: of those only a note is left.
func blamed(s verdict.ScenarioReport) (causes []verdict.Cause, note string) {
	n := 0
	for _, c := range s.Causes {
		if c.Injected && len(c.Checks) == 0 {
			n += c.Count
		} else {
			causes = append(causes, c)
		}
	}
	if n > 0 {
		note = count(n, "stream") + " ended early because of the injected fault, which this scenario allows"
	}
	return causes, note
}

// further reports whether cause i of the list is folded into the short list
// behind the first: a guess, or what stands on the same evidence.
func further(causes []verdict.Cause, i int) bool {
	if i == 0 {
		return false
	}
	c := causes[i]
	return c.Confidence == "possible" || len(c.Evidence) > 0 && sameEvidence(c, causes[0])
}

// titleBound is what a heading holds, in runes.
const titleBound = 64

// title is a name for a heading: a fault of many parts goes by its first.
func title(name string) string {
	parts := strings.Split(name, ", ")
	if len(parts) < 2 || utf8.RuneCountInString(name) <= titleBound {
		return name
	}
	return fmt.Sprintf("%s and %d more", parts[0], len(parts)-1)
}
