package play

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

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
	p.begin(w)
	struck := -1
	var injected chan error
	if p.sc.Fault != nil {
		if err := p.arm(ctx); err != nil {
			return err
		}
		if fault.Waits(p.sc.Fault) {
			injected = make(chan error, 1)
			go func() { injected <- p.inject(ctx, &struck) }() // ends with the wave, once it has healed
		}
	}
	browsed := p.browse(ctx, p.front)
	done, err := load.Drive(ctx, p.tap, w)
	close(p.turn.over)
	err = errors.Join(err, browsed())
	if injected != nil {
		err = errors.Join(err, <-injected)
	}
	if p.sc.Fault != nil {
		err = errors.Join(err, p.confirm(ctx))
	}
	done.InBodyAtFault, done.Solo = p.inBodyAtFault(struck), p.alone
	p.rec.Wave(done)
	return err
}

// begin says who the victims of the main wave are.
func (p *player) begin(w load.Wave) {
	p.target.Victims = p.victims(w)
	p.turn = turn{from: w.First, to: w.First + uint64(w.Streams), victims: len(p.target.Victims),
		open: w.Rate > 0, over: make(chan struct{})}
	p.seen.watch(p.turn)
}

// inBodyAtFault is what inject saw, or for strikes, which come at an event, the
// number of strikes that came after one.
func (p *player) inBodyAtFault(seen int) int {
	if p.sc.Fault == nil || fault.Waits(p.sc.Fault) {
		return seen
	}
	n := 0
	for _, e := range p.seen.allEvents() {
		if e.Source == record.RelaySource && e.Kind == record.KindStrike && e.Value > 0 {
			n++
		}
	}
	return n
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
		g := p.group(n)
		path := honest
		if len(broken) > 0 && p.breaks(n, g) {
			path = broken[p.nth(n)%len(broken)]
		}
		t := p.lane(g, path)
		if g == record.Victim {
			behave(&t, p.sc.Client)
		}
		return t
	}
}

// group is the part that the n-th stream of the main wave plays.
func (p *player) group(n uint64) record.Group {
	if p.sc.Fault == nil && !p.sc.Client.Own() {
		return record.Load
	}
	if p.chosen("victim", n, p.sc.VictimShare()) {
		return record.Victim
	}
	return record.Control
}

// breaks reports whether the origin is to break the n-th stream. Where clients
// behave in a way of their own it breaks theirs: nobody else would see it.
func (p *player) breaks(n uint64, g record.Group) bool {
	if p.sc.Client.Own() {
		return g == record.Victim
	}
	share := p.Sabotage.Share
	if share == 0 {
		share = 1.0 / 3
	}
	return p.chosen("sabotage", n, share)
}

// nth numbers the broken streams well enough to deal the sabotages out among
// them: by the block that the stream is in.
func (p *player) nth(n uint64) int {
	if share := p.Sabotage.Share; share > 0 {
		return int(float64(n) * share)
	}
	return int(n / 3)
}

// chosen picks the given share of each block of streams by the run's seed, so
// that a small wave has its share too; a wave of one stream is always picked.
func (p *player) chosen(what string, n uint64, share float64) bool {
	if p.sc.Load.Concurrent() == 1 && p.sc.Load.Rate == 0 || share >= 1 {
		return true
	}
	block := uint64(10)
	switch share {
	case 0.5:
		block = 2
	case 1.0 / 3:
		block = 3
	}
	perm := rand.New(rand.NewPCG(p.Seed, hash(p.sc.ID+"/"+what)+n/block)).Perm(int(block))
	return float64(perm[n%block]) < share*float64(block)-1e-9
}

// pick chooses one of n by the run's seed.
func (p *player) pick(n int) int {
	return rand.New(rand.NewPCG(p.Seed, hash(p.sc.ID+"/pick"))).IntN(n)
}

// hash is FNV-1a, 64 bits.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// victims lists the victims among the first streams of the wave: all of them,
// where each stream is sent once, otherwise those of the first turn.
func (p *player) victims(w load.Wave) []uint64 {
	n := w.Streams
	if w.Rate > 0 {
		n = int(w.Rate * min(w.Duration, 10*time.Second).Seconds())
	}
	var v []uint64
	for i := range uint64(n) {
		if p.group(i) == record.Victim {
			v = append(v, w.First+i)
		}
	}
	return v
}
