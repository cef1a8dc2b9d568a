package origin

import (
	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Sabotage is one way of breaking a stream, with the judgement that it must
// get. A judgement which differs is a fault of ours, not of the origin.
type Sabotage struct {
	Name string
	Doc  string // what the origin does, one sentence
	// Scenario is the one that reveals it: "control", "buffering",
	// "read-timeout" or "client-abort".
	Scenario string
	Outcome  verdict.Outcome
	Content  stream.State
	Ending   verdict.Ending
	Flag     verdict.Flag // "" for none
	Cause    string       // a name of package diagnose, "" where nothing needs a cause
	// Share is the part of the streams that is struck unless asked otherwise.
	Share float64
	// Direct says that outcome and ending hold for a client that nothing stands
	// in front of: a proxy turns a cut upstream into its own.
	Direct bool

	deed deed
}

// A deed is what a sabotage does to a stream, in place of what an honest one
// would do. Nil fields leave it honest.
type deed struct {
	head   func(*reply) error      // the response's head
	event  func(*reply, int) error // event K, which is prepared in next
	end    func(*reply) error      // the terminal and the end of the body
	silent bool                    // no heartbeats
	accel  bool                    // leaves X-Accel-Buffering out
}

const third = 1.0 / 3

// Sabotages are all ways of breaking a stream: first those that a well-formed
// response can hide, then those of the wire.
var Sabotages = []Sabotage{
	{Name: "silent-truncation", Doc: "stops after half of the events and ends the body properly, without the terminal",
		Scenario: "control", Outcome: verdict.Truncated, Content: stream.Prefix, Ending: verdict.CleanEOF,
		Cause: diagnose.SilentTruncation, Share: third, deed: deed{event: truncate}},
	{Name: "cut-in-frame", Doc: "stops inside an event and ends the body properly",
		Scenario: "control", Outcome: verdict.Truncated, Content: stream.CutFrame, Ending: verdict.CleanEOF,
		Cause: diagnose.CutInFrame, Share: third, deed: deed{event: cutInFrame}},
	{Name: "in-band-error", Doc: "sends an error event in place of the rest and ends the body properly",
		Scenario: "control", Outcome: verdict.FailedClean, Content: stream.Prefix, Ending: verdict.ErrorEOF,
		Cause: diagnose.InBandError, Share: third, deed: deed{event: failInBand}},
	{Name: "error-then-terminal", Doc: "sends an error event and then the terminal, as if all were well",
		Scenario: "control", Outcome: verdict.FailedClean, Content: stream.Prefix, Ending: verdict.ErrorEOF,
		Flag: verdict.ErrorThen, Cause: diagnose.ErrorThenTerminal, Share: third, deed: deed{event: failThenSucceed}},
	{Name: "stall", Doc: "falls silent for ever and keeps the connection open",
		Scenario: "control", Outcome: verdict.Stalled, Content: stream.Prefix, Ending: verdict.StalledEnding,
		Flag: verdict.Gappy, Cause: diagnose.StallInApp, Share: third, deed: deed{event: stall}},
	{Name: "buffering", Doc: "keeps all events and heartbeats back and releases them in one burst at the end",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Buffered, Cause: diagnose.BufferedByApp, Share: third, deed: deed{head: holdBack, end: release}},
	{Name: "no-accel-header", Doc: "leaves out X-Accel-Buffering: no, so that an edge with its defaults buffers",
		Scenario: "buffering", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Buffered, Cause: diagnose.BufferedByEdge, Share: third, deed: deed{accel: true}},
	{Name: "lost-event", Doc: "leaves one event out",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Gap, Ending: verdict.TerminalEOF,
		Cause: diagnose.LostEvent, Share: third, deed: deed{event: lose}},
	{Name: "duplicated-event", Doc: "sends one event twice",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Duplicate, Ending: verdict.TerminalEOF,
		Cause: diagnose.DuplicatedEvent, Share: third, deed: deed{event: duplicate}},
	{Name: "reordered-events", Doc: "exchanges one event and the next",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Reordered, Ending: verdict.TerminalEOF,
		Cause: diagnose.ReorderedEvents, Share: third, deed: deed{event: reorder}},
	{Name: "foreign-event", Doc: "sends an event of another stream in place of its own",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Foreign, Ending: verdict.TerminalEOF,
		Cause: diagnose.ForeignEvent, Share: third, deed: deed{event: confuse}},
	{Name: "corrupt-byte", Doc: "changes one byte of one event's text, so that the checksum does not hold",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Corrupt, Ending: verdict.TerminalEOF,
		Cause: diagnose.CorruptContent, Share: third, deed: deed{event: corrupt}},
	{Name: "open-socket", Doc: "sends all events but no terminal, and keeps the connection open",
		Scenario: "control", Outcome: verdict.Stalled, Content: stream.Prefix, Ending: verdict.StalledEnding,
		Flag: verdict.Gappy, Cause: diagnose.MissingTerminal, Share: third, deed: deed{end: (*reply).hang}},
	{Name: "linger", Doc: "sends everything and the terminal, but ends neither the body nor the connection",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.OpenAtEnd,
		Flag: verdict.Lingering, Cause: diagnose.OpenAfterAnswer, Share: third, deed: deed{end: linger}},
	{Name: "terminal-twice", Doc: "sends the terminal twice",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Repeated, Cause: diagnose.TerminalTwice, Share: third, deed: deed{end: endTwice}},
	{Name: "no-heartbeat", Doc: "sends no heartbeats; where the answer has no pause of its own it is silent for the time of delay",
		Scenario: "read-timeout", Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.ProxyReadTimeout, Share: third, deed: deed{event: fallSilent, silent: true}},
	{Name: "slow-first-event", Doc: "sends the head at once and the first event only after the time of delay",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.TerminalEOF,
		Flag: verdict.Late, Cause: diagnose.SlowFirstEvent, Share: third, deed: deed{head: thinkFirst}},
	{Name: "leak", Doc: "goes on producing after the client has left",
		Scenario: "client-abort", Outcome: verdict.Cancelled, Content: stream.Prefix, Ending: verdict.CancelledEnd,
		Flag: verdict.Leaked, Cause: diagnose.NotPropagated, Share: 1, deed: deed{head: goDeaf, end: produceOn}},

	{Name: "http-error", Doc: "answers 503 with a JSON body",
		Scenario: "control", Outcome: verdict.FailedClean, Content: stream.Empty, Ending: verdict.HTTPError,
		Cause: diagnose.Overloaded, Share: third, deed: deed{head: refuse}},
	{Name: "no-headers", Doc: "reads the request and closes the connection",
		Scenario: "control", Outcome: verdict.Refused, Content: stream.Empty, Ending: verdict.NoResponse,
		Cause: diagnose.NoAnswer, Share: third, Direct: true, deed: deed{head: hangUp}},
	{Name: "rst", Doc: "resets the connection after half of the events",
		Scenario: "control", Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.ResetInBody,
		Cause: diagnose.AppError, Share: third, Direct: true, deed: deed{event: reset}},
	{Name: "incomplete-body", Doc: "closes the connection after half of the events, without the last chunk",
		Scenario: "control", Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Share: third, Direct: true, deed: deed{event: abandon}},
	{Name: "cut-in-chunk", Doc: "closes the connection inside a chunk",
		Scenario: "control", Outcome: verdict.Aborted, Content: stream.CutFrame, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Share: third, Direct: true, deed: deed{event: cutInChunk}},
	{Name: "cut-in-chunk-header", Doc: "closes the connection inside the size of a chunk",
		Scenario: "control", Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.AppError, Share: third, Direct: true, deed: deed{event: cutInChunkHeader}},
	{Name: "cut-before-last-crlf", Doc: "sends everything but the last CRLF of the body",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.CutAtTerminal,
		Flag: verdict.Ragged, Cause: diagnose.CutAfterAnswer, Share: third, Direct: true, deed: deed{end: cutBeforeLastCRLF}},
	{Name: "rst-after-terminal", Doc: "resets the connection after the terminal, before the last chunk",
		Scenario: "control", Outcome: verdict.Complete, Content: stream.Complete, Ending: verdict.CutAtTerminal,
		Flag: verdict.Ragged, Cause: diagnose.CutAfterAnswer, Share: third, Direct: true, deed: deed{end: resetAfterTerminal}},
	{Name: "garbage-framing", Doc: "writes bytes where the size of a chunk should be",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Prefix, Ending: verdict.BadFraming,
		Cause: diagnose.BrokenFraming, Share: third, Direct: true, deed: deed{event: garble}},
	{Name: "spliced-response", Doc: "writes a whole HTTP/1.1 500 response into the body",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Corrupt, Ending: verdict.BadFraming,
		Cause: diagnose.Spliced, Share: third, Direct: true, deed: deed{event: splice}},
	{Name: "short-length", Doc: "declares a Content-Length and closes the connection before it is reached",
		Scenario: "control", Outcome: verdict.Aborted, Content: stream.Prefix, Ending: verdict.Incomplete,
		Cause: diagnose.LengthLie, Share: third, Direct: true, deed: deed{head: declareAll, event: fallShort, silent: true}},
	{Name: "long-length", Doc: "declares a Content-Length that ends after half of the events, and sends all",
		Scenario: "control", Outcome: verdict.Corrupt, Content: stream.Prefix, Ending: verdict.BadFraming,
		Cause: diagnose.LengthLie, Share: third, Direct: true, deed: deed{head: declareSome, event: overrun, silent: true}},
	{Name: "close-delimited", Doc: "ends the body with the connection, after half of the events, without the terminal",
		Scenario: "control", Outcome: verdict.Truncated, Content: stream.Prefix, Ending: verdict.CleanEOF,
		Cause: diagnose.SilentTruncation, Share: third, Direct: true, deed: deed{head: undelimited, event: truncate}},
}

// sabotage returns the entry of that name, nil if there is none.
func sabotage(name string) *Sabotage {
	for i := range Sabotages {
		if Sabotages[i].Name == name {
			return &Sabotages[i]
		}
	}
	return nil
}

func sabotageNames() []string {
	var names []string
	for i := range Sabotages {
		names = append(names, Sabotages[i].Name)
	}
	return names
}
