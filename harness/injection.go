package harness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
)

// poll is how often a condition is looked at. Streams deliver events every few
// tens of milliseconds, so that a fault strikes within one event of its
// condition.
const poll = 2 * time.Millisecond

// defaultWithin bounds the wait for a condition.
const defaultWithin = 30 * time.Second

// inject takes the fault through its life while the main wave flies. over is
// closed when the wave has ended. struck is told how many victims were in their
// body when the fault struck.
func (p *player) inject(ctx context.Context, over <-chan struct{}, struck *int) error {
	defer p.heal()
	if !p.await(ctx, over) {
		if ctx.Err() == nil {
			p.note(p.sc.ID, record.NoteDoubt, fmt.Sprintf("the fault never struck: not every victim reached event %d", p.sc.When.Events),
				"use streams with more events, or a lower condition")
		}
		return nil
	}
	*struck = p.inBody()
	at := p.now()
	p.phase("fault")
	probes := prober{p: p, ctx: ctx}
	defer probes.wait()
	if err := p.strike(ctx, &probes); err != nil {
		return p.unable(err)
	}
	p.stamp(record.Active, at, fmt.Sprintf("every victim had received %d events", p.sc.When.Events), nil)
	p.hold(ctx, over)
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
			probes.start(e.At)
		}
	}
	return p.sc.Fault.Inject(ctx, t)
}

// unable turns a fault that this stack cannot do into a note.
func (p *player) unable(err error) error {
	var cannot *stack.Unable
	if errors.As(err, &cannot) {
		p.note(p.sc.ID, record.NoteUnable, cannot.Error(), "run it on a stack that can")
		return nil
	}
	return fmt.Errorf("inject %s: %w", p.sc.Fault, err)
}

// await waits until every victim in flight has its events, at least one is in
// flight, and all of the wave have started.
func (p *player) await(ctx context.Context, over <-chan struct{}) bool {
	within := p.sc.When.Within
	if within == 0 {
		within = defaultWithin
	}
	limit := time.NewTimer(within)
	defer limit.Stop()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-over:
			return false
		case <-limit.C:
			return false
		case <-tick.C:
			if p.ready() {
				return true
			}
		}
	}
}

// ready is the condition.
func (p *player) ready() bool {
	victims, behind := 0, 0
	p.tap.Live(func(l tap.Live) bool {
		if l.Group == record.Victim {
			victims++
			if l.Events < p.sc.When.Events {
				behind++
			}
		}
		return true
	})
	want := min(len(p.target.Victims), max(1, p.sc.Policy.MinInBody))
	return victims >= want && behind == 0
}

// inBody counts victims between their first event and their end.
func (p *player) inBody() int {
	n := 0
	p.tap.Live(func(l tap.Live) bool {
		if l.Group == record.Victim && l.InBody {
			n++
		}
		return true
	})
	return n
}

// hold lets the fault stand. A fault with no hold stands until the wave is over.
func (p *player) hold(ctx context.Context, over <-chan struct{}) {
	if p.sc.Hold == 0 {
		select {
		case <-ctx.Done():
		case <-over:
		}
		return
	}
	t := time.NewTimer(p.sc.Hold)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// heal undoes the fault, with a deadline of its own; it may run twice, and is
// stamped once.
func (p *player) heal() {
	ctx, cancel := context.WithTimeout(context.Background(), healLimit)
	defer cancel()
	if err := p.sc.Fault.Heal(ctx, p.target); err != nil {
		p.note(p.sc.ID, record.NoteHarness, "heal "+p.sc.Fault.String()+": "+err.Error(), "")
		return
	}
	if p.seen.phase(record.Active) != record.Never && p.seen.phase(record.Healed) == record.Never {
		p.stamp(record.Healed, p.now(), "", nil)
	}
}

// confirm looks for the fault's traces when all streams have ended. Faults that
// strike by themselves are read from their ledger first.
func (p *player) confirm(ctx context.Context) error {
	if a, ok := p.sc.Fault.(fault.Armer); ok {
		if err := p.ledger(ctx, a); err != nil {
			return err
		}
		if healed := p.seen.phase(record.Healed); healed != record.Never {
			p.recover(ctx, healed)
		}
	}
	if p.seen.phase(record.Active) == record.Never {
		return nil
	}
	proof := p.sc.Fault.Confirm(fault.Seen{Streams: p.seen.of(record.Victim, record.Control), Events: p.seen.allEvents(),
		Active: p.seen.phase(record.Active), Healed: p.seen.phase(record.Healed)})
	if !proof.OK {
		p.note(p.sc.ID, record.NoteDoubt, "the fault was not seen in effect: "+proof.Evidence, "raise its strength or its length")
		return nil
	}
	p.stamp(record.Confirmed, p.now(), proof.Evidence, proof.Victims)
	return nil
}

// ledger turns what a relay did into events, and its first strike into the time
// at which the fault became active.
func (p *player) ledger(ctx context.Context, a fault.Armer) error {
	done, err := a.Struck(ctx, p.target)
	if err != nil {
		return p.unable(err)
	}
	for i, s := range done {
		e := record.Event{At: s.At, Source: "relay", Kind: "strike", Subject: string(s.Action), Stream: s.Stream,
			Value: int64(s.Passed), Text: fmt.Sprintf("%s after %d events, %d body bytes", s.Action, s.Passed, s.Bytes)}
		if s.Err != "" {
			e.Code, e.Text = 1, e.Text+": "+s.Err
		}
		p.tell(e)
		if i == 0 {
			p.stamp(record.Active, s.At, "first strike", nil)
		}
	}
	if len(done) > 0 {
		p.stamp(record.Healed, done[len(done)-1].At, "last strike", nil)
	}
	return nil
}
