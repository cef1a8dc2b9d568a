package fault

import (
	"context"
	"fmt"
	"time"

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

// lastBytes is for how long bytes that were under way when a link went down may still
// arrive: from the buffers of whoever stands behind it.
const lastBytes = time.Second

// wentOn reports whether a stream went on past the moment when a link went down, so that
// the link did not carry it, or never was down.
func wentOn(st *record.Stream, down record.Event) bool {
	return st.Last != record.Never && st.Last > down.At+lastBytes
}

// Confirm finds the streams that the link carried: those that were open when it went down,
// and had no event any more.
func (f Down) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source != record.FaultSource || e.Kind != record.KindDown {
			continue
		}
		open := seen.openAt(e)
		ended := seen
		ended.Streams = func(yield func(*record.Stream) bool) {
			for st := range seen.streams {
				if !wentOn(st, e) && !yield(st) {
					return
				}
			}
		}
		n := ended.openAt(e)
		p := Proof{OK: n > 0, Settle: underWay, Evidence: fmt.Sprintf("%s link went down at %v under %d streams", e.Subject,
			e.At.Round(1e6), n)}
		if f.One {
			p = ended.onReplica(e, "was cut off")
		}
		if n == 0 && open > 0 {
			p.Settle = ourLinks
			p.Evidence += fmt.Sprintf("; %d others were open, and went on", open)
		}
		return p
	}
	return Proof{Evidence: "no link went down", Settle: ourLinks}
}
