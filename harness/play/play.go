package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamproof/streamproof/harness"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// closeLimit bounds the end of a stack, and healLimit what undoes a fault; where that starts
// the app again, the time that the app may take for it comes on top.
const (
	closeLimit = 30 * time.Second
	healLimit  = 20 * time.Second
)

// A player plays one scenario on a stack of its own.
//
//	solo ── baseline ── main wave: victims and controls ────────────┐
//	                      │ condition met                           │
//	                      └ fault active ── hold ── healed ── recovery streams
type player struct {
	sender
	fault   *injection  // of the scenario; with no fault it says who is a victim of the clients' ways
	logs    *logWatcher // of the attached logs and the stack's
	closing atomic.Bool // the stack is being closed
}

// play opens the stack, plays the timetable and closes the stack, whatever
// happened in between.
func (r *run) play(ctx context.Context, sc harness.Scenario) error {
	sc = r.Fill(sc)
	r.seen.reset(r.rec.Size())
	watcher, err := watchLogs(r.App.Logs, r.logDir(sc), r.now)
	if err != nil {
		return err
	}
	defer watcher.close()
	p := &player{sender: sender{scope: scope{r, sc}, draw: drawOf(sc, r.Seed, r.Sabotage)}, logs: watcher}
	if err := p.open(ctx); err != nil {
		return err
	}
	if err = p.describe(); err == nil {
		p.warn()
		err = p.probeEdge(ctx)
	}
	if err == nil {
		err = p.timetable(ctx)
	}
	return errors.Join(err, p.close())
}

func (p *player) open(ctx context.Context) error {
	p.phase(record.StepOpening, "opening")
	spec := stack.Spec{App: p.App.Spec(), Edge: p.sc.Edge, Replicas: max(p.App.Replicas, p.sc.Replicas),
		Path:   p.Place(p.sc),
		Method: p.App.Method(),
		LogDir: p.logDir(p.sc), LimitsMemory: stack.LimitsMemory(p.Opener), Lasts: p.Lasts(p.sc),
		Now: p.now, Notify: p.notify}
	if o := spec.App.Origin; o != nil {
		o.Workers = max(o.Workers, p.sc.Workers)
		o.Args = append(slices.Clone(p.sc.Args), o.Args...)
	}
	switch cmp.Or(p.Enter, p.sc.Enter) {
	case "", "edge", "app":
		spec.Omit, spec.Struck = p.sc.UnusedLinks(), p.sc.StruckLinks()
	}
	spec.App.Env = append(slices.Clone(p.sc.Env), spec.App.Env...)
	if prep, ok := p.sc.Fault.(fault.Preparer); ok {
		prep.Prepare(&spec)
	}
	if err := os.MkdirAll(spec.LogDir, 0o755); err != nil {
		return fmt.Errorf("make log folder: %w", err)
	}
	st, err := p.Opener.Open(ctx, spec)
	if err != nil {
		return err
	}
	p.stack = st
	p.machine.on(st)
	p.fault = newInjection(p.scope, st, p.draw.pick)
	p.fault.recover = p.recover
	p.roster.open(st)
	return nil
}

// describe records what the stack is made of.
func (p *player) describe() (err error) {
	hops := p.hops()
	if len(hops) == 0 {
		return errors.New("open stack: it has no hop to send streams to")
	}
	if p.front, err = entrance(hops, cmp.Or(p.Enter, p.sc.Enter)); err != nil {
		return err
	}
	if err := p.sendable(); err != nil {
		return err
	}
	for _, h := range hops {
		url := h.URL
		if p.Away() {
			url = cmp.Or(h.Inside, url)
		}
		p.rec.Hop(record.Hop{Scenario: p.sc.ID, Name: h.Name, URL: url, What: h.What, Process: p.listener(h.URL)})
	}
	for name, version := range p.stack.Versions() {
		p.note(p.sc.ID, record.NoteFact, name+" "+version, "")
	}
	for _, l := range p.layers() {
		p.rec.Layer(p.sc.ID, l)
	}
	return nil
}

// layers are those that the load comes through.
func (p *player) layers() (all []record.Layer) {
	for _, l := range p.stack.Layers() {
		if p.Away() && l.Name == record.ForwardLayer {
			continue // only what is sent from here does
		}
		all = append(all, record.Layer{Name: l.Name, Settings: l.Settings})
	}
	return all
}

// entrance finds the hop at which streams enter.
func entrance(hops []stack.Hop, name string) (stack.Hop, error) {
	if name == "" {
		return hops[0], nil
	}
	for _, h := range hops {
		if h.Name == name {
			return h, nil
		}
	}
	return stack.Hop{}, &stack.Unable{What: "enter the chain at " + name, Why: "this stack has no such hop"}
}

// timetable is the scenario itself.
func (p *player) timetable(ctx context.Context) error {
	if err := p.learn(ctx); err != nil {
		return err
	}
	if p.sc.Peel {
		return p.peel(ctx)
	}
	if err := p.solo(ctx, p.front); err != nil || ctx.Err() != nil {
		return err
	}
	if err := p.paceAlone(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if p.sc.Fault != nil {
		if err := p.baseline(ctx); err != nil {
			return err
		}
	}
	from := p.next
	if err := p.mainWave(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return errors.Join(p.compareAlone(ctx, p.front, from), p.ledgers(ctx), p.compare(ctx))
}

// close stops the stack and files its logs. The context of the run may be over
// by now.
func (p *player) close() error {
	p.phase(record.StepClosing, "closing")
	if s, ok := p.stack.(stack.Settler); ok {
		s.Settle(context.Background())
	}
	if len(p.App.Logs) > 0 {
		p.logs.settle()
	}
	p.closing.Store(true)
	p.logs.ending.Store(true)
	p.machine.on(nil)
	p.tell(record.Event{At: p.now(), Source: record.HarnessSource, Kind: record.KindClosing})
	ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
	defer cancel()
	err := p.stack.Close(ctx)
	if err != nil {
		err = fmt.Errorf("close stack: %w", err)
	}
	return errors.Join(err, p.fileLogs())
}

// notify is the stack's word. Strikes are left to the relay's ledger, which says
// more. What happens while we close the stack is our own doing, and must not be
// taken for a death.
func (p *player) notify(e stack.Event) {
	switch {
	case e.Kind == record.KindStrike:
	case p.closing.Load():
		e.Text, e.Kind = strings.TrimSpace(string(e.Kind)+" "+e.Text), record.KindClosing
		fallthrough
	default:
		p.tell(e)
	}
}
