package fault_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/harnesstest/page"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

func TestPage(t *testing.T) { page.Agrees(t, "README.md", "extend_test.go") }

// Nothing is the smallest fault. It changes nothing and leaves no trace, so that
// every scenario with it ends inconclusive.
type Nothing struct{}

func (Nothing) String() string                             { return "nothing" }
func (Nothing) Inject(context.Context, fault.Target) error { return nil }
func (Nothing) Heal(context.Context, fault.Target) error   { return nil }
func (Nothing) Confirm(fault.Seen) fault.Proof             { return fault.Proof{Evidence: "looked for nothing"} }

// Flaps takes a link down and up again, several times.
type Flaps struct {
	Link  string        // its name, such as stack.EdgeLink
	Times int           // how often it goes down
	Down  time.Duration // for how long each time
}

func (f Flaps) String() string { return fmt.Sprintf("%d flaps of the %s link", f.Times, f.Link) }

// Inject returns when the last flap is over, or with the error of ctx.
func (f Flaps) Inject(ctx context.Context, t fault.Target) error {
	for range f.Times {
		if err := f.set(ctx, t, false); err != nil {
			return err
		}
		select {
		case <-time.After(f.Down):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := f.set(ctx, t, true); err != nil {
			return err
		}
	}
	return nil
}

// Heal is called whatever became of Inject: the link may be down.
func (f Flaps) Heal(ctx context.Context, t fault.Target) error { return f.set(ctx, t, true) }

func (f Flaps) set(ctx context.Context, t fault.Target, up bool) error {
	for _, l := range t.Stack.Links() {
		if l.Name() == f.Link {
			return l.SetUp(ctx, up)
		}
	}
	return &stack.Unable{What: "take the " + f.Link + " link down", Why: "this stack has no such link"}
}

// Cuts says that streams in its way may break off, and not only wait.
func (Flaps) Cuts() bool { return true }

// Confirm counts the victims that the other side did not end in order.
func (f Flaps) Confirm(seen fault.Seen) fault.Proof {
	n, of := 0, 0
	for s := range seen.Streams {
		if s.Group != record.Victim || s.End < seen.Active {
			continue
		}
		if of++; s.Wire.Where != record.AtEnd {
			n++
		}
	}
	return fault.Proof{OK: n > 0, Evidence: fmt.Sprintf("%d of %d open victims lost their connection", n, of)}
}

// A printedLink prints what is done to it. It stands for a stack of its own.
type printedLink struct {
	stack.Stack
	stack.Link
}

func (l printedLink) Links() []stack.Link { return []stack.Link{l} }
func (l printedLink) Name() string        { return stack.EdgeLink }
func (l printedLink) SetUp(_ context.Context, up bool) error {
	fmt.Println("link up:", up)
	return nil
}

func ExampleFault() {
	ctx, target := context.Background(), fault.Target{Stack: printedLink{}}
	cut := &record.Stream{Group: record.Victim, End: 2 * time.Second, Wire: record.Wire{Where: record.InBody}}
	seen := fault.Seen{Streams: slices.Values([]*record.Stream{cut}), Active: time.Second, Healed: 3 * time.Second}

	for _, f := range []fault.Fault{Nothing{}, Flaps{Link: stack.EdgeLink, Times: 2, Down: time.Millisecond}} {
		fmt.Printf("%s, which %s\n", f, fault.EffectOf(f))
		if err := fault.Inject(ctx, target, f); err != nil {
			fmt.Println(err)
		}
		if err := fault.Heal(ctx, target, f); err != nil {
			fmt.Println(err)
		}
		fmt.Println(f.Confirm(seen).Evidence)
	}
	fmt.Println(Flaps{Link: "upstream", Times: 1}.Inject(ctx, target))
	// Output:
	// nothing, which delays
	// looked for nothing
	// 2 flaps of the edge link, which cuts
	// link up: false
	// link up: true
	// link up: false
	// link up: true
	// link up: true
	// 1 of 1 open victims lost their connection
	// cannot take the upstream link down: this stack has no such link
}
