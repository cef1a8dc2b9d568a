package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Plain text that declares no end passes where it is equal to what the app answers
// to the same question, fails where it is a beginning of it, and stays open where
// the app answers anew.
func TestTextAgainstReference(t *testing.T) {
	text := func(measured int64, differs, whole bool) synth.Shape {
		return synth.Shape{End: func(s *record.Stream, last time.Duration) {
			synth.Clean(s, last)
			s.Content = stream.Summary{State: stream.Prefix, Measured: measured, Differs: differs, Unprovable: measured == 0 ||
				differs}
			if whole {
				s.Content.State, s.Content.Terminals = stream.Complete, 1
			}
		}}
	}
	reference := func(r record.Reference) func(*synth.Builder) {
		return func(b *synth.Builder) {
			r.Scenario = b.Scenario(0).ID
			b.Run.References = append(b.Run.References, r)
		}
	}
	alike := reference(record.Reference{Asked: 3, Alike: 3, Bytes: 180})
	for _, tt := range []struct {
		name   string
		build  func(*synth.Builder)
		want   verdict.Verdict
		why    string
		doubts int
	}{
		{"equal", policy(func(*record.Policy) {}, alike, add(5, text(180, false, true))), verdict.Pass, "", 1},
		{"equal to the answer in one piece", policy(func(*record.Policy) {}, reference(record.Reference{Asked: 3,
			Alike: 3, Bytes: 180, Plain: true}), add(5, text(180, false, true))), verdict.Pass, "", 0},
		{"a beginning", policy(func(*record.Policy) {}, alike, add(5, text(180, false, true)),
			add(1, text(180, false, false))), verdict.Fail, "counts=[{truncated 1}]", 1},
		{"anew", policy(func(*record.Policy) {}, reference(record.Reference{Asked: 3}), add(5, text(0, false,
			false))), verdict.Inconclusive, "about=[anew n=3]", 1},
		{"something else", policy(func(*record.Policy) {}, alike, add(5, text(180, true, false))), verdict.Inconclusive,
			"about=[differs n=3 of=3", 1},
		{"nobody was asked", add(5, text(0, false, false)), verdict.Inconclusive, "unproved n=5", 1},
	} {
		b := synth.New()
		tt.build(b)
		s := verdict.Judge(&b.Run).Scenarios[0]
		if s.Verdict != tt.want || !strings.Contains(decided(&s), tt.why) || len(s.Doubts) != tt.doubts {
			t.Errorf("%s: %s (%s), %d doubts %+v, want %s (…%s…), %d", tt.name, s.Verdict, decided(&s), len(s.Doubts), s.Doubts,
				tt.want, tt.why, tt.doubts)
		}
	}
}
