// Package stream turns the bytes of a streaming response into frames, and
// frames into events.
//
//  1. A [Format] knows the framing of a body: where one frame ends and the
//     next begins (SSE, NDJSON, plain text). Its [Decoder] is a push decoder:
//     it is fed whatever the network delivered and calls a [Sink] once per
//     whole frame, so that any split of the bytes yields the same frames.
//  2. A [Dialect] sits on a format and knows what the frames mean: which one
//     proves that the answer is whole, which one is an error said in band,
//     which is only a heartbeat. Its [Reader] keeps the little state that one
//     stream needs, and sums it up in [Reader.Close].
//
// Neither allocates per event. The package knows the standard library only.
package stream

import "strconv"

// A Format is a way of framing a body. Adding a protocol adds a value.
type Format struct {
	Name string
	// New returns a decoder for one stream. A decoder is not safe for
	// concurrent use.
	New func(Limits) Decoder
}

// Limits bound what one stream may make a decoder remember. Zero fields take
// the value of [DefaultLimits].
type Limits struct {
	// Frame is the largest frame in bytes. A longer one ends the stream with a
	// [*LimitError]; the decoder never holds more than this.
	Frame int
}

// DefaultLimits hold for a decoder that was given none.
var DefaultLimits = Limits{Frame: 16 << 20}

// A Frame is one unit of a format. Its slices are valid until the sink
// returns.
type Frame struct {
	// Data is the payload: the joined data lines of an SSE event, a line of
	// NDJSON without its end, a read of plain text.
	Data []byte
	// Name is the SSE event type, empty where it was not sent.
	Name []byte
	// ID is the SSE last event ID in force at this event, Retry the reconnection
	// time in ms; 0 where the server has set none.
	ID    []byte
	Retry int
	// OwnID says that this very event bears the ID.
	OwnID bool
	// Comment reports a frame that carries no event: an SSE comment, whose text
	// Data holds, a blank line of NDJSON, or an SSE block of nothing but Junk.
	Comment bool
	// Junk are the lines of an SSE block, from the first to the last, that start
	// with no field of the standard. Clients ignore them, and so hide that a second
	// HTTP response was spliced into the body, or an error that is no
	// event. Nil almost always.
	Junk []byte
	// Failure says that the framing itself calls the frame an error, Broken what is
	// wrong with it: a checksum that does not hold. Both are of binary formats.
	Failure bool
	Broken  string
	// Offset and Size place the frame in the decoded body, in bytes,
	// delimiters included.
	Offset int64
	Size   int
}

// A Sink takes frames as they are completed.
type Sink interface {
	Frame(f *Frame)
}

// A Decoder cuts pushed bytes into frames.
type Decoder interface {
	// Push takes the next bytes of the body and calls sink for each frame that
	// they complete. It keeps no reference to p. The error is a [*LimitError];
	// after it the decoder takes no more.
	Push(p []byte, sink Sink) error
	// Close says that the body has ended, calls sink for a frame that the end
	// itself completes, and returns how many bytes of an unfinished frame are
	// left over: more than 0 is a cut inside a frame.
	Close(sink Sink) (partial int)
}

// A LimitError says that a peer sent more than we are ready to remember.
type LimitError struct {
	What  string // "frame", "line", ...
	Limit int    // bytes
}

func (e *LimitError) Error() string {
	return "read " + e.What + ": longer than the limit of " + strconv.Itoa(e.Limit) + " bytes"
}

// A Kind is what a frame means to its dialect.
type Kind uint8

const (
	Content   Kind = iota // part of the answer
	Meta                  // belongs to the answer but carries none of it: a role, an id, usage
	Heartbeat             // proves liveness, not progress
	Terminal              // the server says that the answer is whole
	Error                 // the server says, in band, that it failed
)

