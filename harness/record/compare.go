package record

import "time"

// A Comparison is one answer, asked for streamed and in one piece.
type Comparison struct {
	Scenario string `cbor:"1,keyasint,omitempty"`
	Nonce    string `cbor:"2,keyasint,omitempty"`
	Streamed int    `cbor:"3,keyasint,omitempty"` // bytes of text
	Whole    int    `cbor:"4,keyasint,omitempty"` // likewise
	Differ   int    `cbor:"5,keyasint,omitempty"` // first byte at which the texts differ; -1 if they do not
	// StreamedErr and WholeErr say what went wrong with either, "" for nothing: a
	// body that broke off, a status.
	StreamedErr string `cbor:"6,keyasint,omitempty"`
	WholeErr    string `cbor:"7,keyasint,omitempty"`
	// StreamedSum and WholeSum tell the texts of several comparisons apart.
	StreamedSum uint64 `cbor:"8,keyasint,omitempty"`
	WholeSum    uint64 `cbor:"9,keyasint,omitempty"`

	// Limit is our own, where an answer was not over by then; 0 where both were.
	Limit time.Duration `cbor:"11,keyasint,omitempty"`

	Err string `cbor:"10,keyasint,omitempty"` // of older records: why there is nothing to compare
}

// Same reports whether both texts came and are one, and not empty.
func (c Comparison) Same() bool {
	return c.Err == "" && c.StreamedErr == "" && c.WholeErr == "" && c.Differ < 0 && c.Streamed > 0
}

// A Reference is how an app answered the same question several times, asked at
// its own hop before the load: what a text answer without any proof of its end is
// held against.
type Reference struct {
	Scenario string `cbor:"1,keyasint,omitempty"` // that asked; later ones may use it
	Asked    int    `cbor:"2,keyasint,omitempty"` // times
	// Alike counts the answers that are the text which streams are held against; 0 if
	// there is no such text.
	Alike int    `cbor:"3,keyasint,omitempty"`
	Short int    `cbor:"4,keyasint,omitempty"` // of them: strict beginnings of it
	Bytes int    `cbor:"5,keyasint,omitempty"` // of that text
	Plain bool   `cbor:"6,keyasint,omitempty"` // the text is that of the answer in one piece
	Err   string `cbor:"7,keyasint,omitempty"` // the first that went wrong
}
