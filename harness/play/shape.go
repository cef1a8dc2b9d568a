package play

import (
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/prompts"
)

// shape gives a main wave the pattern of its load.
func (s *sender) shape(w *load.Wave, l *harness.Load) {
	if at := l.Schedule(s.Seed ^ hash(s.sc.ID+"/arrivals")); at != nil {
		// The rate is for whoever asks how dense the wave is: the schedule says when.
		w.Streams, w.Ramp, w.Duration, w.Total, w.Schedule = 0, 0, 0, len(at), at
		w.Rate = float64(len(at)) / max(at[len(at)-1].Seconds(), 0.001)
	} else if len(l.Stages) > 0 {
		w.Streams, w.Begin, w.Stages = l.Concurrent(), l.Start(), l.Stages
		w.Total, w.Duration = l.Total, arrivals.Length(l.Stages)
	}
	if l.Requests != nil {
		w.Request = s.requests(l)
	}
}

// requests says which body each stream of a wave sends: in the order of the file where
// that has times, and otherwise dealt out by the seed.
func (s *sender) requests(l *harness.Load) func(seq uint64) []byte {
	entries, deal := l.Requests.Entries, s.dealt(len(l.Requests.Entries))
	if l.Arrivals.Kind == arrivals.Trace {
		deal = func(seq uint64) int { return int(seq % uint64(len(entries))) }
	}
	return func(seq uint64) []byte {
		e := &entries[deal(seq)]
		if e.Body != nil {
			return e.Sizes(e.Body)
		}
		return e.Sizes(s.Template)
	}
}

// dealt draws one order of n for each round.
func (s *sender) dealt(n int) func(seq uint64) int {
	var mu sync.Mutex
	rounds := map[uint64][]int{}
	seed := s.Seed ^ hash(s.sc.ID+"/requests")
	return func(seq uint64) int {
		round := seq / uint64(n)
		mu.Lock()
		defer mu.Unlock()
		if rounds[round] == nil {
			rounds[round] = prompts.Round(n, seed, round)
			delete(rounds, round-2) // streams of it are not asked for any more
		}
		return rounds[round][seq%uint64(n)]
	}
}

// early is how many streams of a wave of irregular load start in its first time.
func early(w *load.Wave, first time.Duration) int {
	if w.Schedule == nil {
		return int(arrivals.At(w.Begin, w.Stages, min(first, w.Duration)))
	}
	n := 0
	for n < len(w.Schedule) && w.Schedule[n] < first {
		n++
	}
	return n
}
