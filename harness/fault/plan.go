package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// Faults combine into a tree whose leaves do the work:
//
//	Sequence ─┬─ Timed{When, Hold} ── Toxic
//	          └─ All ─┬─ Drain
//	                  └─ Strike
//
// A leaf is a part. Each part is stamped on its own, with the condition that it
// waited for, when it struck, by what it was seen and when it healed.

// A Part is a leaf of a combined fault.
type Part struct {
	// Path tells parts apart, whatever they are called: "" for a fault that is not
	// combined, "1.0" for the first part of the second.
	Path  string
	Fault Fault
	// When is the part's own condition; zero where it has none.
	When When
}

// A group is a fault that consists of others.
type group interface{ members() []Fault }

// Parts lists the leaves of f in the order in which they are written.
func Parts(f Fault) []Part { return parts("", When{}, f) }

// Sweeps reports whether a part of f meets whatever a process, a replica or the
// edge serves just then. Lanes keep no stream out of its way, so that there is no
// control group.
func Sweeps(f Fault) bool {
	return slices.ContainsFunc(Parts(f), func(p Part) bool { return sweeps(p.Fault) })
}

func sweeps(f Fault) bool {
	switch f.(type) {
	case KillWorker, MemoryKill, Crash, Pause, Squeeze, Drain, NodeDrain, Deploy, ScaleIn, ScaleOut, Reload:
		return true
	}
	return false
}

// Restarts reports whether a part of f starts a replica again when it heals, which takes as
// long as the app does.
func Restarts(f Fault) bool {
	return slices.ContainsFunc(Parts(f), func(p Part) bool {
		switch f := p.Fault.(type) {
		case Crash, Drain, NodeDrain:
			return true
		case MemoryKill:
			return f.Whole
		}
		return false
	})
}

func parts(path string, when When, f Fault) []Part {
	if t, ok := f.(Timed); ok {
		return parts(path, t.When, t.Fault)
	}
	g, ok := f.(group)
	if !ok {
		return []Part{{Path: path, Fault: f, When: when}}
	}
	var all []Part
	for i, m := range g.members() {
		all = append(all, parts(below(path, i), When{}, m)...)
	}
	return all
}

func below(path string, i int) string {
	return strings.TrimPrefix(fmt.Sprintf("%s.%d", path, i), ".")
}

// Inject strikes with f and stamps it. It returns when f has struck: for a
// sequence, when its last part has.
func Inject(ctx context.Context, t Target, f Fault) error {
	if combined(f) {
		return f.Inject(ctx, t)
	}
	at := t.now()
	if err := f.Inject(ctx, t); err != nil {
		return err
	}
	if _, self := f.(Armer); !self {
		t.stamp(record.Active, at)
	}
	return nil
}

// Heal takes f back and stamps it, the last part first.
func Heal(ctx context.Context, t Target, f Fault) error {
	if err := f.Heal(ctx, t); err != nil {
		return fmt.Errorf("heal %s: %w", f, err)
	}
	if !combined(f) {
		t.stamp(record.Healed, t.now())
	}
	return nil
}

func combined(f Fault) bool {
	_, timed := f.(Timed)
	_, many := f.(group)
	return timed || many
}

// Waits reports whether anything of f is for the harness to inject: a fault that
// strikes by itself is not.
func Waits(f Fault) bool {
	for _, p := range Parts(f) {
		if _, self := p.Fault.(Armer); !self {
			return true
		}
	}
	return false
}

// AtOnce reports whether something of f strikes as soon as f is injected: it neither
// strikes by itself nor waits for a condition of its own.
func AtOnce(f Fault) bool {
	switch f := f.(type) {
	case Timed:
		return f.When.IsZero() && AtOnce(f.Fault)
	case All:
		return slices.ContainsFunc(f, AtOnce)
	case Sequence:
		return len(f) > 0 && AtOnce(f[0])
	}
	_, self := f.(Armer)
	return !self
}

// A Timed fault has a timetable of its own, as a part of a combined one.
type Timed struct {
	Fault Fault
	When  When // it waits for; zero strikes at once
	// Hold heals it so long after it struck, Until when a condition is met; with
	// neither it stands until the whole is healed. Of both, the first one heals.
	Hold  time.Duration
	Until When
}

func (f Timed) String() string { return f.Fault.String() }

// Inject waits, strikes, holds and heals. Without Hold and Until it returns when
// it has struck.
func (f Timed) Inject(ctx context.Context, t Target) error {
	if !f.When.IsZero() && t.Await != nil {
		if err := t.Await(ctx, f.When); err != nil {
			return err
		}
	}
	if err := Inject(ctx, t, f.Fault); err != nil || f.Hold == 0 && f.Until.IsZero() {
		return err
	}
	if t.Stand != nil {
		t.Stand(ctx, f.Hold, f.Until)
	}
	return Heal(ctx, t, f.Fault)
}

// Heal heals what is inside.
func (f Timed) Heal(ctx context.Context, t Target) error { return Heal(ctx, t, f.Fault) }

// Confirm asks what is inside.
func (f Timed) Confirm(seen Seen) Proof { return f.Fault.Confirm(seen) }

// Prepare asks what is inside.
func (f Timed) Prepare(spec *stack.Spec) { prepare(spec, f.Fault) }

func prepare(spec *stack.Spec, f Fault) {
	if p, ok := f.(Preparer); ok {
		p.Prepare(spec)
	}
}
