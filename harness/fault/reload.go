package fault

import (
	"context"
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Reload makes the edge read its configuration again, as a new certificate or
// a new route does. Streams in flight stay with its old workers.
type Reload struct{}

func (Reload) String() string { return "reload of the edge" }

// Inject returns when new connections meet the new workers.
func (Reload) Inject(ctx context.Context, t Target) error {
	r, ok := t.Stack.(stack.Reloader)
	if !ok {
		return unable("reload the edge")
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindReload, Subject: "nginx"})
	return r.Reload(ctx)
}

// Heal has nothing to undo.
func (Reload) Heal(context.Context, Target) error { return nil }

// Confirm counts the streams that were in their body when it happened.
func (Reload) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindReload {
			n := seen.openAt(e)
			return Proof{OK: n > 0, Settle: underWay,
				Evidence: fmt.Sprintf("reloaded at %v under %d streams", e.At.Round(1e6), n)}
		}
	}
	return Proof{Evidence: "the edge was not reloaded", Settle: ourEdge}
}

// openAt counts the victims in their body at the time of e.
func (s Seen) openAt(e record.Event) int {
	n := 0
	for st := range s.victims {
		if st.Headers != record.Never && st.Headers <= e.At && (st.End == record.Never || st.End >= e.At) {
			n++
		}
	}
	return n
}
