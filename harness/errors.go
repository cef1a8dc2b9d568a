package harness

import (
	"fmt"
	"strings"
)

// A UsageError is bad input: one line that names the place and the fix. It ends
// the command with exit code 64, before anything is started.
type UsageError struct {
	Place   string // "load.streams", "--url", "streamproof.yaml:3:9"
	Problem string
	Fix     string
}

func (e *UsageError) Error() string {
	if e.Fix == "" {
		return e.Place + ": " + e.Problem
	}
	return e.Place + ": " + e.Problem + "; " + e.Fix
}

// badInput is the error for a name that is not among the known ones.
func badInput(place, got, problem string, known []string) error {
	fix := "known are " + strings.Join(known, ", ")
	if s := Nearest(got, known); s != "" {
		fix = fmt.Sprintf("did you mean %q?", s)
	}
	return &UsageError{Place: place, Problem: fmt.Sprintf("%s %q", problem, got), Fix: fix}
}

// Nearest returns the one of names that is closest to got, or "" where none is
// close: at most a third of its letters may differ.
func Nearest(got string, names []string) string {
	best, dist := "", len(got)/3+1
	for _, n := range names {
		d := levenshtein(strings.ToLower(got), n)
		if d < dist || d == dist && (best == "" || alike(got, n) && !alike(got, best)) {
			best, dist = n, d
		}
	}
	return best
}

// alike reports whether two names begin with the same letter: that is seldom
// mistyped.
func alike(a, b string) bool { return a != "" && b != "" && strings.EqualFold(a[:1], b[:1]) }

// levenshtein counts the single-letter edits between a and b.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diag, row[j] = row[j], min(row[j]+1, row[j-1]+1, diag+cost)
		}
	}
	return row[len(b)]
}
