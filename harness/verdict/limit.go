package verdict

import (
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// limitWhy says which of our limits ended a stream, what had come by then, and
// which flag sets the limit.
func limitWhy(s *record.Stream, p *record.Policy) string {
	switch s.Limit {
	case record.FirstLimit:
		return fmt.Sprintf("no content event%s after the request (--first-event)%s", within(p.FirstLimit), besides(s))
	case record.GapLimit:
		return fmt.Sprintf("stalled after %d content events: no byte%s (--gap-limit)", s.Contents, lasting(p.GapLimit))
	case record.ProgressLimit:
		return fmt.Sprintf("no progress after %d content events: none came%s (--progress-limit)%s", s.Contents,
			lasting(p.ProgressLimit), besides(s))
	}
	if from, ok := lastProgress(s); ok && idled(s, p) {
		return fmt.Sprintf("no progress after %d content events: none came for %s, until our total limit%s (--total-limit)%s",
			s.Contents,
			seconds((s.End - from).Round(100*time.Millisecond)), of(p.TotalLimit), besides(s))
	}
	return fmt.Sprintf("not over within our %s limit%s, after %d content events", s.Limit, of(p.TotalLimit), s.Contents)
}

// besides says what came in place of content.
func besides(s *record.Stream) string {
	switch {
	case s.Partial > 0 && s.Heartbeats > 0:
		return fmt.Sprintf(", only %d heartbeats and %d bytes of an unfinished event", s.Heartbeats, s.Partial)
	case s.Partial > 0:
		return fmt.Sprintf(", only %d bytes of an unfinished event", s.Partial)
	case s.Heartbeats > 0:
		return fmt.Sprintf(", only %d heartbeats", s.Heartbeats)
	case s.Contents == 0 && s.Frames > 0:
		return fmt.Sprintf(", only %d events that carry none of the answer", s.Frames)
	}
	return ""
}

func within(d time.Duration) string  { return after(" within ", d) }
func lasting(d time.Duration) string { return after(" for ", d) }
func of(d time.Duration) string      { return after(" of ", d) }

// after is a limit behind a word; nothing where an older run does not say it.
func after(word string, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return word + seconds(d)
}
