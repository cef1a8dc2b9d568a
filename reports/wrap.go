package reports

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Wrap breaks text into lines of at most width columns, each behind indent. It breaks
// at spaces and nowhere else: half a flag or half a path cannot be copied, so a longer
// word stands on a line of its own. Line breaks of text stay.
func Wrap(text, indent string, width int) []string {
	var lines []string
	for part := range strings.SplitSeq(text, "\n") {
		line, used := indent, 0
		for i, word := range strings.Split(part, " ") {
			wide := ansi.StringWidth(line) + 1 + ansi.StringWidth(word)
			switch {
			case i == 0:
				line += word
			case word != "" && used > 0 && wide > width:
				lines, line = append(lines, strings.TrimRight(line, " ")), indent+word
			default:
				line += " " + word
			}
			if word != "" {
				used++
			}
		}
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}
