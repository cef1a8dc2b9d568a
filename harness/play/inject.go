package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A part is one fault of a scenario, under the name that reports give it.
type part struct {
	fault.Part
	name string
}

// parts names the parts of a fault. Two that are alike get numbers.
func parts(f fault.Fault) []part {
	if f == nil {
		return nil
	}
	var list []part
	alike := map[string]int{}
	for _, x := range fault.Parts(f) {
		name := x.Fault.String()
		if alike[name]++; alike[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, alike[name])
		}
		list = append(list, part{x, name})
	}
	return list
}

// why is the condition under which the part strikes.
func (p *player) why(x *part) string {
	if x.When.IsZero() {
		return p.sc.When.String()
	}
	return x.When.String()
}

// arm says that the fault is ready, and tells the parts that strike by
// themselves who their victims are.
func (p *player) arm(ctx context.Context) error {
	for i := range p.parts {
		x := &p.parts[i]
		why := "when " + p.why(x)
		if a, self := x.Fault.(fault.Armer); self {
			if err := a.Arm(ctx, p.target); err != nil {
				return p.unable(err)
			}
			why = "when a victim gets there"
		}
		p.stamp(x, record.Armed, p.now(), why, p.target.Victims)
	}
	return nil
}

// inject takes the fault through its life while the main wave flies. struck is
// told how many victims were in their body when the fault struck.
func (p *player) inject(ctx context.Context, struck *int) error {
	defer p.heal()
	if err := p.await(ctx, p.sc.When); err != nil {
		return p.missed(err)
	}
	*struck = p.inBody()
	p.phase("fault")
	probes := prober{p: p, ctx: ctx}
	defer probes.wait()
	if err := p.strike(ctx, &probes); err != nil {
		return p.missed(err)
	}
	p.stand(ctx, p.sc.Hold, p.sc.Until)
	p.heal()
	probes.start(p.now())
	return nil
}

