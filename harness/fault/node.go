package fault

import (
	"context"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A NodeDrain takes the machine of one replica, which the run's seed picks, out of service
// as for maintenance: all replicas of the app that are on it are asked to leave at once, and
// others take their place elsewhere.
//
//	node 1   app[0] ━━━━━━━╸ SIGTERM
//	         app[1] ━━━━━━━╸ SIGTERM
//	node 2            app[2]   ╺━━━━━━━━━━
//	                  app[3]   ╺━━━━━━━━━━
type NodeDrain struct{}

func (NodeDrain) String() string { return "the node of a replica drained" }

// Inject returns when the replicas on it have gone.
func (NodeDrain) Inject(ctx context.Context, t Target) error {
	s, ok := t.Stack.(stack.NodeDrainer)
	if !ok {
		return unable("drain the node of a replica")
	}
	r, err := onePick(t, "drain a node")
	if err != nil {
		return err
	}
	return s.DrainNode(ctx, r.Name, func(replica string) {
		t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindRemove, Subject: replica})
	})
}

// Heal takes the machine back into service.
func (NodeDrain) Heal(ctx context.Context, t Target) error {
	if s, ok := t.Stack.(stack.NodeDrainer); ok {
		return s.FreeNode(ctx)
	}
	return nil
}

// Confirm finds the streams that it met.
func (NodeDrain) Confirm(seen Seen) Proof { return seen.removals() }
