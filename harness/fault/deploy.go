package fault

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Deploy replaces all replicas, one by one: a new one joins, then an old one
// leaves the edge's list, gets SIGTERM and the app's own grace.
//
//	app[0] ━━━━━━━━╸ SIGTERM
//	app[1] ━━━━━━━━━━━━━━━━━╸ SIGTERM
//	app[2]      ╺━━━━━━━━━━━━━━━━━━━━━━
//	app[3]                ╺━━━━━━━━━━━━
type Deploy struct{}

func (Deploy) String() string { return "rolling deploy of all replicas" }

// Inject returns when the last old replica has gone.
func (Deploy) Inject(ctx context.Context, t Target) error {
	if r, ok := t.Stack.(stack.Roller); ok {
		return r.Roll(ctx, func(replica string) {
			t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindRemove, Subject: replica})
		})
	}
	s, ok := t.Stack.(stack.Scaler)
	if !ok {
		return unable("add and remove replicas")
	}
	for _, old := range t.Stack.Replicas() {
		if err := add(ctx, t, s); err != nil {
			return err
		}
		if err := remove(ctx, t, s, old); err != nil {
			return err
		}
	}
	return nil
}

// Heal has nothing to undo: the new ones stay.
func (Deploy) Heal(context.Context, Target) error { return nil }

// Confirm wants every removal to have met a stream, or at least one of them.
func (Deploy) Confirm(seen Seen) Proof { return seen.removals() }

// A ScaleIn removes one replica, which the run's seed picks, as an autoscaler
// does.
type ScaleIn struct{}

func (ScaleIn) String() string { return "one replica removed" }

// Inject returns when it has gone.
func (ScaleIn) Inject(ctx context.Context, t Target) error {
	s, ok := t.Stack.(stack.Scaler)
	if !ok {
		return unable("remove a replica")
	}
	r, err := onePick(t, "remove a replica")
	if err != nil {
		return err
	}
	return remove(ctx, t, s, r)
}

// Heal has nothing to undo.
func (ScaleIn) Heal(context.Context, Target) error { return nil }

// Confirm finds the streams that it met.
func (ScaleIn) Confirm(seen Seen) Proof { return seen.removals() }

// A ScaleOut adds one replica.
type ScaleOut struct{}

func (ScaleOut) String() string { return "one replica added" }

// Inject returns when the edge sends streams to it.
func (ScaleOut) Inject(ctx context.Context, t Target) error {
	s, ok := t.Stack.(stack.Scaler)
	if !ok {
		return unable("add a replica")
	}
	return add(ctx, t, s)
}

// Heal has nothing to undo.
func (ScaleOut) Heal(context.Context, Target) error { return nil }

// Confirm wants the new replica to have served a stream.
func (ScaleOut) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source != record.FaultSource || e.Kind != record.KindAdd {
			continue
		}
		n := servedBy(e.Subject, seen.streams) + servedBy(e.Subject, seen.after)
		return Proof{OK: n > 0, Settle: "let the load last longer, so that new streams reach it",
			Evidence: fmt.Sprintf("%s joined at %v and served %d streams", e.Subject, e.At.Round(1e6), n)}
	}
	return Proof{Evidence: "no replica was added", Settle: ourApp}
}

// servedBy counts the streams that a replica served.
func servedBy(replica string, streams iter.Seq[*record.Stream]) (n int) {
	for st := range streams {
		n += count(st.Replica == replica)
	}
	return n
}

func add(ctx context.Context, t Target, s stack.Scaler) error {
	r, err := s.AddReplica(ctx)
	if err != nil {
		return fmt.Errorf("add a replica: %w", err)
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindAdd, Subject: r.Name})
	return nil
}

func remove(ctx context.Context, t Target, s stack.Scaler, r stack.Replica) error {
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindRemove, Subject: r.Name})
	if err := s.RemoveReplica(ctx, r.Name); err != nil {
		return fmt.Errorf("remove %s: %w", r.Name, err)
	}
	return nil
}

// removals is the proof that replicas were removed under their streams: which one,
// when, and under how many.
func (s Seen) removals() Proof {
	all := Proof{Settle: underWay}
	var each []string
	for _, e := range s.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindRemove {
			p := s.onReplica(e, "was removed")
			all.OK = all.OK || p.OK
			all.Victims = append(all.Victims, p.Victims...)
			each = append(each, p.Evidence)
		}
	}
	all.Evidence = strings.Join(each, "; ")
	if len(each) == 0 {
		all.Evidence, all.Settle = "no replica was removed", ourApp
	}
	return all
}
