package tap

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// An after remembers what the client of a stream needs to ask again.
type after struct {
	then  func(Ended)
	id    []byte
	retry int // ms
}

func (a *after) see(f *stream.Frame) {
	a.id = append(a.id[:0], f.ID...)
	a.retry = f.Retry
}

func (a *after) tell(rec *record.Stream) {
	a.then(Ended{Stream: rec, LastID: string(a.id), Retry: time.Duration(a.retry) * time.Millisecond})
}
