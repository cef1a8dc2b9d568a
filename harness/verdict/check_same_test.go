package verdict

import (
	"strings"
	"testing"

	"github.com/streamproof/streamproof/harness/record"
)

func TestSameText(t *testing.T) {
	alike := record.Comparison{Nonce: "n", Streamed: 9, Whole: 9, Differ: -1}
	other := func(streamed, whole uint64) record.Comparison {
		return record.Comparison{Streamed: 9, Whole: 8, Differ: 4, StreamedSum: streamed, WholeSum: whole}
	}
	for name, tc := range map[string]struct {
		asked []record.Comparison
		want  Verdict
		why   string
	}{
		"alike": {[]record.Comparison{alike, alike}, Pass, "2 answers"},
		"an old record's failure": {[]record.Comparison{alike, {Differ: -1, Err: "in one piece: status 500"}}, Fail,
			"status 500"},
		"no text": {[]record.Comparison{{Differ: -1}}, Inconclusive, "no text"},
		"no text in one piece": {[]record.Comparison{{Streamed: 9}}, Inconclusive,
			"no text was found in the answer in one piece"},
		"nobody asked": {nil, Inconclusive, "saw 0"},
		"the stream is short": {[]record.Comparison{alike, {Streamed: 5, Whole: 9, Differ: 5}}, Fail,
			"ends after 5 of 9 bytes of the answer in one piece: the answer in one piece is whole, so look at how the stream " +
				"is handled"},
		"the stream is empty": {[]record.Comparison{{Whole: 9}}, Fail, "ends after 0 of 9"},
		"the stream breaks off": {[]record.Comparison{{Streamed: 5, Whole: 9, Differ: 5,
			StreamedErr: "unexpected EOF"}}, Fail, "the answer in one piece is whole"},
		"both break off": {[]record.Comparison{{StreamedErr: "unexpected EOF",
			WholeErr: "unexpected EOF"}}, Fail, "worker timeouts and restarts"},
		"one piece is short": {[]record.Comparison{{Streamed: 9, Whole: 8, Differ: 8}}, Fail,
			"only the answer in one piece is cut"},
		"one piece breaks off": {[]record.Comparison{{Streamed: 9, WholeErr: "status 502"}}, Fail,
			"only the answer in one piece is cut"},
		"anew each time":           {[]record.Comparison{other(1, 2), other(3, 4)}, Inconclusive, "answers each time anew"},
		"one comparison is no two": {[]record.Comparison{other(1, 2)}, Inconclusive, "answers each time anew"},
		"two things, alike always": {[]record.Comparison{other(1, 2), other(1, 2)}, Fail,
			"differ from byte 4 on, alike in 2 of 2"},
	} {
		s := &Scope{Run: &record.Run{Comparisons: tc.asked},
			Scenario: &record.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}}}
		a := Expectation{}.Check(s)
		if a.Verdict != tc.want || !strings.Contains(a.Why, tc.why) {
			t.Errorf("%s: %s (%s), want %s", name, a.Verdict, a.Why, tc.want)
		}
		if a.Verdict == Inconclusive && a.Settle == "" {
			t.Errorf("%s: nothing would settle it", name)
		}
	}
}
