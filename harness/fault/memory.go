package fault

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A MemoryKill presses memory until the kernel kills one worker process, or with
// Whole the first process of the replica and everything with it. A stack that
// cannot press memory sends SIGKILL in the kernel's place, and says so.
type MemoryKill struct {
	Whole bool
}

// pressure bounds the filling: the limit of the container ends it first.
const pressure = 1 << 40

// unlimited is the memory that a container is given where the user set none.
const unlimited = 256 << 20

func (f MemoryKill) String() string {
	if f.Whole {
		return "memory pressure until the kernel kills the whole app"
	}
	return "memory pressure until the kernel kills a worker"
}

// Prepare gives a container a limit to run into, and shared memory to fill
// beyond it: what lies there is charged to the container, and the kernel finds
// nobody to blame for it but the app.
func (f MemoryKill) Prepare(spec *stack.Spec) {
	if !spec.LimitsMemory {
		return
	}
	if spec.App.Memory == 0 {
		spec.App.Memory = unlimited
	}
	spec.App.Shm = max(spec.App.Shm, 2*spec.App.Memory)
}

// Inject picks the worker with the run's seed.
func (f MemoryKill) Inject(ctx context.Context, t Target) error {
	k, ok := t.Stack.(stack.Killer)
	if !ok {
		return unable("see the app's processes")
	}
	ps, err := k.Processes(ctx)
	if err != nil {
		return fmt.Errorf("list processes: %w", err)
	}
	p, ok := f.choose(ps, t.Pick)
	if !ok {
		return &stack.Unable{What: "kill for memory", Why: "the app has no process that we can see"}
	}
	err = press(ctx, t, p)
	var cannot *stack.Unable
	if errors.As(err, &cannot) {
		t.Note(cannot.Error() + ": SIGKILL stands for the kernel's, and no counter can prove it")
		return f.substitute(ctx, t, k, p, ps)
	}
	if err != nil {
		return err
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindOOMKill, Subject: p.Replica, Pid: p.Pid,
		Text: "the kernel killed " + p.Role + " " + p.Command + " under our pressure"})
	return nil
}

// choose finds the process that shall die: a worker, or the first process of a
// replica.
func (f MemoryKill) choose(ps []stack.Process, pick func(int) int) (stack.Process, bool) {
	if !f.Whole {
		return pickWorker(ps, pick)
	}
	for _, p := range ps {
		if p.Role == "master" {
			return p, true
		}
	}
	return stack.Process{}, false
}

// press makes p the one that the kernel blames, and fills the memory.
func press(ctx context.Context, t Target, p stack.Process) error {
	filler, ok := t.Stack.(stack.Filler)
	if !ok {
		return unable("press memory")
	}
	if b, ok := t.Stack.(stack.Blamer); ok {
		if err := b.Blame(ctx, p); err != nil {
			return err
		}
	}
	t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindPressure, Subject: p.Replica})
	defer func() {
		t.Tell(record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindRelief, Subject: p.Replica})
	}()
	return filler.FillMemory(ctx, p.Replica, pressure)
}

// substitute sends SIGKILL to p, and with Whole to all of its replica.
func (f MemoryKill) substitute(ctx context.Context, t Target, k stack.Killer, p stack.Process,
	ps []stack.Process) error {
	at := t.Now() // before it: streams end as soon as it is sent
	if err := k.Signal(ctx, p, int(syscall.SIGKILL)); err != nil {
		return fmt.Errorf("kill pid %d of %s: %w", p.Pid, p.Replica, err)
	}
	var siblings []record.Event // told when all are dead: new streams are sent at once
	for _, q := range ps {
		if f.Whole && q.Replica == p.Replica && q.Pid != p.Pid {
			_ = k.Signal(ctx, q, int(syscall.SIGKILL)) // it may have gone with its master
			siblings = append(siblings, record.Event{At: t.Now(), Source: record.FaultSource, Kind: record.KindCrash,
				Subject: q.Replica, Pid: q.Pid,
				Code: int(syscall.SIGKILL), Text: q.Role})
		}
	}
	if f.Whole {
		awaitGone(ctx, k, p.Replica)
	}
	t.Tell(record.Event{At: at, Source: record.FaultSource, Kind: record.KindKill, Subject: p.Replica, Pid: p.Pid,
		Code: int(syscall.SIGKILL), Text: p.Role + " " + p.Command + ", in the kernel's place"})
	for _, e := range siblings {
		t.Tell(e)
	}
	return nil
}

// Heal starts a replica that has died as a whole; one that runs, or that its
// supervisor has started again, is left alone.
func (f MemoryKill) Heal(ctx context.Context, t Target) error {
	if !f.Whole {
		return nil
	}
	s, name, err := Drain{}.target(t)
	if err != nil {
		return nil
	}
	return s.Start(ctx, name)
}

