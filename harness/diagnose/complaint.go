package diagnose

import (
	"regexp"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A complaint is a line of at least a warning that names an error. An app that
// swallows an exception leaves no more than that, if it leaves anything.
var complaint = regexp.MustCompile(`(?i)\b(?:warn(?:ing)?|error|critical)\b.*\b(?:\w*error|\w*exception|failed|` +
	`failure)\b`)

// complaints matches streams with lines of the app's log that complain about
// them by their request ID.
func (v *view) complaints(gs []*verdict.Graded) []match {
	if len(gs) == 0 {
		return nil
	}
	about := make(map[string]hit)
	for _, l := range v.logs[record.AppLog] {
		for _, line := range l.Lines {
			if id := nonceInLine.FindString(line.Text); id != "" && complaint.MatchString(line.Text) {
				about[id] = hit{log: l, line: line}
			}
		}
	}
	var out []match
	for _, g := range gs {
		if h, ok := about[g.Nonce]; ok && g.Nonce != "" && h.near(g.End) {
			out = append(out, match{g, death{at: h.line.At, what: fact{Kind: DeathNoted},
				kind: diedByException, once: true, cite: h.cited()}})
		}
	}
	return out
}
