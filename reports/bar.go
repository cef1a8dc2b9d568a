package reports

import "github.com/streamproof/streamproof/harness/verdict"

// A bar is the stacked bar of outcomes.
type bar struct {
	Segments []segment
	Label    string // the same in words
}

// A segment is one outcome of a bar.
type segment struct {
	Class, Label, Doc, Count string
	N                        int
}

func barOf(n map[verdict.Outcome]int) bar {
	b := bar{Label: tally(n)}
	for _, o := range outcomesIn(n) {
		b.Segments = append(b.Segments, segment{
			Class: class(o), Label: label(o), Doc: outcomeDocs[o], Count: thousands(n[o]), N: n[o],
		})
	}
	return b
}

// class is the CSS class of an outcome; one that we do not know has no colour.
func class(o verdict.Outcome) string {
	if _, ok := outcomeDocs[o]; ok {
		return "o-" + string(o)
	}
	return "o-unknown"
}
