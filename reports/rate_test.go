package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Streams and tokens per second are those of complete streams, over the time of
// their group; no tokens are shown where no server counts them.
func TestRates(t *testing.T) {
	at := func(send, end time.Duration, o verdict.Outcome, tokens int64) row {
		s := &record.Stream{Group: record.Load, Send: send, End: end}
		s.Content = stream.Summary{Usage: stream.Usage{Output: tokens}}
		return row{Stream: s, Grade: verdict.Grade{Outcome: o}}
	}
	rows := []row{at(0, time.Second, verdict.Complete, 10), at(time.Second, 4*time.Second, verdict.Complete, 30), at(0, 2*time.Second, verdict.Truncated, 99)}
	load := verdict.GroupReport{Group: record.Load, Outcomes: map[verdict.Outcome]int{verdict.Complete: 2, verdict.Truncated: 1}}
	if got := rate(load, rows, 2); got != "0.5" {
		t.Errorf("%s streams/s, want 2 in 4 s", got)
	}
	if got := tokens(load, rows); got != "10" {
		t.Errorf("%s tokens/s, want 40 in 4 s", got)
	}
	load.Outcomes[verdict.Complete] = 3
	if got := tokens(load, rows); got != "" {
		t.Errorf("one stream is not at hand: %q", got)
	}
	if got := string(rendered(t, HTML, failing())); strings.Contains(got, "tokens/s") || !strings.Contains(got, "streams/s") {
		t.Error("tokens are shown although none were counted, or streams are not")
	}
}
