package reports

import "slices"

// A matrix has a line per scenario and a column per check; its cells lead to the
// evidence.
type matrix struct {
	Checks []string
	Lines  []matrixLine
}

type matrixLine struct {
	ID, Link string
	Verdict  verdictView
	Cells    []matrixCell
}

// A matrixCell is empty where the scenario does not ask the question.
type matrixCell struct {
	Asked   bool
	Verdict verdictView
	Link    string
	Label   string // for those who cannot see the shape
}

func matrixOf(sections []*section) matrix {
	var m matrix
	for _, s := range sections {
		for _, c := range s.Checks {
			if !slices.Contains(m.Checks, c.Label) {
				m.Checks = append(m.Checks, c.Label)
			}
		}
	}
	for _, s := range sections {
		l := matrixLine{ID: s.ID, Link: "#" + s.Anchor, Verdict: s.Verdict, Cells: make([]matrixCell, len(m.Checks))}
		for _, c := range s.Checks {
			i := slices.Index(m.Checks, c.Label)
			if l.Cells[i].Asked && rankClass(l.Cells[i].Verdict) <= rankClass(c.Verdict) {
				continue // asked twice: the worse answer shows
			}
			l.Cells[i] = matrixCell{true, c.Verdict, "#" + c.Anchor, s.ID + ": " + c.Label + ": " + c.Verdict.Class}
		}
		m.Lines = append(m.Lines, l)
	}
	return m
}