var kindNames = [...]string{"content", "meta", "heartbeat", "terminal", "error"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// A Part is what a content event is a part of.
type Part uint8

const (
	Answer    Part = iota // the answer
	Reasoning             // the model's reasoning before it
	Tool                  // a tool call
	Refusal               // the model's refusal to answer
)

var partNames = [...]string{"answer", "reasoning", "tool call", "refusal"}

func (p Part) String() string {
	if int(p) < len(partNames) {
		return partNames[p]
	}
	return "unknown"
}

// An Event is what a dialect read off one frame.
type Event struct {
	Kind Kind
	// Seq is the sequence number that the server put into the event, or -1.
	Seq int64
	// Emit is the server's clock when it wrote the event, in nanoseconds since
	// the Unix epoch, or 0.
	Emit int64
	// Part is what a content event is a part of.
	Part Part
	// Last says that a content event is the terminal as well: a whole answer in one
	// event.
	Last bool
}

// A State is the content axis of a stream's grade: what the bytes that arrived
// amount to, whatever the transport did.
type State string

const (
	Complete  State = "complete"        // the dialect's proof of completeness is there and holds
	Prefix    State = "valid prefix"    // sound as far as it goes
	CutFrame  State = "truncated frame" // ends inside a frame
	Corrupt   State = "corrupt"         // bytes that do not parse, or a checksum that does not hold
	Gap       State = "gap"             // an event is missing
	Duplicate State = "duplicate"       // an event came twice
	Reordered State = "reordered"       // all there, order wrong
	Foreign   State = "foreign"         // content that belongs to another stream
	Empty     State = "empty"           // no event at all
)

// A Fault is the kind of what is wrong with the bytes of a stream.
type Fault string

const (
	NotJSON       Fault = "not JSON"
	NotUTF8       Fault = "not UTF-8"
	PrefixTwice   Fault = "field prefix sent twice"          // data: data: {…}
	Joined        Fault = "no blank line between events"     // several events in one block
	SecondReply   Fault = "second HTTP response in the body" // as gunicorn writes it on a timeout
	AfterTerminal Fault = "content after the terminal event" //
	TerminalOpen  Fault = "terminal without its end"         // the blank line or line end lacks
	BadChecksum   Fault = "checksum does not hold"           // of a message of a binary format
	Misnested     Fault = "events nested wrongly"            // a part that ends without its start, or the other way round
)

// MaxLeftover bounds [Summary.Leftover], in bytes.
const MaxLeftover = 500

// A Summary sums up one stream on the content axis.
type Summary struct {
	State State `cbor:"1,keyasint,omitempty"`
	// Why names the place: "event 7 missing after 6", "checksum 0f.. != 1a..".
	Why string `cbor:"2,keyasint,omitempty"`
	// Terminals and Errors count terminal and in-band error events.
	// AfterTerminal counts events that followed the first terminal.
	Terminals     int `cbor:"3,keyasint,omitempty"`
	Errors        int `cbor:"4,keyasint,omitempty"`
	AfterTerminal int `cbor:"5,keyasint,omitempty"`
	// ErrorText is the start of the first in-band error, at most 200 bytes.
	ErrorText string `cbor:"6,keyasint,omitempty"`
	// Unprovable is set where framing and dialect together cannot prove
	// completeness, whatever the server does: plain text with no sentinel,
	// length or checksum. Only a transport that frames the body can help then.
	Unprovable bool `cbor:"7,keyasint,omitempty"`
	// Measured is the length of the reference that the answer was compared with, 0
	// where there was none, and Differs says that the two part before either ends.
	Measured int64 `cbor:"25,keyasint,omitempty"`
	Differs  bool  `cbor:"26,keyasint,omitempty"`
	// Worker identifies the process that served the stream, where the dialect
	// carries it.
	Worker string `cbor:"8,keyasint,omitempty"`
	// LastEvent is the start of the last event, its name first where it has one,
	// at most 120 bytes; kept by generic dialects, whose terminal is the user's
	// guess.
	LastEvent string `cbor:"9,keyasint,omitempty"`
	// Finished says that the answer declares itself over, although the dialect's
	// terminal lacks: every choice has its finish_reason.
	Finished bool `cbor:"10,keyasint,omitempty"`
	// Fault is the kind of what is wrong with the bytes, where it has a name.
	Fault Fault `cbor:"11,keyasint,omitempty"`
	// Leftover is the start of what no parser took: lines of no known field,
	// events that do not parse, an unfinished frame at the end. It is often the
	// very text that explains a failure.
	Leftover string `cbor:"12,keyasint,omitempty"`
	// Reason is the reason that the answer gave for its end ("stop", "length").
	// Failing says that it names a failure ("abort", "error"): Errors counts it.
	Reason  string `cbor:"13,keyasint,omitempty"`
	Failing bool   `cbor:"14,keyasint,omitempty"`
	// Reasoning, Tools and Refusals count the content events that are a part of those.
	Reasoning int `cbor:"27,keyasint,omitempty"`
	Tools     int `cbor:"28,keyasint,omitempty"`
	Refusals  int `cbor:"29,keyasint,omitempty"`
	// Usage is what the server says of the number of tokens.
	Usage Usage `cbor:"30,keyasint,omitzero"`
	// Early is the number of the first event that the terminal expression matched
	// although other events followed, 0 if there is none: such an expression
	// proves nothing.
	Early int `cbor:"15,keyasint,omitempty"`
	// Ends are terminal expressions that match the last event and no other of this
	// stream; kept by generic dialects whose terminal did not come, or came early.
	Ends []string `cbor:"20,keyasint,omitempty"`
	// Form is what the body is where the dialect cannot read it; see [Recognise].
	Form Form `cbor:"21,keyasint,omitempty"`
	// Replaced counts events that hold U+FFFD, the mark of a character that some
	// hop could not decode. Split counts those that hold it where a character was
	// cut in two: several in a row, or at both sides of a border between events.
	Replaced int `cbor:"22,keyasint,omitempty"`
	Split    int `cbor:"23,keyasint,omitempty"`
	// Numbered counts events with a number at [Ask.Order], Echoed those with the
	// stream's own nonce at [Ask.Owner]. Other is the first value there that is
	// another, at most 64 bytes: an ID of the server's own making, or the nonce of
	// another stream.
	Numbered int    `cbor:"16,keyasint,omitempty"`
	Echoed   int    `cbor:"17,keyasint,omitempty"`
	Other    string `cbor:"18,keyasint,omitempty"`
	// Uncounted says that the numbers count nothing: all are the same, or none
	// follows the one before by 1.
	Uncounted bool `cbor:"19,keyasint,omitempty"`
	// Unclosed names what an answer that has its terminal left open ("content
	// block"), "" for nothing; Closes says that it closed something of the kind. A
	// server that closes it in its other answers has lost what lacks here.
	Unclosed string `cbor:"31,keyasint,omitempty"`
	Closes   bool   `cbor:"32,keyasint,omitempty"`
}

// A Usage is what a server says of the number of tokens, the last word counting; 0
// where it says nothing.
type Usage struct {
	Input     int64 `cbor:"1,keyasint,omitempty"`
	Output    int64 `cbor:"2,keyasint,omitempty"`
	Reasoning int64 `cbor:"3,keyasint,omitempty"`
}

// A Reader follows one stream of a dialect.
type Reader interface {
	// Read interprets the next frame. It does not keep f.
	Read(f *Frame) Event
	// Close sums up. partial is what [Decoder.Close] returned.
	Close(partial int) Summary
}

// An Ask is what the caller knows about the answer before it comes.
type Ask struct {
	// Nonce is the unguessable name of this stream; a dialect whose server
	// echoes it finds foreign content with it.
	Nonce string
	// Terminal is the user's terminal expression, see [ParseTerminal]. Generic
	// dialects need it. openai-chat takes the event that it matches for the last
	// word, once every choice has finished, where a server sends no [DONE].
	Terminal *Matcher
	// Failure is the user's expression for events that say that the answer failed,
	// beside those that the dialect knows.
	Failure *Matcher
	// Sentinel, Length and SHA256 declare how a text answer proves that it is
	// whole: its last bytes, its length in bytes (0 for undeclared), its digest
	// in hex.
	Sentinel string
	Length   int64
	SHA256   string
	// Charset is what [CharsetOf] says of the answer.
	Charset string
	// Reference is what a text answer is known to say in full, where nothing else
	// is declared: an answer equal to it is whole, one that ends within it is cut,
	// any other is an answer anew and proves nothing. "" where nobody knows.
	Reference string
	// Order is where events bear their number, Owner where they echo the stream's
	// nonce; nil where nobody knows. See [ParsePlace].
	Order, Owner *Place
	// Resume is the number of the last event that the client has from before: a
	// server that resumes goes on behind it, one that does not begins anew.
	Resume int64
}

// A Dialect gives meaning to the frames of a format.
type Dialect struct {
	Name string
	Doc  string // one sentence: what proves completeness
	// Proves is one sentence on what this dialect can and cannot find out about
	// the events themselves: order, loss, duplicates, ownership.
	Proves string
	Format Format
	// NeedsTerminal says that the dialect proves nothing without a terminal
	// expression.
	NeedsTerminal bool
	New           func(Ask) Reader
	// Source lists where the format is documented, Accept is the media type that a
	// client asks for, Media are those that answers have.
	Source []string
	Accept string
	Media  []string
	// Spec is the data that the dialect was compiled from; nil for one in Go.
	Spec *Spec

	says *says // where the text of an answer stands; nil where nobody knows
}
