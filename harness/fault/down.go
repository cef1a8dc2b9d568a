package fault

import (
	"context"
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Down takes a link down: what travels on it ends, and new connections are
// refused until it heals.
type Down struct {
	Link string
	// One takes down the link of one replica alone, which the run's seed picks: the
	// edge is parted from it, and its siblings go on.
	One bool
}

func (f Down) String() string {
	if f.One {
		return "link to one replica down"
	}
	return f.Link + " link down"
}

// Inject takes it down.
func (f Down) Inject(ctx context.Context, t Target) error {
	ls, err := f.links(t)
	if err != nil {
		return err
	}
	at := t.Now()
	for _, l := range ls {
		if err := l.SetUp(ctx, false); err != nil {
			return fmt.Errorf("take down %s: %w", l.Name(), err)
		}
	}
	// Told when it is down: new streams are sent as soon as it is, and those that
	// were faster than the control call would be cut and not refused.
	t.Tell(record.Event{At: at, Source: record.FaultSource, Kind: record.KindDown, Subject: f.subject(t)})
	return nil
}

// Heal restores it.
func (f Down) Heal(ctx context.Context, t Target) error {
	ls, err := f.links(t)
	if err != nil {
		return nil
	}
	for _, l := range ls {
		if err := l.SetUp(ctx, true); err != nil {
			return fmt.Errorf("restore %s: %w", l.Name(), err)
		}
	}
	return nil
}

func (f Down) links(t Target) ([]stack.Link, error) {
	ls, err := links(t.Stack, f.Link)
	if err != nil || !f.One {
		return ls, err
	}
	if len(ls) < 2 {
		return nil, &stack.Unable{What: "part the edge from one replica", Why: "there is no other to be compared with"}
	}
	return ls[t.Pick(len(ls)):][:1], nil
}

// subject is the replica that is cut off, or the link.
func (f Down) subject(t Target) string {
	if rs := t.Stack.Replicas(); f.One && len(rs) > 1 {
		return rs[t.Pick(len(rs))].Name
	}
	return f.Link
}

// Confirm finds the streams that the link carried.
func (f Down) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source != record.FaultSource || e.Kind != record.KindDown {
			continue
		}
		if f.One {
			return seen.onReplica(e, "was cut off")
		}
		n := seen.openAt(e)
		return Proof{OK: n > 0, Settle: underWay, Evidence: fmt.Sprintf("%s link went down at %v under %d streams", e.Subject,
			e.At.Round(1e6), n)}
	}
	return Proof{Evidence: "no link went down", Settle: ourLinks}
}