// Confirm finds the kernel's own word for it, and the streams that the process
// served.
func (f MemoryKill) Confirm(seen Seen) Proof {
	var death *record.Event
	for i, e := range seen.Events {
		if e.Source == record.FaultSource && (e.Kind == record.KindOOMKill || e.Kind == record.KindKill) {
			death = &seen.Events[i]
		}
	}
	if death == nil {
		return Proof{Evidence: "no process was killed", Settle: ourApp}
	}
	word, at := kernelsWord(seen)
	if death.Kind == record.KindOOMKill && word == "" {
		return Proof{Evidence: "neither oom_kill nor an oom event says that the kernel killed anybody",
			Settle: "give the container a memory limit that it can reach (app: memory)"}
	}
	if word == "" {
		at = death.At
	}
	p := Proof{OK: true, Settle: underWay, Evidence: fmt.Sprintf("pid %d of %s killed at %v", death.Pid, death.Subject,
		at.Round(1e6))}
	if word != "" {
		p.Evidence += "; " + word
	}
	named, dead := false, []int{death.Pid}
	if !f.Whole {
		dead = append(dead, alsoKilled(seen, death, at)...)
	}
	gone := goneBy(seen, death, at, dead)
	for s := range seen.victims {
		named = named || s.Content.Worker != ""
		mine := f.Whole && s.MayBeOn(death.Subject) ||
			slices.ContainsFunc(dead, func(pid int) bool { return s.ServedBy(death.Subject, pid) })
		met := s.End >= at-clockSlack || s.End >= seen.Active && s.Content.Terminals == 0
		if mine && s.Content.Worker != "" && met && s.Send < gone {
			p.Victims = append(p.Victims, s.Seq)
		}
	}
	if named {
		p.Evidence += fmt.Sprintf("; it was serving %d streams", len(p.Victims))
		p.OK = len(p.Victims) > 0
	}
	return p
}

// goneBy is when the dead were no longer there. The first word of a kill may stand long
// before it: a container that has run out of memory says so each time, and crawls on, with
// new streams, until the kernel takes somebody, who may then wait for his disk.
func goneBy(seen Seen, death *record.Event, at time.Duration, dead []int) time.Duration {
	gone := record.Never
	for _, pid := range dead {
		i := slices.IndexFunc(seen.Events, func(e record.Event) bool { // the first: a later one is of another life
			ends := e.Kind == record.KindExit || e.Kind == record.KindDie
			return ends && e.Subject == death.Subject && e.Pid == pid && e.At >= seen.Active
		})
		if i >= 0 && seen.Events[i].At <= at+lingers {
			gone = max(gone, seen.Events[i].At)
		}
	}
	if gone == record.Never {
		gone = death.At
	}
	return max(at, gone)
}

// alsoKilled are the siblings that went with the one that was to die: it may free
// too little for the kernel, which then takes the next. What the kernel has chosen may
// live on for seconds, where it waits for its disk.
//
//	oom_kill   1      2
//	chosen        ✕                 within siblingLater of the choice, or of its end
//	sibling              ⋯⋯⋯⋯⋯ ✕    as many more as the kernel counts, until lingers is over
func alsoKilled(seen Seen, death *record.Event, at time.Duration) (pids []int) {
	until, more := at+siblingLater, -1 // one is the chosen
	last := int64(0)
	for _, e := range seen.Events {
		switch {
		case e.Subject != death.Subject:
		case e.Of(record.OOMCounter):
			if e.At >= seen.Active {
				more += int(max(e.Value-last, 0))
			}
			last = e.Value
		case e.Kind == record.KindExit && e.Pid == death.Pid && e.At >= seen.Active && e.At <= at+lingers:
			until = max(until, e.At+siblingLater)
		}
	}
	for _, e := range seen.Events {
		if e.Kind != record.KindExit || e.Subject != death.Subject || e.Pid == death.Pid || e.At < seen.Active {
			continue
		}
		if e.At <= until || e.At <= at+lingers && len(pids) < more {
			pids = append(pids, e.Pid)
		}
	}
	return pids
}

const (
	siblingLater = time.Second
	// lingers is how long a process may take to die of SIGKILL: it does not before the
	// disk has answered that it waits for, which under our own pressure is slow.
	lingers = 10 * time.Second
)

// clockSlack is how far the clocks of those who tell us may be apart: counters
// are read ten times a second. A busy daemon may tell of it much later; streams
// that broke off since the fault struck were met all the same.
const clockSlack = 200 * time.Millisecond

// kernelsWord is what counters and container events say about a kill for memory
// since the fault struck, and when the first of them said it; "" if none did.
func kernelsWord(seen Seen) (string, time.Duration) {
	var words []string
	at := record.Never
	for _, e := range seen.Events {
		if e.At < seen.Active {
			continue
		}
		n := len(words)
		switch {
		case e.Of(record.OOMCounter) && e.Value > 0:
			words = append(words, e.Reading()+" "+e.Text)
		case e.Source == record.DockerSource && e.Kind == record.KindOOM:
			words = append(words, "Docker says oom of "+e.Subject)
		case e.Source == record.KubernetesSource && e.Kind == record.KindOOM:
			words = append(words, "Kubernetes says OOMKilled of "+e.Subject)
		}
		if len(words) > n && (at == record.Never || e.At < at) {
			at = e.At
		}
	}
	return strings.Join(words[:min(2, len(words))], ", "), at
}
