package fault

import (
	"context"
	"fmt"
	"math"
	"syscall"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A KillWorker sends SIGKILL to one worker process of the app. An app of a single
// process cannot lose a worker: it would be gone, which is another scenario.
type KillWorker struct{}

func (KillWorker) String() string { return "SIGKILL to one worker process" }

// Inject picks the worker with the run's seed.
func (KillWorker) Inject(ctx context.Context, t Target) error {
	k, ok := t.Stack.(stack.Killer)
	if !ok {
		return unable("see and kill the app's processes")
	}
	ps, err := k.Processes(ctx)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	p, ok := pickWorker(ps, t.Pick)
	if !ok {
		return &stack.Unable{What: "kill a worker", Why: "the app has no worker processes",
			App: true, Settle: "start it with two or more worker processes"}
	}
	at := t.Now() // before it: streams end as soon as it is sent
	if err := k.Signal(ctx, p, int(syscall.SIGKILL)); err != nil {
		return fmt.Errorf("kill pid %d of %s: %w", p.Pid, p.Replica, err)
	}
	t.Tell(record.Event{At: at, Source: record.FaultSource, Kind: record.KindKill, Subject: p.Replica, Pid: p.Pid,
		Code: int(syscall.SIGKILL), Value: spared(ps, p), Text: p.Role + " " + p.Command})
	return nil
}

// spared counts the connections of the workers other than one.
func spared(ps []stack.Process, killed stack.Process) (n int64) {
	for _, p := range ps {
		if p.Role == stack.RoleWorker && (p.Replica != killed.Replica || p.Pid != killed.Pid) {
			n += int64(p.Sockets)
		}
	}
	return n
}

// pickWorker chooses among the workers that serve. Masters and helpers (shells,
// resource trackers) serve nobody, and a worker may happen to: servers let their
// processes race for connections, so that one can have them all. Its sockets
// show which.
func pickWorker(ps []stack.Process, pick func(int) int) (stack.Process, bool) {
	least, most := math.MaxInt, 0
	for _, p := range ps {
		if p.Role == "worker" {
			least, most = min(least, p.Sockets), max(most, p.Sockets)
		}
	}
	var busy []stack.Process
	for _, p := range ps {
		if p.Role == "worker" && 2*p.Sockets >= least+most {
			busy = append(busy, p)
		}
	}
	if len(busy) == 0 {
		return stack.Process{}, false
	}
	return busy[pick(len(busy))], true
}

// Heal leaves the process dead: bringing it back is the app's own business, and
// what the scenario measures.
func (KillWorker) Heal(context.Context, Target) error { return nil }

// Confirm finds the killed process among the streams' own word for who served
// them; without that word every stream in its body may have been hit.
func (KillWorker) Confirm(seen Seen) Proof {
	var killed *record.Event
	for i, e := range seen.Events {
		if e.Source == record.FaultSource && e.Kind == record.KindKill {
			killed = &seen.Events[i]
		}
	}
	if killed == nil {
		return Proof{Evidence: "no process was killed", Settle: ourApp}
	}
	p := Proof{OK: true, Settle: underWay}
	named := false
	for s := range seen.victims {
		named = named || s.Content.Worker != ""
		if s.ServedBy(killed.Subject, killed.Pid) && s.End >= killed.At && s.Send < killed.At {
			p.Victims = append(p.Victims, s.Seq)
		}
	}
	p.Evidence = fmt.Sprintf("pid %d of %s killed at %v", killed.Pid, killed.Subject, killed.At.Round(1e6))
	if named {
		p.Evidence += fmt.Sprintf("; it was serving %d streams", len(p.Victims))
		p.OK = len(p.Victims) > 0
	}
	return p
}
