package synth

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
)

// Arrive makes s the record of an answer without stamps whose pieces, each of a
// size, came at some times after the request. Text is one mark a read, events one
// each; what comes in one read came within a look of the loop.
func Arrive(s *record.Stream, at []time.Duration, size int, text bool) {
	var tl record.Timeline
	s.Contents, s.Bytes = 0, int64(size*len(at))
	for i := 0; i < len(at); i++ {
		n := 1
		for text && i+n < len(at) && at[i+n] == at[i] {
			n++
		}
		m := record.Mark{At: s.Send + at[i], Early: s.Send + at[i], Kind: stream.Content, Seq: -1, Size: size * n}
		if i+n < len(at) && at[i+n] == at[i] {
			m.Early -= 5 * ms
		}
		tl.Append(m)
		s.Contents++
		i += n - 1
	}
	s.Headers, s.First, s.FirstAny, s.Last = s.Send+at[0], s.Send+at[0], s.Send+at[0], s.Send+at[len(at)-1]
	s.TerminalAt, s.End = s.Last+ms, s.Last+2*ms
	s.Events = tl.Bytes
}
