package verdict

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Solo is the stream that went down the scenario's road alone, before the load;
// nil where there is none that came whole. What a peeled scenario has of them
// stands at [Scope.SoloAt].
func (s *Scope) Solo() *record.Stream { return s.SoloAt("") }

// SoloAt is [Scope.Solo] for the streams that entered at one hop, "" for any. Of
// several it is the one with the earliest first event: before the others the app
// may still have been warming up, or busy with what earlier streams left.
func (s *Scope) SoloAt(hop string) *record.Stream {
	var best *record.Stream
	for g := range s.InGroup(record.Solo) {
		if (hop == "" || g.Hop == hop) && g.Grade.Outcome == Complete {
			best = sooner(best, g.Stream)
		}
	}
	if best != nil {
		return best
	}
	for _, w := range s.Waves {
		if w.Solo != 0 && (hop == "" || w.Hop == hop) {
			if st := streamOf(s.Run, w.Solo); st != nil {
				return st
			}
		}
	}
	return nil
}

// streamOf finds a stream of an earlier scenario, if it came whole.
func streamOf(run *record.Run, seq uint64) *record.Stream {
	for i := range run.Streams {
		st := &run.Streams[i]
		if st.Seq == seq && st.Group == record.Solo && GradeStream(st, record.Policy{}).Outcome == Complete {
			return st
		}
	}
	return nil
}

func sooner(a, b *record.Stream) *record.Stream {
	if a == nil || firstAfter(b) < firstAfter(a) {
		return b
	}
	return a
}

// firstAfter is TTFE, or for ever.
func firstAfter(st *record.Stream) time.Duration {
	if d, ok := TTFE(st); ok {
		return max(d, 0) // a first event may overtake the end of our own writing
	}
	return 1<<63 - 1
}
