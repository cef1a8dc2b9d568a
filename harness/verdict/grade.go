package verdict

import (
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// GradeStream judges one stream by itself. A stream starts as failed and must
// earn better: it is complete only if its content proves to be whole and its
// transport does not contradict it.
func GradeStream(s *record.Stream, p record.Policy) Grade { return gradeDoubted(s, p, nil) }

// Completes asks of a stream whether it is complete.
func Completes(p record.Policy) func(*record.Stream) bool {
	return func(s *record.Stream) bool { return GradeStream(s, p).Outcome == Complete }
}

// gradeDoubted is [GradeStream] of a stream whose content is not believed, for a reason
// that lies in other streams; nil for none.
func gradeDoubted(s *record.Stream, p record.Policy, doubt *fact) Grade {
	e := endingOf(s, &p)
	g := Grade{Outcome: outcomeOf(s, e, &p), Content: contentOf(s), Ending: e}
	g.Flags = flagsOf(s, &p, g)
	if f := whyOf(s, &p, g, doubt); f.Kind != "" {
		g.Fact = &f
	}
	return g
}

// contentOf is what the dialect said, corrected where the transport knows
// better: a response spliced into the body is not content.
func contentOf(s *record.Stream) stream.State {
	switch {
	case s.Wire.Spliced:
		return stream.Corrupt
	case s.Content.State != "":
		return s.Content.State
	case s.Partial > 0:
		return stream.CutFrame
	case s.Frames > 0:
		return stream.Prefix
	default:
		return stream.Empty
	}
}

func outcomeOf(s *record.Stream, e Ending, p *record.Policy) Outcome {
	switch {
	case unread(s) && e != BadFraming:
		return unreadOutcome(s, e)
	case wrong(contentOf(s)), e == BadFraming:
		// Certain whatever happened later, even if we hung up ourselves.
		return Corrupt
	case e == CancelledEnd:
		return Cancelled
	case s.Headers == record.Never:
		return Refused
	case e == TooLarge:
		return Corrupt
	case s.Status >= 300:
		return failedOutcome(e)
	case p.Feed > 0 && !said(s):
		return feedOutcome(s, e, p)
	default:
		return answeredOutcome(s, e)
	}
}

// failedOutcome is for responses whose status already said that they failed:
// clean if the whole response came, as a cut error page may hide its reason.
func failedOutcome(e Ending) Outcome {
	switch e {
	case HTTPError, RedirectEnd:
		return FailedClean
	case StalledEnding, NoProgress, Deadline, OpenAtEnd:
		return Stalled
	default:
		return Aborted
	}
}

// answeredOutcome is for responses whose status promised an answer.
func answeredOutcome(s *record.Stream, e Ending) Outcome {
	said := e == TerminalEOF || e == ErrorEOF || e == CutAtTerminal || e == OpenAtEnd || e == FeedRead
	switch {
	case said && s.Content.Errors > 0:
		// An in-band error counts before any terminal: some servers send their
		// sentinel of success after it.
		return FailedClean
	case said && proved(s):
		return Complete
	case e == CleanEOF && s.Content.Unprovable && contentOf(s) != stream.Empty && contentOf(s) != stream.CutFrame &&
		s.Partial == 0:
		// By its Content-Length, or with the flag Unprovable, which no scenario
		// passes with.
		return Complete
	case e == StalledEnding, e == NoProgress, e == Deadline, e == OpenAtEnd:
		return Stalled
	case e == CleanEOF, e == TerminalEOF, e == ErrorEOF:
		return Truncated
	default:
		return Aborted
	}
}

// proved reports whether the dialect's proof of completeness is there and holds.
func proved(s *record.Stream) bool {
	return contentOf(s) == stream.Complete && !unprovable(s)
}

// unprovable reports whether neither dialect nor framing can prove that the
// body is whole. A Content-Length that was reached proves it; a last chunk does
// not, because hops make one up.
func unprovable(s *record.Stream) bool {
	return s.Content.Unprovable && s.Wire.Framing != record.Length
}

// wrong reports whether content breaks a promise that no fault on the way can
// excuse.
func wrong(c stream.State) bool {
	switch c {
	case stream.Corrupt, stream.Gap, stream.Duplicate, stream.Reordered, stream.Foreign:
		return true
	}
	return false
}

// whyOf is what decided the grade; the zero fact for nothing that is worth a word.
// doubt is why its content is not believed, nil where it is.
func whyOf(s *record.Stream, p *record.Policy, g Grade, doubt *fact) fact {
	switch {
	case g.Outcome == Unread:
		return FormOf(s)
	case wrong(g.Content) && s.Content.Why != "":
		return record.Quoted(s.Content.Why)
	case wrong(g.Content) && doubt != nil:
		return *doubt
	case g.Ending == BadFraming:
		return fact{Kind: FactBadBytes, Text: s.Wire.Garbage}
	case g.Ending == TooLarge:
		return fact{Kind: FactTooLarge, Name: string(s.Limit)}
	case g.Ending == HTTPError:
		return fact{Kind: FactStatus, N: s.Status, About: chain(s)}
	case g.Ending == RedirectEnd:
		return redirectWhy(s)
	case g.Outcome == FailedClean && s.Content.Failing && s.Content.Errors == 1:
		return record.Quoted(s.Content.ErrorText)
	case g.Outcome == FailedClean:
		return fact{Kind: FactSaidError, Text: s.Content.ErrorText}
	case g.Outcome == Refused:
		return refusedWhy(s, g)
	case g.Ending == FeedRead && g.Outcome != Complete, p.Feed > 0 && g.Outcome == Truncated:
		return feedWhy(s, p)
	case g.Outcome == Complete, g.Outcome == Cancelled:
		return fact{}
	case g.Ending == StalledEnding, g.Ending == NoProgress, g.Ending == Deadline:
		return limitWhy(s, p)
	case p.Feed > 0: // it was given no terminal, on purpose
		own := *s
		own.Content.Why = ""
		return placeWhy(&own, g, nil)
	default:
		return placeWhy(s, g, doubt)
	}
}

func refusedWhy(s *record.Stream, g Grade) fact {
	if s.Limit != record.NoLimit {
		return fact{Kind: FactNoHead, Name: string(s.Limit)}
	}
	return fact{Kind: FactRefused, Name: string(g.Ending), Text: s.Wire.Err, About: chain(s)}
}

func placeWhy(s *record.Stream, g Grade, doubt *fact) fact {
	where := ""
	if s.Wire.Close != record.CloseNone && s.Wire.Where != record.AtEnd {
		where = string(s.Wire.Close) + " " + string(s.Wire.Where)
	}
	why := s.Content.Why
	if why == stream.NoTerminal(s.Contents) {
		why = "" // the ending has said so
	}
	return fact{Kind: FactEnded, Name: string(g.Ending), N: s.Contents, Place: where, Text: why, About: about(doubt)}
}
