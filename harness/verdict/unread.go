package verdict

import (
	"fmt"
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
func FormOf(s *record.Stream) string {
	switch f := s.Content.Form; {
	case untrusted(s):
		return "behind a certificate that this machine does not trust"
	case f == stream.FormEncoded:
		return fmt.Sprintf("encoded as %q", s.Encoding)
	case f == stream.FormAWS, f == stream.FormGRPC, f == stream.FormMultipart, f == stream.FormMedia:
		return fmt.Sprintf("%s (%s)", f, s.ContentType)
	default:
		return string(f)
	}
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
		return fail(name, "%d of %d answers are %s, the others are read as %s (first: #%d)",
			len(un), len(un)+read, FormOf(un[0].Stream), s.Run.Plan.Dialect, un[0].Seq).about(un)
	}
	if untrusted(un[0].Stream) {
		return unsure(name, "trust its authority with --cacert FILE, or accept any certificate with --insecure",
			"%d of %d answers are %s: nothing is known of them", len(un), len(s.Streams),
			FormOf(un[0].Stream)).about(un).obliges()
	}
	return unsure(name, readAs(un[0].Stream), "%d of %d answers are %s, which streamproof does not read as %s: what "+
		"they hold is not judged",
		len(un), len(s.Streams), FormOf(un[0].Stream), s.Run.Plan.Dialect).about(un).obliges()
}

// readAs says how to have a stream read.
func readAs(s *record.Stream) string {
	dialect, terminal := s.Content.Form.ReadBy()
	switch {
	case s.Content.Form == stream.FormEncoded:
		return "ask for the answer without that encoding: --header 'Accept-Encoding: identity'"
	case dialect == "":
		return "streamproof has no dialect for it: ask for server-sent events or NDJSON, or judge the same app behind an " +
			"endpoint that sends them"
	case terminal != "":
		return "read it with --dialect " + dialect + " --terminal '" + terminal + "'"
	}
	return "read it with --dialect " + dialect
}
