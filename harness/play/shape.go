package play

import (
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/verdict"
)

// shape gives a main wave the pattern of its load.
func (s *sender) shape(w *load.Wave, l *harness.Load) {
	if at := l.Schedule(s.Seed ^ load.Hash(s.sc.ID+"/arrivals")); at != nil {
		// The rate is for whoever asks how dense the wave is: the schedule says when.
		w.Streams, w.Ramp, w.Duration, w.Total, w.Schedule = 0, 0, 0, len(at), at
		w.Rate = float64(len(at)) / max(at[len(at)-1].Seconds(), 0.001)
	} else if len(l.Stages) > 0 {
		w.Streams, w.Begin, w.Stages = l.Concurrent(), l.Start(), l.Stages
		w.Total, w.Duration = l.Total, arrivals.Length(l.Stages)
	}
	if q := s.requests(l); q != nil {
		w.Request = q.Bodies()
	}
	if turns := l.Turns(); turns > 0 {
		w.Whole = verdict.Completes(s.sc.Policy)
		w.Sessions = load.Sessions{Turns: turns, Least: l.Sessions.Think.Least, Most: l.Sessions.Think.Most,
			Seed: s.Seed ^ load.Hash(s.sc.ID+"/sessions"), Answers: s.Answers()}
	}
}

// firstTurn is the turn of streams beside the load of sessions: each is like the first
// stream of one.
func firstTurn(turns int) tap.Turn { return tap.Turn{N: min(turns, 1), Of: turns} }

// requests are the bodies of a wave's streams, nil where all send the same: in the order
// of the file where that has times, and otherwise dealt out by the seed.
func (s *sender) requests(l *harness.Load) *load.Requests {
	if l.Requests == nil {
		return nil
	}
	return &load.Requests{Entries: l.Requests.Entries, InOrder: l.Arrivals.Kind == arrivals.Trace,
		Seed: s.Seed ^ load.Hash(s.sc.ID+"/requests"), Template: s.Template}
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
