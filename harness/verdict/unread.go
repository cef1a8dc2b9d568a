package verdict

import (
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// unread reports whether a stream came in a form that our dialect cannot read:
// another dialect's, a media type or an encoding that we do not know. What it
// holds is then not known, which is our limit and no fault of the server.
func unread(s *record.Stream) bool { return s.Content.Form.Streams() || untrusted(s) }

// untrusted reports whether this machine did not trust the certificate of the server,
// as behind a redirect: it then hung up before the request, which says nothing of it.
func untrusted(s *record.Stream) bool {
	return s.Frames == 0 && strings.Contains(s.Wire.Err, "tls: failed to verify certificate")
}

// unreadOutcome is for streams that we could not read: a connection that broke is
// broken all the same, and so is one that fell silent.
func unreadOutcome(s *record.Stream, e Ending) Outcome {
	switch e {
	case CancelledEnd:
		return Cancelled
	case Incomplete, ResetInBody:
		return Aborted
	case StalledEnding, Deadline:
		if s.Limit == record.FirstLimit { // no event within the time: none that we can read
			return Unread
		}
		return Stalled
	default:
		return Unread
	}
}

// FormOf names the form of a stream that we could not read, with what the server
// said of it.
func FormOf(s *record.Stream) record.Fact {
	if untrusted(s) {
		return next(FactUntrusted)
	}
	f := fact{Kind: FactForm, Name: string(s.Content.Form)}
	switch s.Content.Form {
	case stream.FormEncoded:
		f.Text = s.Encoding
	case stream.FormAWS, stream.FormGRPC, stream.FormMultipart, stream.FormMedia:
		f.Text = s.ContentType
	}
	return f
}

// Readable asks whether the streams came in a form that we read.
type Readable struct{}

func (Readable) Check(s *Scope) Answer {
	const name = "answers can be read"
	var un []*Graded
	read := 0
	for i := range s.Streams {
		switch g := &s.Streams[i]; {
		case unread(g.Stream):
			un = append(un, g)
		case g.Contents > 0:
			read++
		}
	}
	switch {
	case len(un) == 0:
		return Answer{}
	case read > 0 && !untrusted(un[0].Stream):
		return fail(name, fact{Kind: FactSomeUnread, N: len(un), Of: len(un) + read, Name: s.Run.Plan.Dialect,
			Stream: un[0].Seq, About: []fact{FormOf(un[0].Stream)}}).about(un)
	}
	to, what := readAs(un[0].Stream), FactUnread
	if untrusted(un[0].Stream) {
		to, what = next(NextTrust), FactNotTrusted
	}
	return unsure(name, to, fact{Kind: what, N: len(un), Of: len(s.Streams), Name: s.Run.Plan.Dialect,
		About: []fact{FormOf(un[0].Stream)}}).about(un).obliges()
}

// readAs says how to have a stream read.
func readAs(s *record.Stream) fact {
	dialect, terminal := s.Content.Form.ReadBy()
	switch {
	case s.Content.Form == stream.FormEncoded:
		return next(NextIdentity)
	case dialect == "":
		return next(NextNoDialect)
	}
	return fact{Kind: NextReadBy, Name: dialect, Text: terminal}
}
