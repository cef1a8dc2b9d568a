package play

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

const (
	// idleLimit bounds the wait for an app to be idle between two hops.
	idleLimit = 30 * time.Second
	idleRest  = 500 * time.Millisecond // between two looks
	idleSlack = 300 * time.Millisecond // a first event may take so much longer than it did
)

// idle waits until the app has nothing left of the wave before, so that its queue
// is not measured as the next hop's delay. Streams that ended whole leave nothing;
// an app does not know of clients that left, nor of answers that an edge cut. It
// is idle when a stream alone has its first event as soon as at the beginning.
func (s *sender) idle(ctx context.Context, h stack.Hop, last uint64) {
	first := s.firstAlone(h)
	if first == 0 {
		return
	}
	if left, err := s.leftOver(last); err == nil && !left {
		return
	}
	s.phase(record.StepIdle, "waiting until the app is idle")
	ctx, cancel := context.WithTimeout(ctx, idleLimit)
	defer cancel()
	for ctx.Err() == nil {
		st, err := s.ask1(ctx, h, record.Probe)
		if took, ok := verdict.TTFE(st); err != nil || ok && took <= 2*first+idleSlack {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(idleRest):
		}
	}
	s.note(s.sc.ID, record.NoteDoubt,
		fmt.Sprintf("%v after the streams at one hop had ended the app was still busy, so that what follows may look "+
			"slower than it is", idleLimit),
		"send fewer streams: --streams 5")
}

// firstAlone is how long the first event takes at h, alone; 0 if nobody knows.
func (s *sender) firstAlone(h stack.Hop) time.Duration {
	var least time.Duration
	for _, st := range s.seen.of(record.Solo) {
		if took, ok := verdict.TTFE(st); ok && st.Hop == h.Name && (least == 0 || took < least) {
			least = took
		}
	}
	return least
}

// leftOver reports whether a stream from number last on ended in another way than
// whole.
func (s *sender) leftOver(last uint64) (left bool, err error) {
	for st := range since(last, s.recorded(&err, record.Load, record.Solo)) {
		if !whole(st) {
			return true, nil
		}
	}
	return false, err
}
