package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Strike hits every victim at exactly event After, by way of the relay.
type Strike struct {
	Link   string
	After  int // whole events passed on first
	Action stack.Action
	For    time.Duration // of a stack.Hold
	// Age strikes so long after the request, instead of at an event.
	Age time.Duration
}

func (f Strike) String() string {
	if f.Age > 0 {
		return fmt.Sprintf("%s %v after the request on the %s link", f.Action, f.Age, f.Link)
	}
	return fmt.Sprintf("%s after event %d on the %s link", f.Action, f.After, f.Link)
}

// Prepare asks for links that can strike.
func (f Strike) Prepare(spec *stack.Spec) { spec.Strikes = true }

// Arm tells the relays about the victims. A victim's stream passes one relay
// per link, so that every relay of the link is told of all.
func (f Strike) Arm(ctx context.Context, t Target) error {
	strikes := make([]stack.Strike, len(t.Victims))
	for i, v := range t.Victims {
		strikes[i] = stack.Strike{Stream: v, After: f.After, Action: f.Action, For: f.For, Age: f.Age}
	}
	return onLinks(ctx, t.Stack, f.Link, func(ctx context.Context, l stack.Link) error {
		s, ok := l.(stack.Striker)
		if !ok {
			return unable("strike streams at an exact event")
		}
		return s.Arm(ctx, strikes...)
	})
}

// Inject has nothing left to do: the relays strike by themselves.
func (f Strike) Inject(context.Context, Target) error { return nil }

// Heal has nothing to undo: a strike is over when it is done.
func (f Strike) Heal(context.Context, Target) error { return nil }

// Struck reads the ledgers, and leaves out what another strike has done.
func (f Strike) Struck(ctx context.Context, t Target) ([]stack.Struck, error) {
	var all []stack.Struck
	err := onLinks(ctx, t.Stack, f.Link, func(ctx context.Context, l stack.Link) error {
		s, ok := l.(stack.Striker)
		if !ok {
			return unable("strike streams at an exact event")
		}
		done, err := s.Ledger(ctx)
		for _, d := range done {
			if d.Action == f.Action && d.After == f.After && d.Age == f.Age {
				if d.Link = l.Name(); !covers(f.Link, d.Link) {
					d.Link = f.Link // the only link there is stands for it
				}
				all = append(all, d)
			}
		}
		return err
	})
	return all, err
}

// Confirm counts the strikes that the ledger says were done.
func (f Strike) Confirm(seen Seen) Proof { return confirmStrikes(seen, f) }

// confirmStrikes wants each of fs to be seen: of several, one that nobody met proves nothing.
func confirmStrikes(seen Seen, fs ...Strike) Proof {
	p := Proof{}
	done := make([]bool, len(fs))
	for _, e := range seen.Events {
		if e.Source != record.RelaySource || e.Kind != record.KindStrike || e.Code != 0 {
			continue
		}
		ours := false
		for i, f := range fs {
			if e.Subject == string(f.Action) && covers(f.Link, e.Link) {
				done[i], ours = true, true
			}
		}
		if ours && !slices.Contains(p.Victims, e.Stream) {
			p.Victims = append(p.Victims, e.Stream)
		}
	}
	victims := 0
	for range seen.victims {
		victims++
	}
	p.Evidence = fmt.Sprintf("the relay struck %d of %d victims: %s", len(p.Victims), victims, fs[0])
	missing := slices.Index(done, false)
	if p.OK = missing < 0; !p.OK && len(p.Victims) > 0 {
		p.Evidence = fmt.Sprintf("the relay struck %d of %d victims, but none by %s", len(p.Victims), victims, fs[missing])
		p.Settle = fmt.Sprintf("use at least %d streams, each longer than %d events", 2*len(fs), fs[missing].After)
	}
	return p
}
