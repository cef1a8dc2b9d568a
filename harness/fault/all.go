package fault

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/streamproof/streamproof/harness/stack"
)

// All strikes with all of its parts at the same time. Unlike [Strikes] it does
// not deal the victims out: each part meets all of them.
type All []Fault

func (f All) String() string { return join(f, " + ") }

func (f All) members() []Fault { return f }

// Inject strikes with all parts at once and returns when the last has struck.
func (f All) Inject(ctx context.Context, t Target) error {
	errs := make([]error, len(f))
	var all sync.WaitGroup
	for i, part := range f {
		all.Go(func() { errs[i] = Inject(ctx, t.part(i), part) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Heal takes all parts back, the last first.
func (f All) Heal(ctx context.Context, t Target) error { return healBackwards(ctx, t, f) }

// Confirm wants every part to be seen.
func (f All) Confirm(seen Seen) Proof { return confirmAll(seen, f) }

// Prepare asks every part.
func (f All) Prepare(spec *stack.Spec) {
	for _, part := range f {
		prepare(spec, part)
	}
}

// healBackwards goes on where a part does not heal.
func healBackwards(ctx context.Context, t Target, parts []Fault) error {
	var errs []error
	for i := len(parts) - 1; i >= 0; i-- {
		errs = append(errs, Heal(ctx, t.part(i), parts[i]))
	}
	return errors.Join(errs...)
}

func confirmAll(seen Seen, parts []Fault) Proof {
	all := Proof{OK: len(parts) > 0}
	var said []string
	for _, part := range parts {
		p := part.Confirm(seen)
		if !p.OK {
			return Proof{Evidence: part.String() + ": " + p.Evidence, Settle: p.Settle}
		}
		said = append(said, p.Evidence)
		all.Victims = append(all.Victims, p.Victims...)
	}
	all.Evidence = strings.Join(said, "; ")
	return all
}

func join(parts []Fault, by string) string {
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = part.String()
	}
	return strings.Join(names, by)
}
