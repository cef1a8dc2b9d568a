package diagnose_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// sentOn ends a stream with a redirect that was not followed.
func sentOn(why record.Unfollowed, host string) synth.End {
	return func(s *record.Stream, last time.Duration) {
		synth.Status(307)(s, last)
		s.Content.State = stream.Empty
		s.Redirects = []record.Redirect{{At: last, Status: 307, Location: "/chat/", Host: host, Unfollowed: why}}
	}
}

// TestRedirects: what a redirect hides is named, is no failure of a stream that
// began, and is inconclusive where load may not go.
func TestRedirects(t *testing.T) {
	followed := func(s *record.Stream, last time.Duration) {
		synth.Whole(s, last)
		s.Redirects = []record.Redirect{{At: s.Send + time.Millisecond, Status: 307, Location: "/chat/"}}
	}
	for _, tt := range []struct {
		name    string
		end     synth.End
		keep    int
		verdict verdict.Verdict
		cause   string
	}{
		{"followed", followed, 0, verdict.Pass, ""},
		{"loop", sentOn(record.RedirectLoop, ""), synth.KeepNone, verdict.Fail, diagnose.RedirectLoop},
		{"too many", sentOn(record.TooManyRedirects, ""), synth.KeepNone, verdict.Fail, diagnose.RedirectLoop},
		{"away", sentOn(record.HostNotAllowed, "app.internal:8000"), synth.KeepNone, verdict.Inconclusive, diagnose.RedirectedAway},
		{"nowhere", sentOn(record.NoLocation, ""), synth.KeepNone, verdict.Fail, diagnose.BrokenRedirect},
		{"not asked to", sentOn(record.FollowingOff, ""), synth.KeepNone, verdict.Fail, diagnose.NotFollowed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "control", Edge: "none", Policy: record.Policy{GapLimit: gap, Checks: checks}})
			b.Add(10, synth.Shape{Keep: tt.keep, End: tt.end})
			b.Wave(10, 10, 0)
			s := reportOf(&b.Run).Scenarios[0]
			if tt.verdict != "" && s.Verdict != tt.verdict {
				t.Errorf("verdict %s (%s), want %s", s.Verdict, s.Why, tt.verdict)
			}
			if want := map[bool]int{true: 10}[tt.keep == synth.KeepNone]; s.Outcomes[verdict.FailedClean] != want {
				t.Errorf("outcomes %v, want %d failed cleanly", s.Outcomes, want)
			}
			var names []string
			for _, c := range s.Causes {
				names = append(names, c.Cause)
			}
			if tt.cause != "" && !slices.Equal(names, []string{tt.cause}) || tt.cause == "" && len(names) > 0 {
				t.Errorf("causes %q, want %q", names, tt.cause)
			}
			if tt.name == "followed" && !slices.ContainsFunc(s.Doubts, func(d verdict.Doubt) bool { return d.About == "redirects" }) {
				t.Errorf("doubts %+v do not speak of the redirect", s.Doubts)
			}
			if tt.name == "away" && !slices.ContainsFunc(s.Doubts, func(d verdict.Doubt) bool {
				return d.Next.Is(verdict.NextAllowHost) && d.Next.Name == "app.internal"
			}) {
				t.Errorf("doubts %+v do not say how to allow the host", s.Doubts)
			}
		})
	}
}
