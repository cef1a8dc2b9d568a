package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/verdict"
)

// A distinct is one cause of a run, however many scenarios found it: every report
// begins with these, each once.
type distinct struct {
	verdict.Cause // as the scenario says it that is the surest of it

	Rank   string  // "cause"; "or" where it may be in the place of the one before
	From   string  // the scenario that Cause is taken from
	Where  []found // worst scenario first
	Total  int     // streams that it explains, in all scenarios
	Checks []string
}

// found says how much a cause explains in one scenario.
type found struct {
	ID    string
	Count int // streams
}

// sureness orders levels of confidence, the surest first.
func sureness(confidence string) int {
	if i := slices.Index([]string{"certain", "likely", "possible"}, confidence); i >= 0 {
		return i
	}
	return 3
}

// distinctCauses collects the causes of all scenarios. Guesses that are folded
// behind the first cause of a scenario stay there.
func distinctCauses(in Input) []distinct {
	var out []distinct
	for _, s := range worstFirst(in.scenarios()) {
		if s.Verdict == verdict.NotApplicable {
			continue
		}
		causes, _ := blamed(s)
		for i, c := range causes {
			if !further(causes, i) {
				out = addDistinct(out, s.ID, rankOf(causes, i), c)
			}
		}
	}
	return out
}

func addDistinct(all []distinct, id, rank string, c verdict.Cause) []distinct {
	i := slices.IndexFunc(all, func(d distinct) bool { return d.Cause.Cause == c.Cause && d.Layer == c.Layer })
	if i < 0 {
		if rank == "and" {
			rank = "cause"
		}
		all, i = append(all, distinct{Cause: c, Rank: rank, From: id}), len(all)
	}
	d := &all[i]
	if cmp.Or(cmp.Compare(sureness(c.Confidence), sureness(d.Confidence)), cmp.Compare(d.Count, c.Count)) < 0 {
		d.Cause, d.From = c, id
	}
	d.Where, d.Total = append(d.Where, found{id, c.Count}), d.Total+c.Count
	for _, name := range c.Checks {
		if !slices.Contains(d.Checks, name) {
			d.Checks = append(d.Checks, name)
		}
	}
	return all
}

// explains reads "explains 17 streams: 12 in cut, 5 in worker-kill".
func (d distinct) explains() string {
	if len(d.Where) == 1 {
		if d.Total == 0 {
			return "found in " + d.Where[0].ID
		}
		return fmt.Sprintf("explains %s in %s", count(d.Total, "stream"), d.Where[0].ID)
	}
	var parts []string
	for _, w := range d.Where {
		if w.Count == 0 {
			parts = append(parts, w.ID)
			continue
		}
		parts = append(parts, fmt.Sprintf("%s in %s", thousands(w.Count), w.ID))
	}
	return fmt.Sprintf("explains %s: %s", count(d.Total, "stream"), strings.Join(parts, ", "))
}

// cut reports whether any stream of the run lost its end: what the edge does to
// cuts is then no footnote.
func cut(r *verdict.Report) bool {
	return r.Outcomes[verdict.Truncated]+r.Outcomes[verdict.Aborted]+r.Outcomes[verdict.Corrupt] > 0
}

// edgeNotes are [edgeLines] where streams were cut, and else no more of each than
// its first clause.
func edgeNotes(in Input) []string {
	lines := edgeLines(in)
	if cut(in.Report) {
		return lines
	}
	for i, l := range lines {
		if first, _, more := strings.Cut(l, "; "); more {
			lines[i] = first + " (more in report.html)"
		}
	}
	return lines
}
