package fault

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Crash kills one replica as a whole: no signal handler runs, no grace is
// given, and nobody starts it again until the fault heals.
type Crash struct{}

func (Crash) String() string { return "SIGKILL to a whole replica, then a new start" }

// Inject kills the replica that the run's seed picks.
func (Crash) Inject(ctx context.Context, t Target) error {
	r, err := onePick(t, "crash the app")
	if err != nil {
		return err
	}
	if c, ok := t.Stack.(stack.Crasher); ok {
		at := t.Now() // before it: streams end as soon as it is done
		how, err := c.Crash(ctx, r.Name)
		if err == nil {
			t.Tell(record.Event{At: at, Source: record.FaultSource, Kind: record.KindCrash, Subject: r.Name,
				Code: int(syscall.SIGKILL), Text: how})
		}
		return err
	}
	k, ok := t.Stack.(stack.Killer)
	if !ok {
		return unable("see and kill the app's processes")
	}
	ps, err := k.Processes(ctx)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	killed := 0
	var deaths []record.Event
	for _, p := range ps { // masters come first: they must not replace their workers
		if p.Replica != r.Name {
			continue
		}
		at := t.Now() // before it: streams end as soon as it is sent
		err := k.Signal(ctx, p, int(syscall.SIGKILL))
		if err != nil && killed == 0 {
			return fmt.Errorf("kill pid %d of %s: %w", p.Pid, p.Replica, err)
		}
		if err == nil { // a worker may have ended with its master
			killed++
		}
		deaths = append(deaths, record.Event{At: at, Source: record.FaultSource, Kind: record.KindCrash,
			Subject: r.Name, Pid: p.Pid,
			Code: int(syscall.SIGKILL), Text: p.Role})
	}
	if killed == 0 {
		return &stack.Unable{What: "crash " + r.Name, Why: "it has no process that we can see"}
	}
	awaitGone(ctx, k, r.Name)
	// told when all are gone: new streams are sent at once, and one that is dying may still take them
	for _, e := range deaths {
		t.Tell(e)
	}
	return nil
}

// goneLimit bounds the wait for the kernel to take a killed replica away.
const goneLimit = 2 * time.Second

// awaitGone returns when nothing of a replica is left: a start before that would
// find it still there, and do nothing. Where Docker starts it again at once, it is
// never seen to be gone; what is there in the end is the new one.
func awaitGone(ctx context.Context, k stack.Killer, replica string) {
	ctx, cancel := context.WithTimeout(ctx, goneLimit)
	defer cancel()
	for {
		ps, err := k.Processes(ctx)
		if err != nil || !slices.ContainsFunc(ps, func(p stack.Process) bool { return p.Replica == replica }) {
			return // a container that has gone cannot be asked
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Heal starts the replica again; one that runs is left alone.
func (Crash) Heal(ctx context.Context, t Target) error {
	s, ok := t.Stack.(stack.Stopper)
	r, err := onePick(t, "")
	if !ok || err != nil {
		return nil
	}
	return startAgain(ctx, s, r.Name)
}

// startTries bounds how often a replica is told to start that somebody else, as
// Docker's restart policy does, may be starting at the same time.
const startTries = 20

func startAgain(ctx context.Context, s stack.Stopper, replica string) (err error) {
	for range startTries {
		if err = s.Start(ctx, replica); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(250 * time.Millisecond):
		}
	}
	return err
}

// Confirm finds the crash, and the streams that it cut.
func (Crash) Confirm(seen Seen) Proof {
	for _, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindCrash {
			return seen.onReplica(e, "was killed")
		}
	}
	return Proof{Evidence: "no replica was killed", Settle: ourApp}
}

// onePick is the replica that the run's seed picks, each time it is asked.
func onePick(t Target, what string) (stack.Replica, error) {
	rs := t.Stack.Replicas()
	if len(rs) == 0 {
		return stack.Replica{}, stack.NotStarted(what)
	}
	return rs[t.Pick(len(rs))], nil
}

// onReplica is the proof that what e did to a replica met streams there. Where
// streams do not say which replica they are on, any that was under way may have been hit.
func (s Seen) onReplica(e record.Event, what string) Proof {
	p := Proof{Settle: underWay, Evidence: fmt.Sprintf("%s %s at %v", e.Subject, what, e.At.Round(1e6))}
	named := false
	for st := range s.victims {
		named = named || st.Replica != ""
		underWay := st.Send <= e.At && (st.End == record.Never || st.End >= e.At)
		p.OK = p.OK || underWay
		if underWay && st.Replica == e.Subject {
			p.Victims = append(p.Victims, st.Seq)
		}
	}
	if named {
		p.OK = len(p.Victims) > 0
		p.Evidence += fmt.Sprintf(" with %d streams on it", len(p.Victims))
	}
	return p
}
