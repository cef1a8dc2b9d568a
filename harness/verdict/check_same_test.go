package verdict

import (
	"encoding/json"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

func TestSameText(t *testing.T) {
	note := func(c record.Comparison) record.Note {
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return record.Note{Kind: record.NoteCompare, Text: string(text)}
	}
	alike := note(record.Comparison{Nonce: "n", Streamed: 9, Whole: 9, Differ: -1})
	for name, tc := range map[string]struct {
		notes []record.Note
		want  Verdict
	}{
		"alike":        {[]record.Note{alike, alike}, Pass},
		"one differs":  {[]record.Note{alike, note(record.Comparison{Streamed: 9, Whole: 8, Differ: 8})}, Fail},
		"one failed":   {[]record.Note{alike, note(record.Comparison{Differ: -1, Err: "in one piece: status 500"})}, Fail},
		"no text":      {[]record.Note{note(record.Comparison{Differ: -1})}, Inconclusive},
		"nobody asked": {nil, Inconclusive},
	} {
		s := &Scope{Run: &record.Run{}, Scenario: &record.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}}, Notes: tc.notes}
		a := Expectation{}.Check(s)
		if a.Verdict != tc.want {
			t.Errorf("%s: %s (%s), want %s", name, a.Verdict, a.Why, tc.want)
		}
		if a.Verdict == Inconclusive && a.Settle == "" {
			t.Errorf("%s: nothing would settle it", name)
		}
	}
}
