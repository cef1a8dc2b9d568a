package verdict

import (
	"encoding/json"

	"github.com/streamproof/streamproof/harness/record"
)

// SameText is the name of the check that compares both ways of answering.
const SameText = "same text streamed and in one piece"

// same asks whether the streamed answer says what the answer in one piece says.
func (s *Scope) same() Answer {
	const name = SameText
	asked := 0
	for _, n := range s.Notes {
		var c record.Comparison
		if n.Kind != record.NoteCompare || json.Unmarshal([]byte(n.Text), &c) != nil {
			continue
		}
		switch asked++; {
		case c.Err != "":
			return fail(name, "request %s: %s", c.Nonce, c.Err)
		case c.Differ >= 0:
			return fail(name, "request %s: %d bytes streamed, %d in one piece, they differ from byte %d on", c.Nonce, c.Streamed, c.Whole, c.Differ)
		case c.Streamed == 0:
			return unsure(name, "use a dialect that knows where the text of an answer is", "request %s: no text was found in either answer", c.Nonce).obliges()
		}
	}
	if asked == 0 && s.lacks(func(a *record.Abilities) bool { return a.Plain }) {
		return s.inapplicable(name, "set stream.plain_path or stream.plain_body to what asks the app not to stream",
			"nothing says how to ask the app for its answer in one piece")
	}
	if asked == 0 {
		return unsure(name, orElse(s.noteSettle(), "ask for the answer in one piece too"), "need >= 1 answer asked both ways, saw 0").obliges()
	}
	return pass(name, "%d answers say the same both ways", asked)
}
