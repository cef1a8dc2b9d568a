package fleet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/streamproof/streamproof/harness/record"
)

// Protocol is the version of the messages. Both sides must have the same.
const Protocol = 6

// A kind says what a message is. The numbers are those of the wire.
type kind byte

// From the parent.
const (
	kindHello   kind = 1 // hello
	kindPing    kind = 2 // ping
	kindSetup   kind = 3 // setup
	kindWave    kind = 4 // offer: a wave to get ready for
	kindGo      kind = 5 // start
	kindWatch   kind = 6 // watch
	kindUnwatch kind = 7 // watch, of which the number counts
	kindStop    kind = 8 // no body: end the wave, streams in flight at once
)

// From a worker.
const (
	kindHere    kind = 64 // hello
	kindPong    kind = 65 // ping
	kindReady   kind = 66 // ready
	kindBegin   kind = 67 // a stream that begins, as in the record
	kindEnd     kind = 68 // the same, ended
	kindChanges kind = 69 // changes
	kindDone    kind = 70 // done
)

type hello struct {
	Protocol int    `cbor:"1,keyasint"`
	Version  string `cbor:"2,keyasint"` // of streamproof
	Room     int    `cbor:"3,keyasint"` // streams that the worker may hold at once
}

type ping struct {
	N int `cbor:"1,keyasint"`
	// Clock is the worker's: since it began until it is set up, then the run's.
	Clock time.Duration `cbor:"2,keyasint"`
}

type setup struct {
	// Base is what the worker adds to its clock for run time.
	Base time.Duration `cbor:"1,keyasint"`
	Seed uint64        `cbor:"2,keyasint"`
	TLS  *TLS          `cbor:"3,keyasint"`
	// Traced is when the run began, in nanoseconds of Unix time, where each request is to
	// carry a trace of its own; 0 for none.
	Traced int64 `cbor:"4,keyasint"`
}

type offer struct {
	Index int    `cbor:"1,keyasint"`
	Of    int    `cbor:"2,keyasint"`
	Wave  []byte `cbor:"3,keyasint"` // encoded
	// Reach is what the worker is to connect to once before it is ready.
	Reach []place `cbor:"4,keyasint"`
}

// A place is what streams connect to.
type place struct {
	_       struct{} `cbor:",toarray"`
	Address string
	Host    string // of an https URL; "" without TLS
}

type ready struct {
	Digest string `cbor:"1,keyasint"` // of the wave as the worker has read it
	Err    string `cbor:"2,keyasint"` // why it cannot be sent
	// Address could not be reached, and Why; empty where all could. TLS says that it is connected to, and that the two
	// do not agree on TLS.
	Address string `cbor:"3,keyasint"`
	Why     string `cbor:"4,keyasint"`
	TLS     bool   `cbor:"5,keyasint"`
}

type start struct {
	At time.Duration `cbor:"1,keyasint"` // run time
}

type watch struct {
	N          int  `cbor:"1,keyasint"`
	Events     int  `cbor:"2,keyasint"`
	Heartbeats bool `cbor:"3,keyasint"`
}

// changes are the counters of a worker, and the streams that have changed. They come ten
// times a second also where none has: a worker that says nothing is lost.
type changes struct {
	Started int64    `cbor:"1,keyasint"`
	Ended   int64    `cbor:"2,keyasint"`
	Streams []glance `cbor:"3,keyasint"`
}

// A glance is what conditions need to know of a stream in flight.
type glance struct {
	_          struct{} `cbor:",toarray"`
	Seq        uint64
	Events     int
	Contents   int
	Heartbeats int
	Bytes      int64
	InBody     bool
	Upstream   string
}

type done struct {
	Asked   int           `cbor:"1,keyasint"`
	Started int           `cbor:"2,keyasint"`
	Late    int           `cbor:"3,keyasint"` // streams
	Behind  time.Duration `cbor:"4,keyasint"` // how long after its moment the share began
	End     time.Duration `cbor:"5,keyasint"`
	Err     string        `cbor:"6,keyasint"`
	Clients int           `cbor:"7,keyasint"` // that began, where they may ask again
}

const (
	headSize = 5
	// maxMessage bounds a message, in bytes: a file of a million requests must fit.
	maxMessage = 1 << 30
)

var (
	// The bytes of a wave are the same wherever it is encoded: RFC 8949 section 4.2.1.
	encode = mode(cbor.CoreDetEncOptions().EncMode())
	decode = mode(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: math.MaxInt32,
		MaxMapPairs: math.MaxInt32}.DecMode())
)

// mode unwraps a codec whose options are constants of this file.
func mode[M any](m M, err error) M {
	if err != nil {
		panic(fmt.Sprintf("set up codec: %v", err))
	}
	return m
}

// A conn sends and receives messages. Sending is for many goroutines, receiving for one.
type conn struct {
	rw   io.ReadWriteCloser
	mu   sync.Mutex // keeps messages whole, guards buf
	buf  []byte
	shut sync.Once
	err  error // of closing
}

// send sends a message with one write.
func (c *conn) send(k kind, body any) error {
	var b []byte
	var err error
	if body != nil {
		if b, err = encode.Marshal(body); err != nil {
			return fmt.Errorf("encode message %d: %w", k, err)
		}
	}
	return c.sendRaw(k, func(buf []byte) ([]byte, error) { return append(buf, b...), nil })
}

// sendStream sends what the tap says of a stream.
func (c *conn) sendStream(k kind, s *record.Stream) error {
	return c.sendRaw(k, func(buf []byte) ([]byte, error) { return record.AppendStream(buf, s) })
}

func (c *conn) sendRaw(k kind, body func([]byte) ([]byte, error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, err := body(append(c.buf[:0], 0, 0, 0, 0, byte(k)))
	if err != nil {
		return err
	}
	if len(b)-4 > maxMessage {
		return fmt.Errorf("send message %d: %d bytes are more than %d", k, len(b), maxMessage)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if c.buf = b; cap(b) > 1<<20 {
		c.buf = nil
	}
	_, err = c.rw.Write(b)
	return err
}

// receive calls take with each message until the connection ends or take fails. The body
// is overwritten by the next.
func (c *conn) receive(take func(k kind, body []byte) error) error {
	in := newReader(c.rw)
	var head [headSize]byte
	var body []byte
	for {
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(head[:])
		if n == 0 || n > maxMessage {
			return fmt.Errorf("read message: length %d", n)
		}
		if body = grown(body, int(n)-1); len(body) > 0 {
			if _, err := io.ReadFull(in, body); err != nil {
				return fmt.Errorf("read message: %w", err)
			}
		}
		if err := take(kind(head[4]), body); err != nil {
			return err
		}
	}
}

// close may be called twice, by anybody.
func (c *conn) close() error {
	c.shut.Do(func() { c.err = c.rw.Close() })
	return c.err
}

// read decodes a message's body.
func read[T any](body []byte) (x T, err error) {
	if err = decode.Unmarshal(body, &x); err != nil {
		err = fmt.Errorf("read message: %w", err)
	}
	return x, err
}
