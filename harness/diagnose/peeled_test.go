package diagnose_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// TestPeeledBeginsInside wants the app's own fault first and what the edge makes
// of it second, however many of the streams the app's fault explains.
func TestPeeledBeginsInside(t *testing.T) {
	for _, tc := range []struct {
		name, line string
		keep       int
		want       []string
	}{
		{"exception", "[ERROR] Exception in ASGI application request=%s", 5, []string{diagnose.AppError, diagnose.LaunderedByEdge}},
		{"closed resource", "ERROR exception request=%s error=IndexClosedError: index is closed", -1, []string{diagnose.OutlivesResources, diagnose.LaunderedByEdge}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := synth.New(record.Scenario{ID: "peel", Edge: "default", Peel: true, Policy: record.Policy{GapLimit: gap, Checks: checks}})
			for _, h := range []string{"edge", "nginx", "upstream", "app"} {
				b.Run.Hops = append(b.Run.Hops, record.Hop{Scenario: "peel", Name: h})
			}
			b.Add(4, synth.Shape{Scenario: "peel", Hop: "app", Keep: tc.keep, End: synth.FIN})
			b.Add(4, synth.Shape{Scenario: "peel", Hop: "nginx", Start: 20 * sec, Keep: tc.keep, End: synth.Clean})
			var lines []synth.LogLine
			for _, s := range b.Run.Streams {
				lines = append(lines, at(s.End, fmt.Sprintf(tc.line, s.Nonce)))
			}
			app(b, lines...)
			nginx(b)
			var got []string
			for _, c := range diagnose.Causes(&verdict.Scopes(&b.Run)[0]) {
				got = append(got, c.Cause)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("causes %q, want %q", got, tc.want)
			}
		})
	}
}
