package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// TestWidths: on a screen of any width no line is wider, but for what is to be copied and
// for a word that is longer than a line, and no word is cut.
func TestWidths(t *testing.T) {
	for name, in := range map[string]Input{"pass": passing(), "fail": failing(), "inconclusive": inconclusive(),
		"judged": judged(t)} {
		whole := words(rendered(t, TextOn(Screen{Terminal: true, Width: 1000}), in))
		for _, width := range []int{50, 80, 120} {
			t.Run(fmt.Sprintf("%s/%d", name, width), func(t *testing.T) {
				text := rendered(t, TextOn(Screen{Terminal: true, Width: width}), in)
				for w, counts := range whole {
					if counts && !slices.Contains(strings.Fields(string(text)), w) {
						t.Errorf("%q is cut", w)
					}
				}
				for line := range strings.Lines(string(text)) {
					line = strings.TrimRight(line, "\n")
					if ansi.StringWidth(line) > width && !copied(line) && len(strings.Fields(line)) > 2 {
						t.Errorf("%d columns: %s", ansi.StringWidth(line), line)
					}
				}
			})
		}
	}
}

// words are those of a text, without the lines of tables and what a table alone has:
// its head, and a count of 0.
func words(text []byte) map[string]bool {
	found := map[string]bool{}
	for _, w := range strings.FieldsFunc(string(text), func(r rune) bool { return r == ' ' || r == '\n' || r >= '─' && r <= '╿' }) {
		found[w] = w != "0" && !slices.Contains(columns, w)
	}
	return found
}

// copied reports whether a line of the text is a command or code, which stays whole.
func copied(line string) bool {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"run next: ", "repeat: "} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		text, indent string
		width        int
		want         []string
	}{
		{"", "", 10, []string{""}},
		{"", "  ", 10, []string{""}},
		{"one two three", "", 7, []string{"one two", "three"}},
		{"one two three", "  ", 7, []string{"  one", "  two", "  three"}},
		{"--total-limit 10m", "", 8, []string{"--total-limit", "10m"}},
		{"a  b", "", 10, []string{"a  b"}},
		{"one  two", "", 5, []string{"one", "two"}},
		{"  deep", "", 10, []string{"  deep"}},
		{"one\n\ntwo", "> ", 10, []string{"> one", ">", "> two"}},
		{"zwölf Käse", "", 5, []string{"zwölf", "Käse"}},
		{"ein 漢字 und", "", 8, []string{"ein 漢字", "und"}},
	} {
		if got := Wrap(tt.text, tt.indent, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("Wrap(%q, %q, %d) = %q, want %q", tt.text, tt.indent, tt.width, got, tt.want)
		}
	}
}
