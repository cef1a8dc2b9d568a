package play

import (
	"context"
	"errors"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
)

// baselineStreams are sent before any fault, to tell "failed under the fault"
// from "failed before it".
const baselineStreams = 5

// baseline sends a few streams down the victims' road and waits for them.
func (p *player) baseline(ctx context.Context) error {
	p.phase(record.StepBaseline, "baseline")
	w := p.wave(min(baselineStreams, p.sc.Load.Concurrent()), nil)
	w.Assign = p.assign(record.Baseline)
	_, err := p.drive(ctx, w)
	return err
}

// mainWave sends the load that was asked for, with the fault in its midst.
func (p *player) mainWave(ctx context.Context) error {
	p.phase(record.StepStreams, "streams")
	w := p.wave(p.sc.Load.Concurrent(), &p.sc.Load)
	deal := p.split()
	p.spread(&w)
	f := p.fault
	f.begin(w, p.draw.victims(w))
	struck := -1
	var injected chan error
	if p.sc.Fault != nil {
		if err := f.arm(ctx); err != nil {
			return err
		}
		injected = make(chan error, 1)
		go func() { // ends with the wave, once it has healed and new streams are whole
			if fault.Waits(p.sc.Fault) {
				injected <- f.inject(ctx, &struck)
				return
			}
			f.follow(ctx)
			injected <- nil
		}()
	}
	browsed := p.browse(ctx, p.front)
	done, bound, err := p.share(ctx, w, deal, p.requests(&p.sc.Load))
	close(f.turn.over)
	err = errors.Join(err, browsed())
	if injected != nil {
		err = errors.Join(err, <-injected)
	}
	if p.sc.Fault != nil {
		err = errors.Join(err, f.confirm(ctx))
	}
	if p.fleet != nil && struck >= 0 {
		var failed error
		struck, failed = f.inBodyWhen(f.struckAt, bound)
		err = errors.Join(err, failed)
	}
	done.InBodyAtFault, done.Solo = f.inBodyAtFault(struck), p.alone
	p.rec.Wave(done)
	return err
}
