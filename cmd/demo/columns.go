package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width of a column: two of them and the line between fit 120 characters.
const width = 58

// A column is a titled text.
type column struct{ title, text string }

// sideBySide prints two texts beside each other, wrapped.
func sideBySide(w io.Writer, a, b column) {
	left, right := a.lines(), b.lines()
	for i := range max(len(left), len(right)) {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%-*s │ %s", width, l, r), " "))
	}
}

func (c column) lines() []string {
	out := []string{c.title, strings.Repeat("─", width)}
	for line := range strings.Lines(strings.TrimRight(c.text, "\n")) {
		out = append(out, wrap(strings.TrimRight(line, "\n"))...)
	}
	return out
}

// wrap breaks a line at spaces, and inside a word that is longer than the
// column. What follows is indented.
func wrap(line string) []string {
	var out []string
	now := ""
	for word := range strings.FieldsSeq(line) {
		switch {
		case now == "":
			now = word
		case utf8.RuneCountInString(now)+1+utf8.RuneCountInString(word) <= width:
			now += " " + word
		default:
			out = append(out, now)
			now = "    " + word
		}
		for utf8.RuneCountInString(now) > width {
			cut := string([]rune(now)[:width])
			out = append(out, cut)
			now = "    " + now[len(cut):]
		}
	}
	return append(out, now)
}
