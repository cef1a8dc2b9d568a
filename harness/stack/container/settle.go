package container

import (
	"context"
	"time"

	"github.com/moby/moby/api/types/container"
)

const (
	// settleLimit is how long a stack waits for what Docker has yet to tell.
	settleLimit = 10 * time.Second
	settlePause = 50 * time.Millisecond
	// endsBy is how long after it ran out of memory a container may be seen to run that
	// has ended, where its processes cannot be seen.
	endsBy = 3 * time.Second
)

// A life is what Docker has told of a container since it was last started.
type life struct {
	began              time.Time
	killed, oom, ended time.Time // the last signal, and the others: zero where it has not told of them
	again              bool      // it had been started before
}

// Settle implements [stack.Settler]. Docker tells of the end of a container once it has
// cleared up, and starts it again after a pause: a run that ends with its container waits
// for that, or it would know neither that it died nor that it came back.
func (s *Stack) Settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for _, r := range s.living() {
		for !s.watch.settled(ctx, r) {
			select {
			case <-ctx.Done():
				s.Chain.Settle(ctx)
				return
			case <-time.After(settlePause):
			}
		}
	}
	s.Chain.Settle(ctx)
}

// settled reports whether Docker has told all that has become of a replica.
func (w *watcher) settled(ctx context.Context, r *replica) bool {
	state := w.stateOf(ctx, r.id)
	if state == nil {
		return true // nothing can be learnt by waiting
	}
	gone := false
	if r.visible.Load() {
		_, alive := readProc(state.Pid)
		gone = !alive
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return allTold(state, w.lives[r.id], gone, time.Now())
}

// allTold reports whether what Docker has told of a container agrees with its state. gone
// says that its first process is seen to have ended.
func allTold(state *container.State, told life, gone bool, now time.Time) bool {
	switch {
	case state.Restarting: // the pause gets longer each time; one return is enough to know
		return told.again && !told.ended.IsZero()
	case !state.Running:
		return !told.ended.IsZero()
	case gone || !told.ended.IsZero():
		return false // its end, or its next start, is still to be told
	}
	return told.oom.IsZero() || now.Sub(told.oom) >= endsBy
}
