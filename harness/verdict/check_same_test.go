package verdict

import (
	"encoding/json"
	"strings"
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
	other := func(streamed, whole uint64) record.Comparison {
		return record.Comparison{Streamed: 9, Whole: 8, Differ: 4, StreamedSum: streamed, WholeSum: whole}
	}
	for name, tc := range map[string]struct {
		notes []record.Note
		want  Verdict
		why   string
	}{
		"alike":                    {[]record.Note{alike, alike}, Pass, "2 answers"},
		"an old record's failure":  {[]record.Note{alike, note(record.Comparison{Differ: -1, Err: "in one piece: status 500"})}, Fail, "status 500"},
		"no text":                  {[]record.Note{note(record.Comparison{Differ: -1})}, Inconclusive, "no text"},
		"no text in one piece":     {[]record.Note{note(record.Comparison{Streamed: 9})}, Inconclusive, "no text was found in the answer in one piece"},
		"nobody asked":             {nil, Inconclusive, "saw 0"},
		"the stream is short":      {[]record.Note{alike, note(record.Comparison{Streamed: 5, Whole: 9, Differ: 5})}, Fail, "ends after 5 of 9 bytes of the answer in one piece: the answer in one piece is whole, so look at how the stream is handled"},
		"the stream is empty":      {[]record.Note{note(record.Comparison{Whole: 9})}, Fail, "ends after 0 of 9"},
		"the stream breaks off":    {[]record.Note{note(record.Comparison{Streamed: 5, Whole: 9, Differ: 5, StreamedErr: "unexpected EOF"})}, Fail, "the answer in one piece is whole"},
		"both break off":           {[]record.Note{note(record.Comparison{StreamedErr: "unexpected EOF", WholeErr: "unexpected EOF"})}, Fail, "worker timeouts and restarts"},
		"one piece is short":       {[]record.Note{note(record.Comparison{Streamed: 9, Whole: 8, Differ: 8})}, Fail, "only the answer in one piece is cut"},
		"one piece breaks off":     {[]record.Note{note(record.Comparison{Streamed: 9, WholeErr: "status 502"})}, Fail, "only the answer in one piece is cut"},
		"anew each time":           {[]record.Note{note(other(1, 2)), note(other(3, 4))}, Inconclusive, "answers each time anew"},
		"one comparison is no two": {[]record.Note{note(other(1, 2))}, Inconclusive, "answers each time anew"},
		"two things, alike always": {[]record.Note{note(other(1, 2)), note(other(1, 2))}, Fail, "differ from byte 4 on, alike in 2 of 2"},
	} {
		s := &Scope{Run: &record.Run{}, Scenario: &record.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}}, Notes: tc.notes}
		a := Expectation{}.Check(s)
		if a.Verdict != tc.want || !strings.Contains(a.Why, tc.why) {
			t.Errorf("%s: %s (%s), want %s", name, a.Verdict, a.Why, tc.want)
		}
		if a.Verdict == Inconclusive && a.Settle == "" {
			t.Errorf("%s: nothing would settle it", name)
		}
	}
}
