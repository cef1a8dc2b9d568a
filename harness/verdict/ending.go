package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// endingOf reads the ending axis off a stream. The order of the questions
// matters: broken framing is certain whatever else happened, and a place before
// the headers has no body to speak of.
func endingOf(s *record.Stream, p *record.Policy) Ending {
	switch {
	case s.Wire.Garbage != "", s.Wire.Spliced, s.Wire.Where == record.AfterEnd:
		return BadFraming
	case oversize(s.Limit):
		return TooLarge
	case s.Limit.Cancelled(), s.End == record.Never:
		return cancelledEnding(s, p)
	case s.Limit == record.FeedLimit:
		return FeedRead
	case s.Headers == record.Never:
		return headlessEnding(s)
	case s.Status >= 400 && whole(s):
		return HTTPError
	case s.Status >= 300 && s.Status < 400: // its head says it all
		return RedirectEnd
	case s.Limit != record.NoLimit:
		return limitEnding(s, p)
	case whole(s):
		return wholeEnding(s)
	case said(s) && s.Wire.Close == record.CloseNone && s.Wire.Lingered > 0:
		// Over for the dialect, and the peer never closed: we did, when we had
		// lingered for long enough, however patient the policy is.
		return OpenAtEnd
	default:
		return cutEnding(s)
	}
}

func oversize(l record.Limit) bool {
	switch l {
	case record.HeaderSize, record.FrameSize, record.BodySize, record.InflateSize:
		return true
	}
	return false
}

// cancelledEnding is for streams that we left, or whose end a torn record lacks.
// One that had been over for long when we left had been left open.
func cancelledEnding(s *record.Stream, p *record.Policy) Ending {
	if said(s) && s.Wire.Lingered >= lingerBound(p) {
		return OpenAtEnd
	}
	return CancelledEnd
}

func headlessEnding(s *record.Stream) Ending {
	switch {
	case s.Limit == record.ConnectLimit, s.Wire.Where == record.BeforeConnect:
		return NoConnection
	case s.Limit != record.NoLimit:
		return Deadline
	default:
		return NoResponse
	}
}

func limitEnding(s *record.Stream, p *record.Policy) Ending {
	switch {
	case said(s):
		return OpenAtEnd
	case s.Limit == record.GapLimit:
		return StalledEnding
	case s.Limit == record.ProgressLimit, s.Limit == record.TotalLimit && idled(s, p):
		return NoProgress
	default:
		return Deadline
	}
}

// idled reports whether a stream that lived until our total limit had brought
// nothing but heartbeats or parts of an event for longer than what would count as
// a stall.
func idled(s *record.Stream, p *record.Policy) bool {
	from, any := lastProgress(s)
	return any && p.GapLimit > 0 && s.End-from > p.GapLimit
}

// lastProgress is when the last content event came, else the head. any is false
// where neither did.
func lastProgress(s *record.Stream) (at time.Duration, any bool) {
	at = s.Headers
	for m := range s.Marks() {
		if m.Kind == stream.Content {
			at = max(at, m.At)
		}
	}
	return at, at != record.Never
}

func wholeEnding(s *record.Stream) Ending {
	switch {
	case s.Content.Errors > 0:
		return ErrorEOF
	case s.Content.Terminals > 0, proved(s):
		return TerminalEOF
	default:
		return CleanEOF
	}
}

func cutEnding(s *record.Stream) Ending {
	switch {
	case said(s):
		return CutAtTerminal
	case s.Wire.Close == record.CloseRST:
		return ResetInBody
	default:
		return Incomplete
	}
}

// said reports whether the server has said that the answer is over, well or
// badly.
func said(s *record.Stream) bool {
	return s.Content.Terminals > 0 || s.Content.Errors > 0 || proved(s)
}

// whole reports whether the framing says that the body ended where it should. A
// body that the close delimits ends with an orderly FIN: RFC 9112 section 8 leaves no other
// sign. One that is compressed may have reached the end of its data before.
func whole(s *record.Stream) bool {
	if s.Wire.Framing == record.CloseDelimited {
		return s.Wire.Close == record.CloseFIN || s.Wire.Where == record.AtEnd
	}
	return s.Wire.Where == record.AtEnd
}

// lingerBound is how long a connection may stay open after its terminal: half of
// what would count as a stall, and a second at least.
func lingerBound(p *record.Policy) time.Duration {
	return max(p.GapLimit/2, time.Second)
}
