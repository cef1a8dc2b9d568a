package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Pause freezes one replica and thaws it: it is not dead, and answers nobody.
type Pause struct {
	// For is how long the scenario means to hold it.
	For time.Duration
}

func (f Pause) String() string { return fmt.Sprintf("a replica frozen for %v", f.For) }

// Inject freezes the replica that the run's seed picks.
func (f Pause) Inject(ctx context.Context, t Target) error {
	p, name, err := f.target(t)
	if err != nil {
		return err
	}
	return p.Pause(ctx, name)
}

// Heal thaws it. Whoever is not frozen is not hurt by it.
func (f Pause) Heal(ctx context.Context, t Target) error {
	p, name, err := f.target(t)
	if err != nil {
		return nil
	}
	return p.Unpause(ctx, name)
}

func (f Pause) target(t Target) (stack.Pauser, string, error) {
	p, ok := t.Stack.(stack.Pauser)
	if !ok {
		return nil, "", unable("freeze a replica")
	}
	r, err := onePick(t, "freeze the app")
	return p, r.Name, err
}

// Confirm looks for victims of the frozen replica that were silent for half of the time:
// the app was seen to be frozen.
func (f Pause) Confirm(seen Seen) Proof {
	replica := ""
	for _, e := range seen.Events {
		if e.Kind == record.KindPause {
			replica = e.Subject
		}
	}
	return confirmSilence(seen, f.For/2, replica)
}
