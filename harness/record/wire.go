package record

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/streamproof/streamproof/harness/stream"
)

// The record is a CBOR sequence (RFC 8742): entries of the form [tag, body], one
// behind the other. An entry ends where its own bytes say, so a torn tail is
// found without an index.
const (
	tagBegin   = 1  // [stream, wire, content]: a stream as it started
	tagEnd     = 2  // the same, as it ended
	tagWindow  = 3  // window
	tagEvent   = 4  // event
	tagWave    = 5  // wave
	tagNote    = 6  // note
	tagHop     = 7  // hop
	tagLog     = 8  // log, without its lines
	tagLayer   = 9  // layer with its scenario
	tagFinish  = 10 // how the run ended
	tagMachine = 11 // machine sample
	tagArrived = 20 // when the lines of a log came
	tagLedger  = 21 // ledger
	tagEdge    = 22 // edge probe
	tagCompare = 23 // comparison
	tagRefer   = 24 // reference
)

// The bodies are maps with small integers as keys. The types below are those of
// this package with keys added: a conversion between both stands at each use, so
// a field that was added to one alone does not compile. Numbers are never used
// again; a reader skips those that it does not know.

type streamEntry struct {
	Seq      uint64 `cbor:"1,keyasint,omitempty"`
	Scenario string `cbor:"2,keyasint,omitempty"`
	Group    Group  `cbor:"3,keyasint,omitempty"`
	Hop      string `cbor:"4,keyasint,omitempty"`
	Nonce    string `cbor:"5,keyasint,omitempty"`
	After    uint64 `cbor:"37,keyasint,omitempty"`
	Replica  string `cbor:"38,keyasint,omitempty"`

	Sched   time.Duration `cbor:"6,keyasint,omitempty"`
	Send    time.Duration `cbor:"7,keyasint,omitempty"`
	Connect time.Duration `cbor:"8,keyasint,omitempty"`
	Headers time.Duration `cbor:"9,keyasint,omitempty"`
	End     time.Duration `cbor:"10,keyasint,omitempty"`

	First      time.Duration `cbor:"11,keyasint,omitempty"`
	FirstAny   time.Duration `cbor:"12,keyasint,omitempty"`
	Last       time.Duration `cbor:"13,keyasint,omitempty"`
	TerminalAt time.Duration `cbor:"14,keyasint,omitempty"`

	Status         int               `cbor:"15,keyasint,omitempty"`
	Proto          string            `cbor:"16,keyasint,omitempty"`
	ContentType    string            `cbor:"17,keyasint,omitempty"`
	Encoding       string            `cbor:"18,keyasint,omitempty"`
	AcceptEncoding string            `cbor:"40,keyasint,omitempty"`
	Header         map[string]string `cbor:"19,keyasint,omitempty"`

	Bytes     int64 `cbor:"20,keyasint,omitempty"`
	WireBytes int64 `cbor:"21,keyasint,omitempty"`
	Reads     int   `cbor:"22,keyasint,omitempty"`
	Wire      Wire  `cbor:"-"` // second item of the body
	Limit     Limit `cbor:"23,keyasint,omitempty"`

	Frames     int            `cbor:"24,keyasint,omitempty"`
	Contents   int            `cbor:"25,keyasint,omitempty"`
	Heartbeats int            `cbor:"26,keyasint,omitempty"`
	Content    stream.Summary `cbor:"-"` // third item of the body
	Partial    int            `cbor:"27,keyasint,omitempty"`
	Start      string         `cbor:"39,keyasint,omitempty"`

	MaxGap      time.Duration `cbor:"28,keyasint,omitempty"`
	MaxGapAt    time.Duration `cbor:"29,keyasint,omitempty"`
	ProgressGap time.Duration `cbor:"30,keyasint,omitempty"`
	EmitFirst   int64         `cbor:"31,keyasint,omitempty"`
	EmitLast    int64         `cbor:"32,keyasint,omitempty"`
	Lag         time.Duration `cbor:"33,keyasint,omitempty"`
	Redirects   []Redirect    `cbor:"55,keyasint,omitempty"`
	Late        bool          `cbor:"34,keyasint,omitempty"`

	Events  []byte `cbor:"35,keyasint,omitempty"`
	Omitted int    `cbor:"36,keyasint,omitempty"`
}

