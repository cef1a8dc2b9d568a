package verdict

import (
	"fmt"
	"slices"

	"github.com/streamproof/streamproof/harness/record"
)

// SameText is the name of the check that compares both ways of answering.
const SameText = "same text streamed and in one piece"

// same asks whether the streamed answer says what the answer in one piece says,
// and which of the two is at fault where it does not:
//
//	streamed  in one piece
//	cut       whole         the stream's handling, or a buffer on its way
//	cut       cut           whatever ends both: worker timeouts, restarts
//	whole     cut           the app's other way of answering
//	different each time     the app answers anew: nothing can be told
func (s *Scope) same() Answer {
	const name = SameText
	cs := s.comparisons()
	if len(cs) == 0 && s.lacks(func(a *record.Abilities) bool { return a.Plain }) {
		return s.inapplicable(name, "set stream.plain_path or stream.plain_body to what asks the app not to stream",
			"nothing says how to ask the app for its answer in one piece")
	}
	if len(cs) == 0 {
		return unsure(name, orElse(s.noteSettle(), "ask for the answer in one piece too"),
			"need >= 1 answer asked both ways, saw 0").obliges()
	}
	for _, c := range cs {
		if a := differing(name, c); a.Verdict != "" {
			return a
		}
	}
	for _, c := range cs {
		if c.Differ >= 0 {
			return s.altered(name, cs, c)
		}
	}
	return pass(name, "%d answers say the same both ways", len(cs))
}

// comparisons are the answers that were asked for both ways.
func (s *Scope) comparisons() []record.Comparison {
	return slices.DeleteFunc(slices.Clone(s.Run.Comparisons), func(c record.Comparison) bool {
		return c.Scenario != s.Scenario.ID
	})
}

// What to look at, by which of the two ways of answering is cut.
const (
	streamAtFault = "the answer in one piece is whole, so look at how the stream is handled, in the app and by proxies " +
		"that buffer"
	bothAtFault  = "both ways are cut, so look at worker timeouts and restarts, and not at the stream"
	plainAtFault = "only the answer in one piece is cut"
)

// differing answers for one comparison that shows by itself what is wrong; the
// zero Answer if it does not.
func differing(name string, c record.Comparison) Answer {
	streamed, whole := c.StreamedErr != "", c.WholeErr != ""
	short := !streamed && !whole && c.Differ >= 0
	switch {
	case c.Err != "":
		return fail(name, "request %s: %s", c.Nonce, c.Err)
	case streamed && whole:
		return fail(name, "request %s: streamed: %s; in one piece: %s: %s", c.Nonce, c.StreamedErr, c.WholeErr, bothAtFault)
	case streamed:
		return fail(name, "request %s: streamed: %s; in one piece %d bytes came: %s", c.Nonce, c.StreamedErr, c.Whole,
			streamAtFault)
	case whole:
		return fail(name, "request %s: in one piece: %s; streamed %d bytes came: %s", c.Nonce, c.WholeErr, c.Streamed,
			plainAtFault)
	case c.Streamed == 0 && c.Whole == 0:
		return unsure(name, "use a dialect that knows where the text of an answer is",
			"request %s: no text was found in either answer", c.Nonce).obliges()
	case short && c.Whole == 0:
		return unsure(name, "let the app answer in one piece with plain text, or with JSON that holds choices, message, "+
			"response or text",
			"request %s: no text was found in the answer in one piece", c.Nonce).obliges()
	case short && c.Differ == c.Streamed:
		return fail(name, "request %s: the stream ends after %d of %d bytes of the answer in one piece: %s", c.Nonce,
			c.Streamed, c.Whole, streamAtFault)
	case short && c.Differ == c.Whole:
		return fail(name, "request %s: the answer in one piece ends after %d of %d bytes of the stream: %s", c.Nonce, c.Whole,
			c.Streamed, plainAtFault)
	}
	return Answer{}
}

// altered is for two texts of which neither is a beginning of the other. Where
// the app says the same each time either way, it says two things; otherwise it
// answers each question anew, and both may be right. Our own origin makes its text
// of the request's ID, which both ways share.
func (s *Scope) altered(name string, cs []record.Comparison, c record.Comparison) Answer {
	what := fmt.Sprintf("request %s: %d bytes streamed, %d in one piece, they differ from byte %d on", c.Nonce, c.Streamed,
		c.Whole, c.Differ)
	if able := s.Run.Plan.Able; able != nil && able.Origin {
		return fail(name, "%s", what)
	}
	for _, o := range cs {
		if o.StreamedSum != c.StreamedSum || o.WholeSum != c.WholeSum || len(cs) < 2 {
			return unsure(name, "let the app answer alike each time (temperature 0, a fixed seed, a question with one answer)",
				"%s; but the app answers each time anew, so nothing can be told from that", what).obliges()
		}
	}
	return fail(name, "%s, alike in %d of %d comparisons", what, len(cs), len(cs))
}
