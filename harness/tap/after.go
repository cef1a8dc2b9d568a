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
	retry int            // ms
	say   *stream.Speech // nil where nobody asks for the text
}

func (a *after) see(f *stream.Frame, e stream.Event) {
	a.id = append(a.id[:0], f.ID...)
	a.retry = f.Retry
	if a.say != nil {
		a.say.Add(f, e)
	}
}

func (a *after) tell(rec *record.Stream) {
	e := Ended{Stream: rec, LastID: string(a.id), Retry: time.Duration(a.retry) * time.Millisecond}
	if a.say != nil {
		e.Text, rec.AnswerCut = a.say.Text()
	}
	a.then(e)
}
