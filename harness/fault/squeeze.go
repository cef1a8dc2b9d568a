package fault

import (
	"context"
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Squeeze lowers the memory limit of a replica, which the run's seed picks, to
// little more than what it uses: the kernel takes back what it can, and whoever
// asks for more has to wait or is killed.
type Squeeze struct {
	Room int64 // bytes beyond what is in use
}

func (f Squeeze) String() string {
	return fmt.Sprintf("memory limit lowered to %d MiB above what is in use", f.Room>>20)
}

// Prepare gives a container a limit that can be lowered.
func (f Squeeze) Prepare(spec *stack.Spec) {
	if spec.LimitsMemory && spec.App.Memory == 0 {
		spec.App.Memory = unlimited
	}
}

// Inject reads what is in use and lowers the limit.
func (f Squeeze) Inject(ctx context.Context, t Target) error {
	s, name, err := f.target(t)
	if err != nil {
		return err
	}
	c, ok := t.Stack.(stack.Counter)
	if !ok {
		return unable("read the app's memory")
	}
	counters, err := c.Counters(ctx, name)
	if err != nil {
		return fmt.Errorf("read memory of %s: %w", name, err)
	}
	limit := counters[groupMemory] + f.Room
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindPressure, Subject: name})
	if err := s.Squeeze(ctx, name, limit); err != nil {
		return err
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindSqueeze, Subject: name, Value: limit,
		Text: fmt.Sprintf("%d MiB in use, limit now %d MiB", counters[groupMemory]>>20, limit>>20)})
	return nil
}

// Heal gives the replica its limit back.
func (f Squeeze) Heal(ctx context.Context, t Target) error {
	s, name, err := f.target(t)
	if err != nil {
		return nil
	}
	defer func() {
		t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindRelief, Subject: name})
	}()
	return s.Squeeze(ctx, name, 0)
}

func (f Squeeze) target(t Target) (stack.Squeezer, string, error) {
	s, ok := t.Stack.(stack.Squeezer)
	if !ok {
		return nil, "",
			&stack.Unable{What: "lower the app's memory limit", Why: "only containers have one; the Docker stack can"}
	}
	r, err := onePick(t, "lower the app's memory limit")
	return s, r.Name, err
}

// Confirm counts the streams that were in their body when the limit fell.
func (f Squeeze) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindSqueeze {
			n := seen.openAt(e)
			return Proof{OK: n > 0, Settle: underWay, Evidence: fmt.Sprintf("%s under %d streams", e.Text, n)}
		}
	}
	return Proof{Evidence: "no limit was lowered", Settle: "run it in containers: --stack docker"}
}
