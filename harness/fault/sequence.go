package fault

import (
	"context"

	"github.com/streamproof/streamproof/harness/stack"
)

// A Sequence strikes with its parts one after the other. A part stands until the
// whole is healed, unless it is [Timed]: then the next begins when it has healed.
// A pause between two parts is the [When.After] of the second.
type Sequence []Fault

func (f Sequence) String() string { return join(f, ", then ") }

func (f Sequence) members() []Fault { return f }

// Inject strikes part by part. The first that cannot strike ends the sequence.
func (f Sequence) Inject(ctx context.Context, t Target) error {
	for i, part := range f {
		if err := Inject(ctx, t.part(i), part); err != nil {
			return err
		}
	}
	return nil
}

// Heal takes all parts back, the last first.
func (f Sequence) Heal(ctx context.Context, t Target) error { return healBackwards(ctx, t, f) }

// Confirm wants every part to be seen.
func (f Sequence) Confirm(seen Seen) Proof { return confirmAll(seen, f) }

// Prepare asks every part.
func (f Sequence) Prepare(spec *stack.Spec) { All(f).Prepare(spec) }
