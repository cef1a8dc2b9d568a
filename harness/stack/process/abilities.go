package process

import (
	"context"
	"errors"
	"syscall"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

var (
	_ chain.App     = (*replica)(nil)
	_ chain.Pauser  = (*replica)(nil)
	_ chain.Counter = (*replica)(nil)
	_ chain.Layered = (*replica)(nil)
	_ chain.Watched = (*replica)(nil)
)

// At implements [chain.App]: the port stays the same.
func (r *replica) At() chain.Entrance { return chain.At(r.addr()) }

// Pid implements [chain.Part]; it is 0 while the replica does not run.
func (r *replica) Pid() int {
	if proc, err := r.running(); err == nil {
		return proc.pid
	}
	return 0
}

// Processes implements [chain.Part]. The guard is ours and not listed.
func (r *replica) Processes(context.Context) ([]chain.Process, error) {
	proc, err := r.running()
	if err != nil {
		return nil, nil
	}
	return proc.tree(), nil
}

// Signal implements [chain.Part].
func (r *replica) Signal(ctx context.Context, pid int, sig syscall.Signal) error {
	proc, err := r.running()
	if err != nil {
		return err
	}
	return proc.Signal(ctx, pid, sig)
}

// Ended implements [chain.Part].
func (r *replica) Ended(context.Context) error {
	_, err := r.running()
	return err
}

// Tail implements [chain.Part].
func (r *replica) Tail(context.Context) []string { return tail(r.path(), 0) }

// Watch implements [chain.Watched].
func (r *replica) Watch() *chain.Watch {
	if _, err := r.running(); err != nil {
		return nil
	}
	return r.watch.Load()
}

// Counters implements [chain.Counter].
func (r *replica) Counters(context.Context) (map[string]int64, error) {
	proc, err := r.running()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, p := range proc.tree() {
		pids = append(pids, p.Pid)
	}
	return counters(pids)
}

// Pause implements [chain.Pauser]: SIGSTOP to every process of the replica.
func (r *replica) Pause(context.Context) error { return r.signalAll(record.KindPause, syscall.SIGSTOP) }

// Unpause implements [chain.Pauser].
func (r *replica) Unpause(context.Context) error {
	return r.signalAll(record.KindUnpause, syscall.SIGCONT)
}

func (r *replica) signalAll(kind record.EventKind, sig syscall.Signal) error {
	proc, err := r.running()
	if err != nil {
		return err
	}
	r.tell(kind, proc.pid, int(sig), sig.String())
	var errs []error
	for _, p := range proc.tree() {
		if err := proc.signal(p.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
