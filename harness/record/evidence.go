package record

import (
	"fmt"
	"time"
)

// An Evidence is one piece of it: a fact, or a line of a log.
type Evidence struct {
	// Fact is what was found; nil for a line of a log. Package reports puts it into
	// Text.
	Fact *Fact
	Log  string        // name of the log that Text is a line of; "" for a figure
	Line int           // its number, from 1
	At   time.Duration // when it was written; Never where nothing tells
	// Stream is the stream that the line is about, 0 where it is about no single one.
	Stream uint64
	Text   string
	Remark string // what is said of the line, right behind it
	Beside *Fact  // the same as a fact, which package reports puts into Remark
}

// Found is evidence that is a fact.
func Found(f Fact) Evidence { return Evidence{At: Never, Fact: &f} }

// Empty reports whether there is nothing to show.
func (e Evidence) Empty() bool { return e.Text == "" && e.Fact == nil }

// Figure is evidence that is no line of a log.
func Figure(text string) Evidence { return Evidence{At: Never, Text: text} }

// String is the text with its place, so that a line can be found again in the run
// folder: "app.log:17: giving up".
func (e Evidence) String() string {
	switch {
	case e.Log == "" && e.Text == "" && e.Fact != nil: // not worded yet
		return e.Fact.String()
	case e.Log == "":
		return e.Text
	}
	return fmt.Sprintf("%s:%d: %s%s", e.Log, e.Line, e.Text, e.Remark)
}

// MarshalText writes e as [Evidence.String] does: in verdict.json evidence is text.
func (e Evidence) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText takes the text of verdict.json for what it is to a reader, a figure.
func (e *Evidence) UnmarshalText(text []byte) error {
	*e = Figure(string(text))
	return nil
}