// strike injects the fault. Where it kills, recovery is measured from the blow
// on, which a fault that takes its time (a drain) reports before it returns.
func (p *player) strike(ctx context.Context, probes *prober) error {
	t := p.target
	if p.sc.Policy.Kills || p.sc.Policy.Refuses {
		t.Tell = func(e record.Event) {
			p.tell(e)
			if e.Kind != record.KindPressure && e.Kind != record.KindRelief { // nobody has died yet
				probes.start(e.At)
			}
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer p.bound(func() {
		cancel(&fault.MissedError{Why: fmt.Sprintf("%s was not done %v after the streams were over", p.sc.Fault, p.sc.Policy.TotalLimit),
			Settle: "raise the limit of streams (limits.total), or look for what holds the stack up"})
	})()
	err := fault.Inject(ctx, t, p.sc.Fault)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // the run's end, or ours
	}
	return err
}

// bound calls cut when the main wave has been over for as long as a stream may
// take. release waits until that cannot happen any more.
func (p *player) bound(cut func()) (release func()) {
	done, finished := make(chan struct{}), make(chan struct{})
	go func() { // ends by release at the latest
		defer close(finished)
		select {
		case <-p.turn.over:
		case <-done:
			return
		}
		select {
		case <-time.After(p.sc.Policy.TotalLimit):
			cut()
		case <-done:
		}
	}()
	return func() { close(done); <-finished }
}

// missed turns a condition that was not met into a doubt.
func (p *player) missed(err error) error {
	var missed *fault.MissedError
	switch {
	case errors.As(err, &missed):
		p.note(p.sc.ID, record.NoteNeverStruck, missed.Why, missed.Settle)
		return nil
	case errors.Is(err, context.Canceled):
		return nil // the run was interrupted
	}
	return p.unable(err)
}

// unable turns a fault that this stack cannot do into a note.
func (p *player) unable(err error) error {
	var cannot *stack.Unable
	if errors.As(err, &cannot) {
		p.run.unable(p.sc.ID, cannot, "run it on a stack that can")
		return nil
	}
	return fmt.Errorf("inject %s: %w", p.sc.Fault, err)
}

// heal undoes the fault, the last part first, with a deadline of its own; it may
// run twice, and is stamped once.
func (p *player) heal() {
	p.roster.refresh() // what the fault has started may be gone after this
	ctx, cancel := context.WithTimeout(context.Background(), healLimit)
	defer cancel()
	if err := fault.Heal(ctx, p.target, p.sc.Fault); err != nil {
		p.note(p.sc.ID, record.NoteHarness, err.Error(), "")
	}
}

// stampPart is the fault's own word on one of its parts. Nothing heals that did
// not strike.
func (p *player) stampPart(path string, phase record.Phase, at time.Duration) {
	i := slices.IndexFunc(p.parts, func(x part) bool { return x.Path == path })
	x := &p.parts[i]
	switch {
	case phase == record.Active:
		p.stamp(x, phase, at, p.why(x), nil)
	case p.seen.phase(x.name, record.Active) != record.Never && p.seen.phase(x.name, record.Healed) == record.Never:
		p.stamp(x, phase, at, "", nil)
	}
}

// confirm looks for the fault's traces when all streams have ended. Parts that
// strike by themselves are read from their ledger first.
func (p *player) confirm(ctx context.Context) error {
	if err := p.strikes(ctx); err != nil {
		return err
	}
	if healed := p.seen.phase("", record.Healed); !fault.Waits(p.sc.Fault) && healed != record.Never {
		p.recover(ctx, healed)
	}
	var failed error
	streams, after := p.recorded(&failed, record.Victim, record.Control), p.recorded(&failed, record.Recovery)
	events := p.seen.allEvents()
	for i := range p.parts {
		x := &p.parts[i]
		seen := fault.Seen{Streams: streams, Events: events,
			Active: p.seen.phase(x.name, record.Active), Healed: p.seen.phase(x.name, record.Healed), After: after}
		if seen.Active == record.Never {
			continue
		}
		proof := x.Fault.Confirm(seen)
		if failed != nil {
			return failed
		}
		switch {
		case proof.OK:
			p.stamp(x, record.Confirmed, p.now(), proof.Evidence, proof.Victims)
		case ctx.Err() == nil: // else the user left it no time to be seen
			p.note(p.sc.ID, record.NoteDoubt, p.named(x)+" was not seen in effect: "+proof.Evidence, cmp.Or(proof.Settle, "make it stronger, or let it stand longer (hold: in the scenario)"))
		}
	}
	return nil
}

// named is how a sentence begins about a part.
func (p *player) named(x *part) string {
	if len(p.parts) == 1 {
		return "the fault"
	}
	return x.name
}

// strikes turns what relays did into events, and the first and the last strike of
// a part into its life.
func (p *player) strikes(ctx context.Context) error {
	told := map[stack.Struck]bool{}
	for i := range p.parts {
		x := &p.parts[i]
		a, self := x.Fault.(fault.Armer)
		if !self {
			continue
		}
		done, err := a.Struck(ctx, p.target)
		if err != nil {
			return p.unable(err)
		}
		if len(done) == 0 {
			continue
		}
		slices.SortStableFunc(done, func(s, t stack.Struck) int { return cmp.Compare(s.At, t.At) })
		for _, s := range done {
			if !told[s] {
				told[s] = true
				p.tell(strikeEvent(s))
			}
		}
		p.stamp(x, record.Active, done[0].At, "first strike", nil)
		p.stamp(x, record.Healed, done[len(done)-1].At, "last strike", nil)
	}
	return nil
}

func strikeEvent(s stack.Struck) record.Event {
	e := record.Event{At: s.At, Source: record.RelaySource, Kind: record.KindStrike, Subject: string(s.Action),
		Stream: s.Stream,
		Value:  int64(s.Passed), Text: fmt.Sprintf("%s after %d events, %d body bytes", s.Action, s.Passed, s.Bytes)}
	if s.Err != "" {
		e.Code, e.Text = 1, e.Text+": "+s.Err
	}
	return e
}
