package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// TestWidths: on a screen of any width nothing is wider, but for a word that is longer than
// a line and for commands to be pasted, and nothing is cut inside a word.
func TestWidths(t *testing.T) {
	shown := func(args []string, width string) string {
		t.Setenv("COLUMNS", width)
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != exitPass {
			t.Fatalf("%q: exit code %d\n%s", args, code, &errs)
		}
		return out.String()
	}
	words := func(text string) []string { return slices.Sorted(slices.Values(strings.Fields(text))) }
	for _, args := range [][]string{{"run", "--help"}, {"probe", "--help"}, {"diagnose", "--help"}, {"init", "--help"},
		{"scenarios", "--help"},
		{"scenarios"}, {"scenarios", "--sabotages"}} {
		whole := words(shown(args, "1000"))
		for width, columns := range map[int]string{50: "50", 80: "80", 120: "120"} {
			text := shown(args, columns)
			if !slices.Equal(words(text), whole) {
				t.Errorf("%q at %d columns has other words than on a wide screen", args, width)
			}
			for line := range strings.Lines(text) {
				if ansi.StringWidth(strings.TrimRight(line, "\n")) > width && len(strings.Fields(line)) > 1 &&
					!strings.HasPrefix(strings.TrimSpace(line), "streamproof ") {
					t.Errorf("%q at %d columns has a wider line: %s", args, width, line)
				}
			}
		}
	}
}
