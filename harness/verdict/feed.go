package verdict

import (
	"time"

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

func feedWhy(s *record.Stream, p *record.Policy) fact {
	if s.Limit == record.FeedLimit {
		return fact{Kind: FactFeedShort, N: s.Contents, Need: max(1, p.FeedEvents), Took: p.Feed}
	}
	return fact{Kind: FactFeedEnded, N: s.Contents, Took: s.End - s.Send, Bound: p.Feed}
}

// Unending reports whether a stream was still sending when our limit on its life
// ended it, content and not only heartbeats, in a run in which no answer came to an end: a feed, for all we know.
func (s *Scope) Unending(g *Graded) bool {
	if g.Limit != record.TotalLimit || g.Contents < 2 || g.Last == record.Never || s.ends() {
		return false
	}
	return g.ProgressGap <= max((g.End-g.Send)/4, time.Second)
}

// ends reports whether an answer of the run came to an end by itself.
func (s *Scope) ends() bool {
	for i := range s.Run.Streams {
		if st := &s.Run.Streams[i]; st.Content.Terminals > 0 || st.Contents > 0 && whole(st) {
			return true
		}
	}
	return false
}