type wireEntry struct {
	Framing  Framing       `cbor:"1,keyasint,omitempty"`
	Close    Close         `cbor:"2,keyasint,omitempty"`
	Where    Where         `cbor:"3,keyasint,omitempty"`
	Garbage  string        `cbor:"4,keyasint,omitempty"`
	Spliced  bool          `cbor:"5,keyasint,omitempty"`
	Err      string        `cbor:"6,keyasint,omitempty"`
	Lingered time.Duration `cbor:"7,keyasint,omitempty"`
}

type contentEntry struct {
	State         stream.State `cbor:"1,keyasint,omitempty"`
	Why           string       `cbor:"2,keyasint,omitempty"`
	Terminals     int          `cbor:"3,keyasint,omitempty"`
	Errors        int          `cbor:"4,keyasint,omitempty"`
	AfterTerminal int          `cbor:"5,keyasint,omitempty"`
	ErrorText     string       `cbor:"6,keyasint,omitempty"`
	Unprovable    bool         `cbor:"7,keyasint,omitempty"`
	Measured      int64        `cbor:"25,keyasint,omitempty"`
	Differs       bool         `cbor:"26,keyasint,omitempty"`
	Worker        string       `cbor:"8,keyasint,omitempty"`
	LastEvent     string       `cbor:"9,keyasint,omitempty"`
	Finished      bool         `cbor:"10,keyasint,omitempty"`
	Fault         stream.Fault `cbor:"11,keyasint,omitempty"`
	Leftover      string       `cbor:"12,keyasint,omitempty"`
	Reason        string       `cbor:"13,keyasint,omitempty"`
	Failing       bool         `cbor:"14,keyasint,omitempty"`
	Reasoning     int          `cbor:"27,keyasint,omitempty"`
	Tools         int          `cbor:"28,keyasint,omitempty"`
	Refusals      int          `cbor:"29,keyasint,omitempty"`
	Usage         stream.Usage `cbor:"30,keyasint,omitzero"`
	Early         int          `cbor:"15,keyasint,omitempty"`
	Ends          []string     `cbor:"20,keyasint,omitempty"`
	Form          stream.Form  `cbor:"21,keyasint,omitempty"`
	Replaced      int          `cbor:"22,keyasint,omitempty"`
	Split         int          `cbor:"23,keyasint,omitempty"`
	Numbered      int          `cbor:"16,keyasint,omitempty"`
	Echoed        int          `cbor:"17,keyasint,omitempty"`
	Other         string       `cbor:"18,keyasint,omitempty"`
	Uncounted     bool         `cbor:"19,keyasint,omitempty"`
}

// A streamBody is a whole stream: its parts are types of other nouns, which a
// struct conversion does not reach into.
type streamBody struct {
	_       struct{} `cbor:",toarray"`
	Stream  streamEntry
	Wire    wireEntry
	Content contentEntry
}

func pack(s *Stream) streamBody {
	return streamBody{Stream: streamEntry(*s), Wire: wireEntry(s.Wire), Content: contentEntry(s.Content)}
}

func (b *streamBody) unpack() Stream {
	s := Stream(b.Stream)
	s.Wire, s.Content = Wire(b.Wire), stream.Summary(b.Content)
	return s
}

// A windowEntry is a window and its fault on one level: records that are older than
// [Fault] have its name and its effect there.
type windowEntry struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	Fault    string        `cbor:"2,keyasint,omitempty"`
	Effect   Effect        `cbor:"7,keyasint,omitempty"`
	Kind     FaultKind     `cbor:"8,keyasint,omitempty"`
	Links    []string      `cbor:"9,keyasint,omitempty"`
	Later    bool          `cbor:"10,keyasint,omitempty"` // [Fault.MidStream]
	Phase    Phase         `cbor:"3,keyasint,omitempty"`
	At       time.Duration `cbor:"4,keyasint,omitempty"`
	Why      string        `cbor:"5,keyasint,omitempty"`
	Victims  []uint64      `cbor:"6,keyasint,omitempty"`
}

func packWindow(w Window) windowEntry {
	f := w.Fault
	return windowEntry{w.Scenario, f.Name, f.Effect, f.Kind, f.Links, f.MidStream, w.Phase, w.At, w.Why, w.Victims}
}

