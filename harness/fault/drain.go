package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Drain stops the first replica as a deploy does, SIGTERM and then SIGKILL
// after Grace, and starts it again.
type Drain struct {
	Grace time.Duration // 0 is what a deploy would give the app: its own
}

func (f Drain) String() string {
	if f.Grace == 0 {
		return "SIGTERM with the app's own grace, then a new start"
	}
	return fmt.Sprintf("SIGTERM with %v of grace, then a new start", f.Grace)
}

// Inject returns when the replica has gone, or was killed after the grace.
func (f Drain) Inject(ctx context.Context, t Target) error {
	s, name, err := f.target(t)
	if err != nil {
		return err
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindTerm, Subject: name, Text: f.String()})
	return s.Stop(ctx, name, f.Grace)
}

// Heal starts the replica again; one that runs is left alone.
func (f Drain) Heal(ctx context.Context, t Target) error {
	s, name, err := f.target(t)
	if err != nil {
		return nil
	}
	return s.Start(ctx, name)
}

func (f Drain) target(t Target) (stack.Stopper, string, error) {
	s, ok := t.Stack.(stack.Stopper)
	if !ok {
		return nil, "", unable("stop and start a replica")
	}
	rs := t.Stack.Replicas()
	if len(rs) == 0 {
		return nil, "", stack.NotStarted("drain the app")
	}
	return s, rs[0].Name, nil
}

// Confirm looks for the exit of the replica.
func (f Drain) Confirm(seen Seen) Proof {
	var term *record.Event
	for i, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindTerm {
			term = &seen.Events[i]
		}
		if term != nil && e.Kind == record.KindExit && e.Role == "" && e.Subject == term.Subject && e.At >= term.At {
			return Proof{OK: true, Evidence: fmt.Sprintf("%s got SIGTERM at %v and was gone %v later (exit %d)",
				e.Subject, term.At.Round(1e6), (e.At - term.At).Round(1e6), e.Code)}
		}
	}
	return Proof{Evidence: "no exit of the app was seen after the SIGTERM",
		Settle: "let SIGTERM reach the app: a shell script before it must start it with exec"}
}
