package record

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Size is how many bytes the record has: a place to read on from, see
// [Writer.Ended].
func (w *Writer) Size() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size
}

// Ended reads the record back from byte from on, a [Writer.Size] of before, and
// yields the streams that have ended since, in the order of their ends. Who writes
// a run need not keep its streams in memory. A stream is yielded whole; the next
// one may take its place, so that it must not be kept. The error is the last thing
// yielded, and has no stream.
func (w *Writer) Ended(from int64) iter.Seq2[*Stream, error] {
	return func(yield func(*Stream, error) bool) {
		if err := w.ended(from, func(s *Stream) bool { return yield(s, nil) }); err != nil {
			yield(nil, fmt.Errorf("read record back: %w", err))
		}
	}
}

// ended calls yield with each stream until it returns false.
func (w *Writer) ended(from int64, yield func(*Stream) bool) error {
	in, err := os.Open(w.path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = entries(io.NewSectionReader(in, from, w.Size()-from), func(e *inEntry) error {
		var b streamBody
		if e.Tag != tagEnd {
			return nil
		}
		if err := decode.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		if s := b.unpack(); !yield(&s) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// errEnough ends the reading for whoever wants no more.
var errEnough = errors.New("enough")
