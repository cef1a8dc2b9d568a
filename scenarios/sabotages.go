package scenarios

import (
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Sabotage is one way in which the built-in server breaks a stream, with what it
// must be detected as.
type Sabotage struct {
	origin.Sabotage
	Detection
}

// A Detection is the judgement that a sabotaged stream must get. A judgement which
// differs is a fault of ours, not of the origin.
type Detection struct {
	// Scenario is the one that reveals the sabotage: "control", "buffering",
	// "read-timeout" or "client-abort".
	Scenario string
	Outcome  verdict.Outcome
	Content  stream.State
	Ending   verdict.Ending
	Flag     verdict.Flag // "" for none
	Cause    string       // a name of package diagnose, "" where nothing needs a cause
	// Direct says that outcome and ending hold for a client that nothing stands
	// in front of: a proxy turns a cut upstream into its own.
	Direct bool
}

// Sabotages are all sabotages of the origin, in its order.
func Sabotages() []Sabotage {
	var all []Sabotage
	for _, s := range origin.Sabotages {
		for _, d := range detections {
			if d.sabotage == s.Name {
				all = append(all, Sabotage{s, d.Detection})
			}
		}
	}
	return all
}

// detections has one entry for each sabotage of the origin.
var detections = []struct {
	sabotage string
	Detection
}{
	{"silent-truncation", Detection{Scenario: "control",
		Outcome: verdict.Truncated, Content: stream.Prefix, Ending: verdict.CleanEOF,
		Cause: diagnose.SilentTruncation}},
	{"cut-in-frame", Detection{Scenario: "control",
		Outcome: verdict.Truncated, Content: stream.CutFrame, Ending: verdict.CleanEOF,
		Cause: diagnose.CutInFrame}},
	{"in-band-error", Detection{Scenario: "control",
		Outcome: verdict.FailedClean, Content: stream.Prefix, Ending: verdict.ErrorEOF,
		Cause: diagnose.InBandError}},
	{"error-then-terminal", Detection{Scenario: "control",
		Outcome: verdict.FailedClean, Content: stream.Prefix, Ending: verdict.ErrorEOF,
		Flag: verdict.ErrorThen, Cause: diagnose.ErrorThenTerminal}},
	{"stall", Detection{Scenario: "control",
		Outcome: verdict.Stalled, Content: stream.Prefix, Ending: verdict.StalledEnding,
		Flag: verdict.Gappy, Cause: diagnose.StallInApp}},
	{"buffering", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Buffered, Cause: diagnose.BufferedByApp}},
	{"no-accel-header", Detection{Scenario: "buffering",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Buffered, Cause: diagnose.BufferedByEdge}},
	{"lost-event", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Gap, Ending: verdict.TerminalEOF,
		Cause: diagnose.LostEvent}},
	{"duplicated-event", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Duplicate, Ending: verdict.TerminalEOF,
		Cause: diagnose.DuplicatedEvent}},
	{"reordered-events", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Reordered, Ending: verdict.TerminalEOF,
		Cause: diagnose.ReorderedEvents}},
	{"foreign-event", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Foreign, Ending: verdict.TerminalEOF,
		Cause: diagnose.ForeignEvent}},
	{"corrupt-byte", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Corrupt, Ending: verdict.TerminalEOF,
		Cause: diagnose.CorruptContent}},
	{"open-socket", Detection{Scenario: "control",
		Outcome: verdict.Stalled, Content: stream.Prefix, Ending: verdict.StalledEnding,
		Flag: verdict.Gappy, Cause: diagnose.MissingTerminal}},
	{"linger", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.OpenAtEnd,
		Flag: verdict.Lingering, Cause: diagnose.OpenAfterAnswer}},
	{"terminal-twice", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Repeated, Cause: diagnose.TerminalTwice}},
	{"no-heartbeat", Detection{Scenario: "read-timeout",
		Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.ProxyReadTimeout}},
	{"slow-first-event", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Late, Cause: diagnose.SlowFirstEvent}},
	{"leak", Detection{Scenario: "client-abort",
		Outcome: verdict.Cancelled, Content: stream.Prefix, Ending: verdict.CancelledEnd,
		Flag: verdict.Leaked, Cause: diagnose.NotPropagated}},

	{"http-error", Detection{Scenario: "control",
		Outcome: verdict.FailedClean, Content: stream.Empty, Ending: verdict.HTTPError,
		Cause: diagnose.Overloaded}},
	{"no-headers", Detection{Scenario: "control",
		Outcome: verdict.Refused, Content: stream.Empty, Ending: verdict.NoResponse,
		Cause: diagnose.NoAnswer, Direct: true}},
	{"rst", Detection{Scenario: "control",
		Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.ResetInBody,
		Cause: diagnose.AppError, Direct: true}},
	{"incomplete-body", Detection{Scenario: "control",
		Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Direct: true}},
	{"cut-in-chunk", Detection{Scenario: "control",
		Outcome: verdict.Aborted, Content: stream.CutFrame, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Direct: true}},
	{"cut-in-chunk-header", Detection{Scenario: "control",
		Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Direct: true}},
	{"cut-before-last-crlf", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.CutAtTerminal,
		Flag: verdict.Ragged, Cause: diagnose.CutAfterAnswer, Direct: true}},
	{"rst-after-terminal", Detection{Scenario: "control",
		Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.CutAtTerminal,
		Flag: verdict.Ragged, Cause: diagnose.CutAfterAnswer, Direct: true}},
	{"garbage-framing", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Prefix, Ending: verdict.BadFraming,
		Cause: diagnose.BrokenFraming, Direct: true}},
	{"spliced-response", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Corrupt, Ending: verdict.BadFraming,
		Cause: diagnose.Spliced, Direct: true}},
	{"short-length", Detection{Scenario: "control",
		Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.LengthLie, Direct: true}},
	{"long-length", Detection{Scenario: "control",
		Outcome: verdict.Corrupt, Content: stream.Prefix, Ending: verdict.BadFraming,
		Cause: diagnose.LengthLie, Direct: true}},
	{"close-delimited", Detection{Scenario: "control",
		Outcome: verdict.Truncated, Content: stream.Prefix, Ending: verdict.CleanEOF,
		Cause: diagnose.SilentTruncation, Direct: true}},
}
