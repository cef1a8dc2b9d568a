package fault

import (
	"context"
	"errors"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// Strikes are several strikes in one wave; the victims are dealt out among them
// in turn, so that one scenario sees each kind of cut beside the others. With
// [All] every strike would meet every victim, and the first would be the last.
type Strikes []Strike

func (f Strikes) String() string {
	parts := make([]string, len(f))
	for i, s := range f {
		parts[i] = s.String()
	}
	return strings.Join(parts, ", ")
}

// Prepare asks for links that can strike.
func (f Strikes) Prepare(spec *stack.Spec) { spec.Strikes = true }

// Arm deals the victims out.
func (f Strikes) Arm(ctx context.Context, t Target) error {
	hands := make([][]uint64, len(f))
	for i, v := range t.Victims {
		hands[i%len(f)] = append(hands[i%len(f)], v)
	}
	for i, s := range f {
		t.Victims = hands[i]
		if err := s.Arm(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// Struck reads the ledger for each kind of strike.
func (f Strikes) Struck(ctx context.Context, t Target) ([]stack.Struck, error) {
	var all []stack.Struck
	var errs []error
	for _, s := range f {
		done, err := s.Struck(ctx, t)
		all, errs = append(all, done...), append(errs, err)
	}
	return all, errors.Join(errs...)
}

// Inject and Heal have nothing to do, as with a [Strike].
func (f Strikes) Inject(context.Context, Target) error { return nil }
func (f Strikes) Heal(context.Context, Target) error   { return nil }

// Confirm counts what the ledgers say.
func (f Strikes) Confirm(seen Seen) Proof {
	if len(f) == 0 {
		return Proof{Evidence: "no strikes"}
	}
	return confirmStrikes(seen, f...)
}
