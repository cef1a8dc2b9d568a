// Package suggest finds the name that was probably meant.
package suggest

import "strings"

// Nearest returns the one of names that is closest to got, or "" where none is
// close: at most a third of its letters may differ, and one more.
func Nearest(got string, names []string) string {
	best, dist := "", len(got)/3+1
	for _, n := range names {
		d := distance(strings.ToLower(got), n)
		if d < dist || d == dist && (best == "" || alike(got, n) && !alike(got, best)) {
			best, dist = n, d
		}
	}
	return best
}

// alike reports whether two names begin with the same letter: that is seldom
// mistyped.
func alike(a, b string) bool { return a != "" && b != "" && strings.EqualFold(a[:1], b[:1]) }

// distance is that of Levenshtein: how many letters have to be put in, taken out or
// replaced to make b of a.
func distance(a, b string) int {
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
