package harness

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// baselineStreams are sent before any fault, to tell "failed under the fault"
// from "failed before it".
const baselineStreams = 5

// openBlock is how many sequence numbers a wave of unknown size reserves.
const openBlock = 1 << 20

// baseline sends a few streams down the victims' road and waits for them.
func (p *player) baseline(ctx context.Context) error {
	p.phase("baseline")
	w := p.wave(min(baselineStreams, p.sc.Load.streams()), nil)
	w.Assign = p.assign(record.Baseline)
	_, err := p.drive(ctx, w)
	return err
}

// mainWave sends the load that was asked for, with the fault in its midst.
func (p *player) mainWave(ctx context.Context) error {
	p.phase("streams")
	w := p.wave(p.sc.Load.streams(), &p.sc.Load)
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
func (p *player) wave(n int, l *Load) load.Wave {
	w := load.Wave{Scenario: p.sc.ID, Method: p.App.method(), Header: p.headers(), Body: p.body,
		Streams: n, Total: n, Dialect: &p.dialect, Ask: p.ask(),
		Limits: p.bounds(p.sc), Follow: p.follow()}
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
	if c := p.sc.Client; l != nil && c.asksAgain() {
		w.Block, rounds = uint64(block), c.rounds()
	}
	w.First = p.reserve(uint64(block) * rounds)
	return w
}

// headers are the user's, and those of the scenario that he did not name.
func (p *player) headers() http.Header {
	h := p.header.Clone()
	for name, value := range p.sc.Headers {
		if h.Get(name) == "" {
			h.Set(name, value)
		}
	}
	return h
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
	t := p.lane(g, p.App.path())
	t.URL = p.front.URL + p.run.target(p.sc)
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
	honest := p.run.target(p.sc)
	var broken []string
	for _, name := range p.Sabotage.names() {
		broken = append(broken, p.sabotaged(p.sc, name))
	}
	return func(n uint64) load.Target {
		g := p.group(n)
		path := honest
		if len(broken) > 0 && p.breaks(n, g) {
			path = broken[p.nth(n)%len(broken)]
		}
		t := p.lane(g, path)
		if g == record.Victim {
			p.sc.Client.behave(&t)
		}
		return t
	}
}

// group is the part that the n-th stream of the main wave plays.
func (p *player) group(n uint64) record.Group {
	if p.sc.Fault == nil && !p.sc.Client.own() {
		return record.Load
	}
	if p.chosen("victim", n, p.sc.share()) {
		return record.Victim
	}
	return record.Control
}

// breaks reports whether the origin is to break the n-th stream. Where clients
// behave in a way of their own it breaks theirs: nobody else would see it.
func (p *player) breaks(n uint64, g record.Group) bool {
	if p.sc.Client.own() {
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
	if p.sc.Load.streams() == 1 && p.sc.Load.Rate == 0 || share >= 1 {
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
