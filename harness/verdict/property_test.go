package verdict_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// anyStream draws the fields that a grade depends on, possible together or not:
// a record from a bug or a disk must not earn better than it deserves either.
func anyStream(t *rapid.T) *record.Stream {
	pick := func(name string, from ...string) string { return rapid.SampledFrom(from).Draw(t, name) }
	when := func(name string) time.Duration {
		return time.Duration(rapid.Int64Range(int64(record.Never), 10).Draw(t, name))
	}
	s := &record.Stream{Headers: when("headers"), End: when("end"), First: when("first"), Send: when("send"),
		Status: rapid.SampledFrom([]int{0, 200, 204, 404, 503}).Draw(t, "status"),
		Frames: rapid.IntRange(0, 3).Draw(t, "frames")}
	s.Wire = record.Wire{
		Framing: record.Framing(pick("framing", "chunked", "length", "close", "h2", "none", "")),
		Close:   record.Close(pick("close", "", "fin", "rst", "error")),
		Where: record.Where(pick("where", "before connect", "before headers", "in headers", "in chunk header", "in chunk",
			"between chunks", "before last CRLF", "in body", "at end", "after end", "")),
		Garbage: pick("garbage", "", "", "", "zz"), Lingered: when("lingered")}
	s.Limit = record.Limit(pick("limit", "", "", "connect", "headers", "first event", "gap", "total", "header size",
		"frame size", "run ended", "client abort", "worker lost"))
	s.Content = stream.Summary{
		State: stream.State(pick("state", "complete", "valid prefix", "truncated frame", "corrupt", "gap", "duplicate",
			"reordered", "foreign", "empty", "")),
		Terminals: rapid.IntRange(0, 2).Draw(t, "terminals"), Errors: rapid.IntRange(0, 1).Draw(t, "errors"),
		Unprovable: rapid.Bool().Draw(t, "unprovable")}
	return s
}

// A stream starts as failed: whatever the record says, it has one of the known
// outcomes, and the good ones only for a reason.
func TestGradesAreEarned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyStream(t)
		g := verdict.GradeStream(s, record.Policy{GapLimit: limit})
		if !slices.Contains(verdict.Outcomes, g.Outcome) || g.Ending == "" || g.Content == "" {
			t.Fatalf("grade = %+v", g)
		}
		switch g.Outcome {
		case verdict.Complete:
			if s.Content.Errors > 0 || s.Headers == record.Never || s.Status >= 400 {
				t.Fatalf("complete with an error: %+v", g)
			}
			// A Content-Length that was reached proves what a text itself cannot.
			length := s.Wire.Framing == record.Length && s.Content.Unprovable && g.Ending == verdict.CleanEOF
			if s.Content.State != stream.Complete && !g.Has(verdict.Unprovable) && !length {
				t.Fatalf("complete without proof: %+v", g)
			}
		case verdict.FailedClean:
			if s.Content.Errors == 0 && s.Status < 400 {
				t.Fatalf("failed cleanly without a word of failure: %+v", g)
			}
		case verdict.Cancelled:
			if !s.Limit.Cancelled() && s.End != record.Never {
				t.Fatalf("cancelled by nobody: %+v", g)
			}
		}
	})
}
