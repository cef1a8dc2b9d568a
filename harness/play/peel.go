package play

import (
	"context"
	"errors"
	"slices"

	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
)

// peel sends the same load in at every hop of the chain, the app itself first
// and the whole chain last, so that what each layer adds stands beside what was
// there without it.
//
//	client ─────────────────────────────▶ app      1st wave
//	client ───────────────▶ link ───────▶ app      2nd
//	client ────▶ nginx ───▶ link ───────▶ app      3rd
//	client ─▶ link ─▶ nginx ─▶ link ────▶ app      4th
//
// Before each wave one stream goes in alone, and before that one the app must be
// idle. The waves come one after the other: side by side they would share the app, and
// a queue in it would look like a layer's.
func (p *player) peel(ctx context.Context) error {
	hops := p.hops()
	inner, last := hops[len(hops)-1], p.next
	for _, h := range slices.Backward(hops) {
		if ctx.Err() != nil {
			return nil
		}
		if h.Name != inner.Name {
			p.idle(ctx, inner, last)
		}
		last = p.next
		p.front = h
		if err := p.solo(ctx, h); err != nil || ctx.Err() != nil {
			return err
		}
		p.phase(record.StepStreams, "streams to "+h.Name)
		w := p.wave(p.sc.Load.Concurrent(), &p.sc.Load)
		p.spread(&w)
		browsed := p.browse(ctx, h)
		err := p.driveShared(ctx, w, p.through(h), p.requests(&p.sc.Load))
		if err = errors.Join(err, browsed()); err != nil {
			return err
		}
		if err := p.compareAlone(ctx, h, w.First); err != nil {
			return err
		}
	}
	return p.compare(ctx)
}

// warn says before any load which settings of the layers will cut it.
func (p *player) warn() {
	if p.Warn == nil {
		return
	}
	plan := p.Plan.Scenario(p.sc)
	for _, w := range lint.Check(p.layers(), p.Limits(), lint.LoadOf(&plan)) {
		if !slices.ContainsFunc(p.warned, w.Same) { // once per run: most are about the app
			p.warned = append(p.warned, w)
			p.Warn(p.sc.ID, w)
		}
	}
}
