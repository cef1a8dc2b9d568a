package play

import (
	"context"
	"errors"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
)

// baselineStreams are sent before any fault, to tell "failed under the fault"
// from "failed before it".
const baselineStreams = 5

// openBlock is how many sequence numbers a wave of unknown size reserves.
const openBlock = 1 << 20

// baseline sends a few streams down the victims' road and waits for them.
func (p *player) baseline(ctx context.Context) error {
	p.phase("baseline")
	w := p.wave(min(baselineStreams, p.sc.Load.Concurrent()), nil)
	w.Assign = p.assign(record.Baseline)
	_, err := p.drive(ctx, w)
	return err
}

// mainWave sends the load that was asked for, with the fault in its midst.
func (p *player) mainWave(ctx context.Context) error {
	p.phase("streams")
	w := p.wave(p.sc.Load.Concurrent(), &p.sc.Load)
	w.Assign = p.split()
	p.spread(&w)
	f := p.fault
	f.begin(w, p.draw.victims(w))
	struck := -1
	var injected chan error
	if p.sc.Fault != nil {
		if err := f.arm(ctx); err != nil {
			return err
		}
		if fault.Waits(p.sc.Fault) {
			injected = make(chan error, 1)
			go func() { injected <- f.inject(ctx, &struck) }() // ends with the wave, once it has healed
		}
	}
	browsed := p.browse(ctx, p.front)
	done, err := load.Drive(ctx, p.tap, w)
	close(f.turn.over)
	err = errors.Join(err, browsed())
	if injected != nil {
		err = errors.Join(err, <-injected)
	}
	if p.sc.Fault != nil {
		err = errors.Join(err, f.confirm(ctx))
	}
	done.InBodyAtFault, done.Solo = f.inBodyAtFault(struck), p.alone
	p.rec.Wave(done)
	return err
}

// drive sends a wave and records what came of it.
func (p *player) drive(ctx context.Context, w load.Wave) (record.Wave, error) {
	done, err := load.Drive(ctx, p.tap, w)
	done.InBodyAtFault, done.Solo = -1, p.alone
	p.rec.Wave(done)
	return done, err
}

// wave is a wave of n streams, each sent once unless l says otherwise.
func (p *player) wave(n int, l *harness.Load) load.Wave {
	w := load.Wave{Scenario: p.sc.ID, Method: p.App.Method(), Header: p.Headers(p.sc), Body: p.Body,
		Streams: n, Total: n, Dialect: &p.Dialect, Ask: p.Ask(),
		Limits: p.bounds(), Follow: p.follow()}
	w.Ask.Reference = p.reference
	if l != nil {
		w.Ramp, w.Duration, w.Rate = l.Ramp, l.Duration, l.Rate
		if l.Duration > 0 {
			w.Total = 0
		}
		if l.Rate > 0 {
			w.Streams = 0
		}
	}
	block := w.Total
	if block == 0 {
		block = openBlock
	}
	rounds := uint64(1)
	if c := p.sc.Client; l != nil && c.Rounds() > 1 {
		w.Block, rounds = uint64(block), c.Rounds()
	}
	w.First = p.reserve(uint64(block) * rounds)
	return w
}

// bounds are our own on each stream of the scenario.
func (p *player) bounds() tap.Limits {
	l := p.sc.Policy
	return tap.Limits{Connect: harness.ConnectLimit, Headers: p.HeadersLimit(), First: l.FirstLimit,
		Gap: l.GapLimit, Progress: l.ProgressLimit, Total: l.TotalLimit, Feed: l.Feed}
}

// reserve takes n sequence numbers.
func (r *run) reserve(n uint64) uint64 {
	r.seen.mu.Lock()
	defer r.seen.mu.Unlock()
	first := r.next
	r.next += n
	return first
}

// assign sends a whole wave down the main lane.
func (p *player) assign(g record.Group) func(uint64) load.Target {
	t := p.lane(g, p.App.Path())
	t.URL = p.front.URL + p.Target(p.sc)
	return func(uint64) load.Target { return t }
}

// lane is the road of a group.
func (p *player) lane(g record.Group, path string) load.Target {
	t := load.Target{Group: g, Hop: p.front.Name, URL: p.front.URL + path, Dial: p.front.Dial}
	if g == record.Control {
		t.URL, t.Dial = p.front.Control+path, p.front.DialControl
		t.Lane = stack.ControlLane
	}
	return t
}

// split sends the main wave down both lanes, where the scenario has something to
// be out of the way of, and breaks the streams that the origin is to break.
func (p *player) split() func(uint64) load.Target {
	honest := p.Target(p.sc)
	var broken []string
	for _, name := range p.Sabotage.List() {
		broken = append(broken, p.Sabotaged(p.sc, name))
	}
	return func(n uint64) load.Target {
		g := p.draw.group(n)
		path := honest
		if len(broken) > 0 && p.draw.breaks(n, g) {
			path = broken[p.draw.nth(n)%len(broken)]
		}
		t := p.lane(g, path)
		if g == record.Victim {
			behave(&t, p.sc.Client)
		}
		return t
	}
}
