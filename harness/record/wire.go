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
	tagBegin      = 1  // [stream, wire, content]: a stream as it started
	tagEnd        = 2  // the same, as it ended
	tagWindow     = 3  // window
	tagEvent      = 4  // event
	tagWave       = 5  // wave
	tagNote       = 6  // note
	tagHop        = 7  // hop
	tagLog        = 8  // log, without its lines
	tagLayer      = 9  // layer with its scenario
	tagFinish     = 10 // how the run ended
	tagMachine    = 11 // machine sample
	tagArrived    = 20 // when the lines of a log came
	tagLedger     = 21 // ledger
	tagEdge       = 22 // edge probe
	tagCompare    = 23 // comparison
	tagRefer      = 24 // reference
	tagStep       = 25 // step
	tagLoadWorker = 26 // what one process of several came to
)

// The bodies are maps with small integers as keys: the cbor tags of the types
// themselves. Numbers are never used again; a reader skips those that it does not
// know. The types below are what an entry has beside them, or in another form.

// A streamBody is a whole stream, its parts beside it.
type streamBody struct {
	_       struct{} `cbor:",toarray"`
	Stream  Stream
	Wire    Wire
	Content stream.Summary
}

func pack(s *Stream) streamBody { return streamBody{Stream: *s, Wire: s.Wire, Content: s.Content} }

func (b *streamBody) unpack() Stream {
	s := b.Stream
	s.Wire, s.Content = b.Wire, b.Content
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
