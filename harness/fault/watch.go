package fault

import (
	"context"
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Watch does nothing to the stack: it reads the memory of every replica when it
// strikes and again when it heals.
type Watch struct{}

// groupMemory is what a container's cgroup counts, files in memory included.
const groupMemory = "memory.usage"

func (Watch) String() string { return "memory read before and after" }

// Inject reads it for the first time.
func (Watch) Inject(ctx context.Context, t Target) error { return watch(ctx, t) }

// Heal reads it again.
func (Watch) Heal(ctx context.Context, t Target) error {
	if _, ok := t.Stack.(stack.Counter); !ok {
		return nil
	}
	return watch(ctx, t)
}

func watch(ctx context.Context, t Target) error {
	c, ok := t.Stack.(stack.Counter)
	if !ok {
		return unable("read the app's memory")
	}
	for _, r := range t.Stack.Replicas() {
		counters, err := c.Counters(ctx, r.Name)
		if err != nil {
			return fmt.Errorf("read memory of %s: %w", r.Name, err)
		}
		n, ok := counters[record.MemoryCounter]
		if !ok {
			n, ok = counters[groupMemory]
		}
		if !ok {
			return &stack.Unable{What: "read the memory of " + r.Name, Why: "nobody here counts it"}
		}
		t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindCounter,
			Subject: r.Name, Counter: record.MemoryCounter, Value: n})
	}
	return nil
}

// Confirm wants two readings.
func (Watch) Confirm(seen Seen) Proof {
	n := 0
	for _, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindCounter {
			n++
		}
	}
	return Proof{OK: n >= 2, Settle: ourApp, Evidence: fmt.Sprintf("%d readings of the app's memory", n)}
}
