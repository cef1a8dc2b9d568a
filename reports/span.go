package reports

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// span is the stretch of the run that a scenario took: from its first stream or
// window to its last. Both are 0 where nothing of it is known.
func span(run *record.Run, id string) (from, to time.Duration) {
	from, to = record.Never, 0
	see := func(at time.Duration) {
		if at < 0 {
			return
		}
		if from < 0 || at < from {
			from = at
		}
		to = max(to, at)
	}
	for i := range run.Streams {
		s := &run.Streams[i]
		if s.Scenario == id {
			see(began(s))
			see(ended(s))
		}
	}
	for _, w := range run.Windows {
		if w.Scenario == id {
			see(w.At)
		}
	}
	return max(from, 0), to
}

// began is when a stream was to start; a stream that was never sent still has
// its place in time.
func began(s *record.Stream) time.Duration {
	if s.Send >= 0 {
		return s.Send
	}
	return s.Sched
}

// ended is the last moment known of a stream.
func ended(s *record.Stream) time.Duration {
	return max(s.End, s.Last, s.Headers, s.Connect, began(s))
}
