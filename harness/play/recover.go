package play

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Recovery is measured by small waves of new streams, one after the other: the
// app has recovered at the start of the first wave in which all were complete, and
// prompt again.
const (
	probeStreams = 3
	probeRest    = 100 * time.Millisecond // between waves
	probeSlack   = 10 * time.Second       // beyond the policy's recovery time
)

// A prober sends the waves on a goroutine of its own, which ends with the first
// whole wave, with its context or at its time limit.
type prober struct {
	recover func(ctx context.Context, from time.Duration) (whole time.Duration)
	ctx     context.Context

	once  sync.Once
	done  chan struct{} // nil until started
	whole time.Duration // when the whole wave began, once done
}

// start probes from now on, once. from is when the fault struck or healed.
func (b *prober) start(from time.Duration) {
	b.once.Do(func() {
		b.done = make(chan struct{})
		go func() {
			defer close(b.done)
			b.whole = b.recover(b.ctx, from)
		}()
	})
}

// restarted probes once more where no whole wave has begun since the app was started
// again: an app that was still there, or a sibling of what was not, says nothing about
// the new process.
func (b *prober) restarted(at time.Duration) {
	b.start(at)
	b.wait()
	if b.ctx.Err() == nil && b.whole < at {
		b.whole = b.recover(b.ctx, at)
	}
}

// wait returns when probing is over. It is called after the last start.
func (b *prober) wait() {
	if b.done != nil {
		<-b.done
	}
}

// recover sends waves until one is whole, stamps that, and returns when it began; Never
// where none was.
func (p *player) recover(ctx context.Context, from time.Duration) (whole time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, p.sc.Policy.Recovery+probeSlack+p.sc.Policy.GapLimit)
	defer cancel()
	for ctx.Err() == nil {
		begin := p.now()
		if ok, err := p.probe(ctx); err != nil {
			p.note(p.sc.ID, record.NoteHarness, "measure recovery: "+err.Error(), "")
			return record.Never
		} else if ok && ctx.Err() == nil {
			p.fault.stamp(&part{Part: fault.Part{Fault: p.sc.Fault}, name: p.sc.Fault.String()}, record.Recovered, begin,
				fmt.Sprintf("%d of %d new streams complete, first whole wave %v after the fault",
					probeStreams, probeStreams, (begin-from).Round(time.Millisecond)), nil)
			return begin
		}
		select {
		case <-ctx.Done():
		case <-time.After(probeRest):
		}
	}
	return record.Never
}

// probe sends one small wave and says whether all of it was fine.
func (p *player) probe(ctx context.Context) (bool, error) {
	w := p.wave(probeStreams, nil)
	first := w.First
	w.Assign = p.assign(record.Recovery)
	done, err := p.drive(ctx, w)
	if err != nil || done.Started < probeStreams {
		return false, err
	}
	ok := 0
	slow := verdict.SlowFirst(p.seen.of(record.Baseline))
	for _, s := range p.seen.of(record.Recovery) {
		if s.Seq >= first && s.Seq < first+probeStreams && !slow(s) &&
			verdict.GradeStream(s, p.sc.Policy).Outcome == verdict.Complete {
			ok++
		}
	}
	return ok == probeStreams, nil
}
