package play

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	// soloAgain is a first event after which the app may still have been warming up
	// (imports, a JIT, a first connection to a database): it is asked once more.
	soloAgain = time.Second
	// soloLong is an answer that costs too much time to be asked for again on a road
	// on which it is known already.
	soloLong = 3 * time.Second
)

// A soloOf is what is known of a stream that had a road to itself.
type soloOf struct {
	seq  uint64
	took time.Duration
}

// solo sends one stream alone before the load: what the load then adds to the
// times of the others is measured against it ([verdict.Scope.Solo]).
//
//	solo │ baseline (5) │ main wave ──────────
//	  └── first event 0.35 s      └── first event 6.1 s: 5.75 s are the load's
//
// A road that has its solo stream in this run already is not asked again where
// the answer takes longer than soloLong, or where the scenario has a fault of its
// own, which nothing is then measured against. The same road is the same edge,
// hop, request and way to start the app.
func (s *sender) solo(ctx context.Context, h stack.Hop) error {
	if l := s.sc.Load; l.Concurrent() == 1 && l.Rate == 0 && !s.sc.Peel {
		return nil // it is alone anyway
	}
	road := s.road(h)
	if known, ok := s.solos[road]; ok && (s.sc.Fault != nil || known.took > soloLong) {
		s.alone, s.aloneTook = known.seq, known.took
		return nil
	}
	s.phase(record.StepSolo, "one stream alone")
	st, err := s.ask1(ctx, h, record.Solo)
	if first, ok := verdict.TTFE(st); ok && first > soloAgain && err == nil && ctx.Err() == nil {
		var again *record.Stream
		again, err = s.ask1(ctx, h, record.Solo)
		if sooner, ok := verdict.TTFE(again); ok && sooner < first {
			st = again
		}
	}
	s.alone, s.aloneTook = st.Seq, 0
	took, ok := verdict.DurationOf(st)
	if ok {
		s.aloneTook = took
	}
	if ok && whole(st) {
		s.solos[road] = soloOf{st.Seq, took}
	}
	return err
}

// whole reports whether a stream can be measured against.
func whole(st *record.Stream) bool {
	return verdict.GradeStream(st, record.Policy{}).Outcome == verdict.Complete
}

// ask1 sends one stream in at h and waits for its end.
func (s *sender) ask1(ctx context.Context, h stack.Hop, g record.Group) (*record.Stream, error) {
	w := s.wave(1, nil)
	t := s.lane(g, s.Target(s.sc))
	t.Hop, t.URL, t.Dial, t.Foreign = h.Name, h.URL+s.Target(s.sc), h.Dial, s.App.Foreign(h)
	err := s.driveOne(ctx, w, t)
	for _, st := range s.seen.of(g) {
		if st.Seq == w.First {
			return st, err
		}
	}
	return &record.Stream{First: record.Never, Send: record.Never, End: record.Never, TerminalAt: record.Never}, err
}

// driveOne sends a wave of one stream: from where the load comes, where the two are
// compared.
func (s *sender) driveOne(ctx context.Context, w load.Wave, t load.Target) error {
	if !s.Away() || t.Group != record.Solo {
		w.Assign = func(uint64) load.Target { return t }
		_, err := s.drive(ctx, w)
		return err
	}
	deal := &load.Deal{Targets: map[record.Group]load.Target{record.Load: t}}
	return s.driveShared(ctx, w, deal, nil)
}

// road tells roads apart on which an answer may take another time.
func (s *sender) road(h stack.Hop) string {
	return fmt.Sprint(s.sc.Edge, h.Name, s.Target(s.sc), s.sc.Headers, s.sc.Env, s.sc.Args, s.sc.Workers, s.sc.Replicas)
}

const (
	// soloMore is how many streams are sent alone once more where the load seems to
	// have slowed the others: answers may take unequal times by themselves.
	soloMore = 4
	// soloLimit bounds what that takes.
	soloLimit = 20 * time.Second
)

// compareAlone sends further streams alone where many of the wave's streams, from
// the number from on, waited much longer than the first solo stream.
func (s *sender) compareAlone(ctx context.Context, h stack.Hop, from uint64) error {
	if s.sc.Policy.Slowdown == 0 || s.alone == 0 {
		return nil
	}
	var alone *record.Stream
	for _, st := range s.seen.of(record.Solo) {
		if st.Seq == s.alone {
			alone = st
		}
	}
	if alone == nil || !whole(alone) {
		return nil
	}
	var failed error
	if _, slowed := verdict.SlowedBy(alone, since(from, s.recorded(&failed, record.Load))); !slowed || failed != nil {
		return failed
	}
	s.idle(ctx, h, from)
	s.phase(record.StepSolo, "one stream alone")
	begin := s.now()
	for n := 0; n < soloMore && s.now()-begin < soloLimit && ctx.Err() == nil; n++ {
		if _, err := s.ask1(ctx, h, record.Solo); err != nil {
			return err
		}
	}
	return nil
}

// since yields the streams from number seq on.
func since(seq uint64, streams iter.Seq[*record.Stream]) iter.Seq[*record.Stream] {
	return func(yield func(*record.Stream) bool) {
		for st := range streams {
			if st.Seq >= seq && !yield(st) {
				return
			}
		}
	}
}

// paceAlone sends a few streams to the app itself where the scenario asks whether
// something on the way holds streams back: how the app paces its answers by itself
// is what that is measured against.
func (s *sender) paceAlone(ctx context.Context) error {
	hops := s.hops()
	app := hops[len(hops)-1]
	if s.sc.Policy.Expect != record.ExpectPaced || app.Name != "app" || app.Name == s.front.Name {
		return nil
	}
	s.phase(record.StepDirect, "streams to the app itself")
	for range paceStreams {
		st, err := s.ask1(ctx, app, record.Solo)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if took, ok := verdict.DurationOf(st); ok && took > soloLong {
			break
		}
	}
	return nil
}

// paceStreams is how many streams say how an app paces its answers.
const paceStreams = 3

const (
	// mostSpread and spreadEach bound the time over which a wave's starts are spread
	// unless the user or the scenario says otherwise.
	mostSpread = 2 * time.Second
	spreadEach = 50 * time.Millisecond
	// spreadPart is the part of an answer's length that it takes at most: nearly all
	// streams are then open at once, as asked.
	spreadPart = 4
)

// spread sets a small ramp where none was asked for. Streams that start at one
// moment have the same age at the same event, so that nobody can tell a deadline
// from a fault at that event, or a blocked loop from a pause in every answer.
// Faults, clients and limits that are met by all at once keep their moment.
func (s *sender) spread(w *load.Wave) {
	l := s.sc.Load
	if l.Ramp > 0 || l.Together || w.Rate > 0 || w.Stages != nil || s.sc.Fault != nil || s.sc.Client.Own() ||
		s.sc.Policy.Sheds {
		return
	}
	w.Ramp = min(mostSpread, time.Duration(w.Streams)*spreadEach, s.aloneTook/spreadPart)
}