func (e windowEntry) unpack() Window {
	f := Fault{Name: e.Fault, Effect: e.Effect, Kind: e.Kind, Links: e.Links, MidStream: e.Later}
	return Window{e.Scenario, oldFault(f), e.Phase, e.At, e.Why, e.Victims}
}

type eventEntry struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	At       time.Duration `cbor:"2,keyasint,omitempty"`
	Source   EventSource   `cbor:"3,keyasint,omitempty"`
	Kind     EventKind     `cbor:"4,keyasint,omitempty"`
	Subject  string        `cbor:"5,keyasint,omitempty"`
	Role     Role          `cbor:"11,keyasint,omitempty"`
	Counter  string        `cbor:"12,keyasint,omitempty"`
	Pid      int           `cbor:"6,keyasint,omitempty"`
	Code     int           `cbor:"7,keyasint,omitempty"`
	Value    int64         `cbor:"8,keyasint,omitempty"`
	Stream   uint64        `cbor:"9,keyasint,omitempty"`
	Text     string        `cbor:"10,keyasint,omitempty"`
}

type waveEntry struct {
	Scenario      string        `cbor:"1,keyasint,omitempty"`
	Group         Group         `cbor:"2,keyasint,omitempty"`
	Hop           string        `cbor:"3,keyasint,omitempty"`
	Asked         int           `cbor:"4,keyasint,omitempty"`
	Started       int           `cbor:"5,keyasint,omitempty"`
	LateStarts    int           `cbor:"6,keyasint,omitempty"`
	Begin         time.Duration `cbor:"7,keyasint,omitempty"`
	End           time.Duration `cbor:"8,keyasint,omitempty"`
	InBodyAtFault int           `cbor:"9,keyasint,omitempty"`
	Solo          uint64        `cbor:"20,keyasint,omitempty"`
}

type noteEntry struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	At       time.Duration `cbor:"2,keyasint,omitempty"`
	Kind     NoteKind      `cbor:"3,keyasint,omitempty"`
	Text     string        `cbor:"4,keyasint,omitempty"`
	Settle   string        `cbor:"5,keyasint,omitempty"`
}

type hopEntry struct {
	Scenario string `cbor:"1,keyasint,omitempty"`
	Name     string `cbor:"2,keyasint,omitempty"`
	URL      string `cbor:"3,keyasint,omitempty"`
	What     string `cbor:"4,keyasint,omitempty"`
	Process  string `cbor:"50,keyasint,omitempty"`
}

type logEntry struct {
	Scenario string  `cbor:"1,keyasint,omitempty"`
	Name     string  `cbor:"2,keyasint,omitempty"`
	Kind     LogKind `cbor:"3,keyasint,omitempty"`
	// Attached says that it is a file of the user's, of which we have what it
	// gained.
	Attached bool `cbor:"10,keyasint,omitempty"`
}

type arrivalsEntry struct {
	Scenario string          `cbor:"1,keyasint,omitempty"`
	Name     string          `cbor:"2,keyasint,omitempty"`
	From     []time.Duration `cbor:"11,keyasint,omitempty"`
	To       []time.Duration `cbor:"12,keyasint,omitempty"`
	Lines    []int           `cbor:"13,keyasint,omitempty"`
	Whole    []bool          `cbor:"14,keyasint,omitempty"`
}

type layerEntry struct {
	Scenario string            `cbor:"1,keyasint,omitempty"`
	Name     string            `cbor:"2,keyasint,omitempty"`
	Settings map[string]string `cbor:"3,keyasint,omitempty"`
}

type finishEntry struct {
	At          time.Duration `cbor:"1,keyasint,omitempty"`
	Interrupted bool          `cbor:"2,keyasint,omitempty"`
}

// An outEntry and an inEntry are one entry on its way out and in.
type outEntry struct {
	_    struct{} `cbor:",toarray"`
	Tag  int
	Body any
}

type inEntry struct {
	_    struct{} `cbor:",toarray"`
	Tag  int
	Body cbor.RawMessage

	at, size int64 // its place in the record, in bytes
}

var (
	encode = mode(cbor.EncOptions{}.UserBufferEncMode())
	// A stored name or line may hold any bytes that a server sent: they must
	// come back, not fail.
	decode = mode(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid}.DecMode())
)

// mode unwraps a codec whose options are constants of this file.
func mode[M any](m M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("set up codec: %v", err))
	}
	return m
}
