package verdict

import (
	"strings"
	"testing"
	"time"

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
		"alike": {[]record.Comparison{alike, alike}, Pass, "same both ways n=2"},
		"an old record's failure": {[]record.Comparison{alike, {Differ: -1, Err: "in one piece: status 500"}}, Fail,
			"status 500"},
		"no text": {[]record.Comparison{{Differ: -1}}, Inconclusive, "no text"},
		"no text in one piece": {[]record.Comparison{{Streamed: 9}}, Inconclusive,
			"no plain text bytes=9"},
		"nobody asked": {nil, Inconclusive, "none both ways"},
		"the stream is short": {[]record.Comparison{alike, {Streamed: 5, Whole: 9, Differ: 5}}, Fail,
			"stream short bytes=5 more=9"},
		"the stream is empty": {[]record.Comparison{{Whole: 9}}, Fail, "stream short more=9"},
		"the stream breaks off": {[]record.Comparison{{Streamed: 5, Whole: 9, Differ: 5,
			StreamedErr: "unexpected EOF"}}, Fail, "stream cut bytes=5 more=9"},
		"both break off": {[]record.Comparison{{StreamedErr: "unexpected EOF",
			WholeErr: "unexpected EOF"}}, Fail, "both cut"},
		"one piece is short": {[]record.Comparison{{Streamed: 9, Whole: 8, Differ: 8}}, Fail,
			"plain short bytes=9 more=8"},
		"one piece breaks off": {[]record.Comparison{{Streamed: 9, WholeErr: "status 502"}}, Fail,
			"plain cut bytes=9"},
		"one is not over when we leave": {[]record.Comparison{{Streamed: 5, Whole: 9, Differ: 5, Limit: time.Minute,
			StreamedErr: "cut after 5 bytes: context deadline exceeded"}}, Inconclusive, "comparison limit"},
		"anew each time": {[]record.Comparison{other(1, 2), other(3, 4)}, Inconclusive,
			"altered anew n=4 bytes=9 more=8"},
		"one comparison is no two": {[]record.Comparison{other(1, 2)}, Inconclusive, "altered anew n=4 bytes=9 more=8"},
		"two things, alike always": {[]record.Comparison{other(1, 2), other(1, 2)}, Fail,
			"altered n=4 of=2 bytes=9 more=8"},
	} {
		s := &Scope{Run: &record.Run{Comparisons: tc.asked},
			Scenario: &record.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}}}
		a := Expectation{}.Check(s)
		if a.Verdict != tc.want || !strings.Contains(shown(a.Fact), tc.why) {
			t.Errorf("%s: %s (%s), want %s", name, a.Verdict, shown(a.Fact), tc.want)
		}
		if a.Verdict == Inconclusive && a.Next == nil {
			t.Errorf("%s: nothing would settle it", name)
		}
	}
}

// TestSameTextUnread: streams that are whole and say nothing that we read, beside a text in
// one piece, are streams in a form that we do not know.
func TestSameTextUnread(t *testing.T) {
	s := &Scope{Run: &record.Run{Comparisons: []record.Comparison{{Whole: 9}}},
		Scenario: &record.Scenario{Policy: record.Policy{Expect: record.ExpectSameText}},
		Streams:  []Graded{{Stream: &record.Stream{Seq: 1}, Grade: Grade{Outcome: Complete}}}}
	if a := (Expectation{}).Check(s); a.Verdict != Inconclusive || !strings.Contains(shown(a.Fact), "no text") {
		t.Errorf("%s (%s)", a.Verdict, shown(a.Fact))
	}
}
