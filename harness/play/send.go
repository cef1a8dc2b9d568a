package play

import (
	"context"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
)

// openBlock is how many sequence numbers a wave of unknown size reserves.
const openBlock = 1 << 20

// A sender makes the waves of a scenario and sends them: each with its numbers, its
// request, the bounds of its streams and the road of each.
//
//	load ─▶ wave ─▶ assign, split ─▶ drive ─▶ record
type sender struct {
	scope
	draw  draw
	stack stack.Stack
	front stack.Hop // at which streams enter
	// reference is what a text answer says in full, "" where that is not known.
	reference string
	alone     uint64        // the stream that went down this road alone
	aloneTook time.Duration // and how long it took, 0 if unknown
}

// drive sends a wave and records what came of it.
func (s *sender) drive(ctx context.Context, w load.Wave) (record.Wave, error) {
	done, err := load.Drive(ctx, s.tap, w)
	done.InBodyAtFault, done.Solo = -1, s.alone
	s.rec.Wave(done)
	return done, err
}

// driveShared is drive for a wave that load workers may send, see share.
func (s *sender) driveShared(ctx context.Context, w load.Wave, deal *load.Deal, bodies *load.Requests) error {
	done, _, err := s.share(ctx, w, deal, bodies)
	done.InBodyAtFault, done.Solo = -1, s.alone
	s.rec.Wave(done)
	return err
}

// wave is a wave of n streams, each sent once unless l says otherwise.
func (s *sender) wave(n int, l *harness.Load) load.Wave {
	w := load.Wave{Scenario: s.sc.ID, Method: s.App.Method(), Header: s.Headers(s.sc), Body: s.Body,
		Streams: n, Total: n, Dialect: &s.Dialect, Ask: s.Ask(),
		Limits: s.bounds(), Follow: s.follow()}
	w.Ask.Reference, w.Prompts = s.reference, s.App.Stream.Prompts
	if l != nil {
		w.Ramp, w.Duration, w.Rate = l.Ramp, l.Duration, l.Rate
		if l.Total > 0 || l.Duration > 0 {
			w.Total = l.Total
		}
		if l.Rate > 0 {
			w.Streams = 0
		}
		s.shape(&w, l)
	}
	block := w.Total
	if block == 0 {
		block = openBlock
	}
	rounds := uint64(1)
	if turns := s.sc.Load.Turns(); l != nil {
		rounds = s.sc.Client.Rounds() * uint64(max(turns, 1))
	} else if turns > 0 {
		w.Turn = firstTurn(turns)
	}
	if rounds > 1 || w.Sessions.Turns > 0 {
		w.Block = uint64(block)
	}
	w.First = s.reserve(uint64(block) * rounds)
	return w
}

// bounds are our own on each stream of the scenario.
func (s *sender) bounds() tap.Limits {
	l := s.sc.Policy
	return tap.Limits{Connect: harness.ConnectLimit, Headers: s.HeadersLimit(), First: l.FirstLimit,
		Gap: l.GapLimit, Progress: l.ProgressLimit, Total: l.TotalLimit, Feed: l.Feed}
}

// assign sends a whole wave down the main lane.
func (s *sender) assign(g record.Group) func(uint64) load.Target {
	t := s.lane(g, s.App.Path())
	t.URL = s.front.URL + s.Target(s.sc)
	return func(uint64) load.Target { return t }
}

// lane is the road of a group.
func (s *sender) lane(g record.Group, path string) load.Target {
	t := load.Target{Group: g, Hop: s.front.Name, URL: s.front.URL + path, Dial: s.front.Dial,
		Foreign: s.App.Foreign(s.front)}
	if g == record.Control {
		t.URL, t.Dial = s.front.Control+path, s.front.DialControl
		t.Lane = stack.ControlLane
	}
	return t
}

// split sends the main wave down both lanes, where the scenario has something to
// be out of the way of, and breaks the streams that the origin is to break.
func (s *sender) split() *load.Deal {
	d := &load.Deal{Draw: s.draw.Draw, Path: s.Target(s.sc), Targets: map[record.Group]load.Target{}}
	for _, name := range s.Sabotage.List() {
		d.Broken = append(d.Broken, s.Sabotaged(s.sc, name))
	}
	for _, g := range []record.Group{record.Load, record.Victim, record.Control} {
		t := s.lane(g, "")
		if g == record.Victim {
			behave(&t, s.sc.Client)
		}
		d.Targets[g] = t
	}
	return d
}

// through sends streams in at h, and breaks those that the origin is to break:
// the same at every hop.
func (s *sender) through(h stack.Hop) *load.Deal {
	d := s.split()
	for g, t := range d.Targets {
		t.Group, t.Hop, t.Dial, t.Foreign = record.Load, h.Name, h.Dial, s.App.Foreign(h)
		d.Targets[g] = t
	}
	return d
}

// hops are the stack's. Where the user says where the app itself listens, what
// his URL leads to is his edge.
func (s *sender) hops() []stack.Hop {
	hops := slices.Clone(s.stack.Hops())
	for i := range hops {
		hops[i] = s.App.Entrance(hops[i])
	}
	if s.App.Direct == "" || s.App.URL == "" {
		return hops
	}
	last := &hops[len(hops)-1]
	last.Name, last.What = record.ForeignHop, "what answers at "+last.URL
	base := (&harness.App{URL: s.App.Direct}).Base()
	return append(hops, s.App.Entrance(stack.Hop{Name: "app", What: "app", URL: base, Control: base}))
}
