package verdict_test

import (
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestOrderAndOwnerMustBeSeen: what the user names as proof passes where it was
// there, fails where it convicts, and is inconclusive where it never came.
func TestOrderAndOwnerMustBeSeen(t *testing.T) {
	whole := func(change func(*stream.Summary)) synth.End {
		return func(s *record.Stream, last time.Duration) {
			synth.Whole(s, last)
			change(&s.Content)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*stream.Summary)
		want   verdict.Verdict
	}{
		{"both seen", func(c *stream.Summary) { c.Numbered, c.Echoed = 20, 20 }, verdict.Pass},
		{"echoed once", func(c *stream.Summary) { c.Numbered, c.Echoed = 20, 1 }, verdict.Pass},
		{"a gap", func(c *stream.Summary) { c.Numbered, c.Echoed, c.State = 19, 19, stream.Gap }, verdict.Fail},
		{"foreign", func(c *stream.Summary) { c.Numbered, c.Echoed, c.State = 20, 19, stream.Foreign }, verdict.Fail},
		{"no number", func(c *stream.Summary) { c.Echoed = 20 }, verdict.Inconclusive},
		{"numbers that count nothing", func(c *stream.Summary) { c.Numbered, c.Echoed, c.Uncounted = 20, 20, true },
			verdict.Inconclusive},
		{"no echo", func(c *stream.Summary) { c.Numbered = 20 }, verdict.Inconclusive},
		{"an ID of the app's own", func(c *stream.Summary) { c.Numbered, c.Other = 20, "chatcmpl-1" }, verdict.Inconclusive},
	} {
		b := synth.New()
		b.Run.Plan.Request.Order, b.Run.Plan.Request.Owner = ".seq", ".req"
		b.Add(10, synth.Shape{End: whole(tt.change)})
		b.Wave(10, 10, 0)
		if s := verdict.Judge(&b.Run).Scenarios[0]; s.Verdict != tt.want {
			t.Errorf("%s: %s (%s), want %s", tt.name, s.Verdict, decided(&s), tt.want)
		}
	}
}
