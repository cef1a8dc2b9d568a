package record

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// readAhead is the buffer, in bytes, through which a record is read back.
const readAhead = 64 << 10

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
	entries := decode.NewDecoder(bufio.NewReaderSize(io.NewSectionReader(in, from, w.Size()-from), readAhead))
	for {
		var e inEntry
		if err := entries.Decode(&e); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if e.Tag != tagEnd {
			continue
		}
		var b streamBody
		if err := decode.Unmarshal(e.Body, &b); err != nil {
			return err
		}
		if s := b.unpack(); !yield(&s) {
			return nil
		}
	}
}
