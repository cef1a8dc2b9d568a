package verdict

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
)

// A feed has no end: it is read for the time that the user asked for, and is
// judged by what came in it. Silences are the gap limit's.

// feedOutcome is for streams of a feed that said nothing about their end.
func feedOutcome(s *record.Stream, e Ending, p *record.Policy) Outcome {
	switch e {
	case FeedRead:
		if s.Contents >= max(1, p.FeedEvents) {
			return Complete
		}
		return Stalled
	case CleanEOF:
		return Truncated
	case StalledEnding, Deadline, OpenAtEnd:
		return Stalled
	default:
		return Aborted
	}
}

func feedWhy(s *record.Stream, p *record.Policy) string {
	if s.Limit == record.FeedLimit {
		return fmt.Sprintf("%d events in %s, at least %d are asked for", s.Contents, seconds(p.Feed), max(1, p.FeedEvents))
	}
	return fmt.Sprintf("the feed ended after %s and %d events, it was to be read for %s", seconds(s.End-s.Send), s.Contents, seconds(p.Feed))
}
