package reports

import (
	"slices"

	"github.com/streamproof/streamproof/harness/verdict"
)

// edgeLines says of each edge of the run what it does to cut streams, once for
// each form. It stands at the top: where the edge launders, no status and no
// ending in the rest of the report means what it seems to.
func edgeLines(in Input) []string {
	var lines []string
	for _, s := range in.Report.Scenarios {
		if l := edgeLine(s.Edge); l != "" && !slices.Contains(lines, l) {
			lines = append(lines, l)
		}
	}
	return lines
}

func edgeLine(e *verdict.EdgeReport) string {
	switch {
	case e == nil:
		return ""
	case e.Edge == "":
		return e.Summary
	}
	return e.Edge + ": " + e.Summary
}
