package reports

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Who repeats a run is told which variables it takes.
func TestRepeatSaysWhatToExport(t *testing.T) {
	for line, want := range map[string]string{
		"streamproof run --seed 7":                                     "",
		"streamproof run --header 'Authorization: ${AUTHORIZATION}'":   "Export AUTHORIZATION first",
		"streamproof run -H 'A: ${A_1}' -H 'B: x${B}' -H 'C: ${A_1}'":  "Export A_1 and B first",
		"streamproof run --url 'http://127.0.0.1/chat?key=WITHHELD'":   "Write the key in the place of WITHHELD",
		"streamproof run --body '{\"price\": \"$5\", \"a\": \"{b}\"}'": "",
	} {
		if got := needed(line); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	in := Input{Report: &verdict.Report{Verdict: verdict.Pass, Complete: true, Repro: "streamproof run -H 'K: ${K}'"},
		Run: &record.Run{}}
	var text, markdown, page strings.Builder
	if err := Text(&text, in); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&markdown, in); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, in); err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]string{"text": text.String(), "Markdown": markdown.String(), "HTML": page.String()} {
		if !strings.Contains(got, "Export K first") {
			t.Errorf("the %s does not say what to export", name)
		}
	}
}
