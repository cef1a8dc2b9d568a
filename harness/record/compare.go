package record

// ExpectSameText is the [Policy.Expect] of a scenario that asks for the same
// answers streamed and in one piece.
const ExpectSameText = "same text"

// NoteCompare is one question asked both ways: JSON of a [Comparison].
const NoteCompare = "compare"

// A Comparison is one answer, streamed and in one piece.
type Comparison struct {
	Nonce           string
	Streamed, Whole int    // bytes of text
	Differ          int    // first byte at which the texts differ; -1 if they do not
	Err             string `json:",omitempty"` // why there is nothing to compare
}

// Same reports whether both texts came and are one, and not empty.
func (c Comparison) Same() bool { return c.Err == "" && c.Differ < 0 && c.Streamed > 0 }
