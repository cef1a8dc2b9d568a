// Package plural writes numbers of things for the reader. All texts take them from here:
// reports, the program's own lines, and what is said of an answer that was looked at.
package plural

import (
	"strconv"
	"strings"
)

// Of reads "1 stream", "1,200 streams", "2 processes"; noun is the singular of a regular
// one.
func Of(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		noun += "e"
	}
	return Thousands(n) + " " + noun + "s"
}

// Is is the verb of so many things: "is", "are".
func Is(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// Thousands writes n with a comma every three digits.
func Thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
