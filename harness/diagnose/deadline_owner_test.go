package diagnose_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/harnesstest/synth"
	"github.com/streamproof/streamproof/harness/record"
)

// Whose a limit on the age is the logs tell, where nobody asked the app directly: a
// write that ran into the app's own deadline, or an edge that noticed that the app
// broke off, is not of "a layer that does not show".
func TestOwnerOfADeadlineByLogs(t *testing.T) {
	writeTimeout := func(i int) string {
		return fmt.Sprintf("2026/11/27 20:18:59 stream: write tcp 127.0.0.1:8000->127.0.0.1:%d: i/o timeout", 40000+i)
	}
	proxySays := func(why string) func(int) string {
		return func(int) string {
			return "2026/11/27 20:18:59 httputil: ReverseProxy read error during body copy: " + why
		}
	}
	hungUp := func(int) string { return "2026/11/27 20:18:59 stream: context canceled" }
	for _, tt := range []struct {
		name                    string
		server                  string
		kind                    record.LogKind
		line                    func(int) string
		lines                   int
		want, layer, confidence string
	}{
		{name: "the app's own deadline for writes", kind: record.AppLog, line: writeTimeout, lines: 8, want: diagnose.AbsoluteDeadline, layer: "app", confidence: "likely"},
		{name: "behind an edge, too", server: "Caddy", kind: record.AppLog, line: writeTimeout, lines: 8, want: diagnose.AbsoluteDeadline, layer: "app", confidence: "likely"},
		{name: "for two of eight only", kind: record.AppLog, line: writeTimeout, lines: 2, want: diagnose.AbsoluteDeadline, layer: "network", confidence: "likely"},
		{name: "the app only saw that somebody hung up", kind: record.AppLog, line: hungUp, lines: 8, want: diagnose.AbsoluteDeadline, layer: "network", confidence: "likely"},
		{name: "the edge noticed that the app broke off", kind: record.ProxyLog, line: proxySays("unexpected EOF"), lines: 8, want: diagnose.AbsoluteDeadline, layer: "app", confidence: "likely"},
		{name: "the edge owns up to it", kind: record.ProxyLog, line: proxySays("context deadline exceeded"), lines: 8, want: diagnose.AbsoluteDeadline, layer: "edge", confidence: "certain"},
		{name: "no log", want: diagnose.AbsoluteDeadline, layer: "network", confidence: "likely"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := behind(tt.server, atAge(8, 3*sec, synth.CutAt), nil)
			var lines []synth.LogLine
			for i := range tt.lines {
				lines = append(lines, at(3*sec+time.Duration(i)*130*ms, tt.line(i)))
			}
			if tt.kind == record.AppLog {
				app(b, lines...)
			} else if tt.kind != "" {
				b.Log(tt.kind, lines...)
			}
			causes := causesOf(b)
			if len(causes) == 0 || causes[0].Cause != tt.want {
				t.Fatalf("causes = %q, want %q first", names(causes), tt.want)
			}
			if c := causes[0]; c.Layer != tt.layer || c.Confidence != tt.confidence {
				t.Errorf("%s is %s at %s, want %s at %s: %q", c.Cause, c.Confidence, c.Layer, tt.confidence, tt.layer, c.Evidence)
			}
			if tt.layer == "app" && slices.Contains(candidates(causes), diagnose.ProxyReadTimeout) {
				t.Errorf("accuses the edge's timer: %q", candidates(causes))
			}
			checkUsable(t, causes)
		})
	}
}
