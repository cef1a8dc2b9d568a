package harness

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
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
		p.phase("streams to " + h.Name)
		w := p.wave(p.sc.Load.streams(), &p.sc.Load)
		w.Assign = p.through(h)
		p.spread(&w)
		browsed := p.browse(ctx, h)
		_, err := p.drive(ctx, w)
		if err = errors.Join(err, browsed()); err != nil {
			return err
		}
		if err := p.compareAlone(ctx, h, w.First); err != nil {
			return err
		}
	}
	return p.compare(ctx)
}

// through sends streams in at h, and breaks those that the origin is to break:
// the same at every hop.
func (p *player) through(h stack.Hop) func(uint64) load.Target {
	split := p.split()
	return func(n uint64) load.Target {
		t := split(n)
		t.Group, t.Hop, t.Dial = record.Load, h.Name, h.Dial
		return t
	}
}

// hops are the stack's. Where the user says where the app itself listens, what
// his URL leads to is his edge.
func (p *player) hops() []stack.Hop {
	hops := p.stack.Hops()
	if p.App.Direct == "" || p.App.URL == "" {
		return hops
	}
	hops = slices.Clone(hops)
	last := &hops[len(hops)-1]
	last.Name, last.What = record.ForeignHop, "what answers at "+last.URL
	base := (&App{URL: p.App.Direct}).base()
	return append(hops, stack.Hop{Name: "app", What: "app", URL: base, Control: base})
}

// planned is the stored form of a scenario.
func (r *run) planned(sc Scenario) record.Scenario {
	own := sc.Edge.ReadTimeout > 0 && r.App.Edge.ReadTimeout == 0 && r.App.Edge.NginxConf == ""
	sc.Policy, sc.Edge = r.policy(sc), r.edge(sc)
	p := sc.plan(r.Load.Over(sc.Load))
	p.Peel, p.Expected, p.OwnReadTimeout = sc.Peel, r.expected(sc), own
	return p
}

// originHeartbeat is the origin's, where a scenario leaves it.
const originHeartbeat = time.Second

// expected is how long streams will last and be silent: as the user says, or as
// the shape makes them that an app can be asked for.
func (r *run) expected(sc Scenario) record.Expected {
	e := record.Expected{Longest: r.App.Stream.Longest, Silence: r.App.Stream.Silence}
	if e != (record.Expected{}) || !r.App.shaped() {
		return e
	}
	s := sc.Shape.filled()
	e.Longest = time.Duration(s.Events)*s.Gap + s.Pause
	if e.Silence = max(s.Gap, s.Pause); r.App.origin() {
		e.Silence = max(s.Gap, min(s.Pause, s.Heartbeat))
	}
	return e
}

// filled is s with the origin's defaults.
func (s Shape) filled() Shape {
	if s.Events == 0 {
		s.Events = 20
	}
	if s.Gap == 0 {
		s.Gap = 50 * time.Millisecond
	}
	if s.Heartbeat == 0 {
		s.Heartbeat = originHeartbeat
	}
	return s
}

// warn says before any load which settings of the layers will cut it.
func (p *player) warn() {
	if p.Warn == nil {
		return
	}
	plan := p.planned(p.sc)
	var layers []record.Layer
	for _, l := range p.stack.Layers() {
		layers = append(layers, record.Layer{Name: l.Name, Settings: l.Settings})
	}
	for _, w := range lint.Check(layers, p.limits(), lint.LoadOf(&plan)) {
		text := w.Layer + " " + w.Setting + ": " + w.Why + "; fix: " + w.Fix
		if !slices.Contains(p.warned, text) { // once per run: most are about the app
			p.warned = append(p.warned, text)
			p.Warn(p.sc.ID, text)
		}
	}
}

// validDirect refuses an address of the app that cannot be used.
func (o *Options) validDirect() error {
	if o.App.Direct == "" {
		return nil
	}
	if o.App.URL == "" {
		return &UsageError{Place: "direct", Problem: "it names the app behind a URL, and no URL is given", Fix: "add --url with the address of the edge"}
	}
	if err := validURL(o.App.Direct); err != nil {
		return renamed(err, "direct")
	}
	behind := Options{App: App{URL: o.App.Direct}, AllowHosts: o.AllowHosts}
	return renamed(behind.validHost(), "direct")
}

// renamed moves a usage error to another place.
func renamed(err error, place string) error {
	var usage *UsageError
	if errors.As(err, &usage) {
		moved := *usage
		moved.Place = place
		return &moved
	}
	return err
}
