package record

// ExpectSameText is the [Policy.Expect] of a scenario that asks for the same
// answers streamed and in one piece.
const ExpectSameText = "same text"

// NoteCompare is one question asked both ways: JSON of a [Comparison].
const NoteCompare NoteKind = "compare"

// A Comparison is one answer, streamed and in one piece.
type Comparison struct {
	Nonce           string
	Streamed, Whole int // bytes of text
	Differ          int // first byte at which the texts differ; -1 if they do not
	// StreamedErr and WholeErr say what went wrong with either, "" for nothing: a
	// body that broke off, a status.
	StreamedErr, WholeErr string `json:",omitempty"`
	// StreamedSum and WholeSum tell the texts of several comparisons apart.
	StreamedSum, WholeSum uint64 `json:",omitempty"`

	Err string `json:",omitempty"` // of older records: why there is nothing to compare
}

// Same reports whether both texts came and are one, and not empty.
func (c Comparison) Same() bool {
	return c.Err == "" && c.StreamedErr == "" && c.WholeErr == "" && c.Differ < 0 && c.Streamed > 0
}

// NoteReference is what a text answer without any proof of its end was held
// against: JSON of a [Reference].
const NoteReference NoteKind = "reference"

// A Reference is how an app answered the same question several times, asked at
// its own hop before the load.
type Reference struct {
	Asked int // times
	Alike int // of them: answers that are the text which streams are held against; 0 if there is none
	Short int // of them: strict beginnings of it
	Bytes int // of that text
	// Plain says that the text is that of the answer in one piece.
	Plain bool   `json:",omitempty"`
	Err   string `json:",omitempty"` // the first that went wrong
}
