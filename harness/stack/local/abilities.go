package local

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// find returns a replica by name.
func (c *Stack) find(name string) (*replica, error) {
	if c.spec.App.URL != "" {
		return nil, c.notOurs()
	}
	for _, r := range c.all() {
		if r.name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("find replica: there is no %q", name)
}

func (c *Stack) notOurs() error {
	return stack.NotStarted("see and signal the app's processes")
}

// Processes implements [stack.Killer]. Masters come before their workers; the
// guards are ours and not listed.
func (c *Stack) Processes(context.Context) ([]stack.Process, error) {
	if c.spec.App.URL != "" {
		return nil, c.notOurs()
	}
	var all []stack.Process
	for _, r := range c.all() {
		proc, err := r.running()
		if err != nil {
			continue
		}
		ps := proc.tree()
		chain.Assign(proc.pid, ps)
		for _, p := range ps {
			p.Replica, p.Sockets = r.name, stack.Sockets(p.Host)
			all = append(all, p.Process)
		}
	}
	return all, nil
}

// Signal implements [stack.Killer]. It refuses a pid that is no longer part of
// the replica, since the number may be somebody else's by now.
func (c *Stack) Signal(ctx context.Context, p stack.Process, sig int) error {
	r, err := c.find(p.Replica)
	if err != nil {
		return err
	}
	proc, err := r.running()
	if err != nil {
		return fmt.Errorf("signal pid %d: %w", p.Pid, err)
	}
	r.tell(record.KindKill, p.Pid, sig, fmt.Sprintf("%v to %s", syscall.Signal(sig), p.Role))
	return proc.Signal(ctx, p.Pid, syscall.Signal(sig))
}

// Counters implements [stack.Counter].
func (c *Stack) Counters(_ context.Context, name string) (map[string]int64, error) {
	r, err := c.find(name)
	if err != nil {
		return nil, err
	}
	proc, err := r.running()
	if err != nil {
		return nil, fmt.Errorf("read counters: %w", err)
	}
	var pids []int
	for _, p := range proc.tree() {
		pids = append(pids, p.Pid)
	}
	return counters(pids)
}

// Pause implements [stack.Pauser]: SIGSTOP to every process of the replica.
func (c *Stack) Pause(_ context.Context, name string) error {
	return c.signalAll(name, record.KindPause, syscall.SIGSTOP)
}

// Unpause implements [stack.Pauser].
func (c *Stack) Unpause(_ context.Context, name string) error {
	return c.signalAll(name, record.KindUnpause, syscall.SIGCONT)
}

func (c *Stack) signalAll(name string, kind record.EventKind, sig syscall.Signal) error {
	r, err := c.find(name)
	if err != nil {
		return err
	}
	proc, err := r.running()
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
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

// Stop implements [stack.Stopper]. Whatever the replica's first process leaves
// behind is killed, as a container's is.
func (c *Stack) Stop(ctx context.Context, name string, grace time.Duration) error {
	r, err := c.find(name)
	if err != nil {
		return err
	}
	return r.stop(ctx, grace)
}

// Start implements [stack.Stopper]; the port stays the same.
func (c *Stack) Start(ctx context.Context, name string) error {
	r, err := c.find(name)
	if err != nil {
		return err
	}
	return r.start(ctx)
}

// Reload implements [stack.Reloader].
func (c *Stack) Reload(ctx context.Context) error {
	if c.edge == nil || c.nginx == "" {
		return &stack.Unable{What: "reload nginx", Why: "there is none in this stack"}
	}
	return c.edge.Route(ctx, c.upstreams())
}

// AddReplica implements [stack.Scaler]. The edge sends it streams as soon as it
// is healthy.
func (c *Stack) AddReplica(ctx context.Context) (stack.Replica, error) {
	if err := c.scalable(); err != nil {
		return stack.Replica{}, err
	}
	r := c.newReplica()
	err := r.open(ctx)
	if err == nil {
		err = c.openUpstream(ctx, r)
	}
	if err != nil {
		return stack.Replica{}, errors.Join(err, r.close(ctx))
	}
	c.mu.Lock()
	c.replicas = append(c.replicas, r)
	c.mu.Unlock()
	if err := c.edge.Route(ctx, c.upstreams()); err != nil {
		return stack.Replica{}, err
	}
	return stack.Replica{Name: r.name, Addr: r.link.addr(), Control: r.link.controlAddr(), URL: "http://" + r.addr()}, nil
}

// RemoveReplica implements [stack.Scaler]: the edge forgets it, then it gets
// SIGTERM and its grace, so that streams in flight may finish.
func (c *Stack) RemoveReplica(ctx context.Context, name string) error {
	if err := c.scalable(); err != nil {
		return err
	}
	r, err := c.find(name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	last := len(c.replicas) == 1
	if !last {
		c.replicas = slices.DeleteFunc(c.replicas, func(q *replica) bool { return q == r })
	}
	c.mu.Unlock()
	if last {
		return fmt.Errorf("remove replica %s: it is the last one", name)
	}
	err = c.edge.Route(ctx, c.upstreams())
	stopErr := r.stop(ctx, r.spec.App.Grace)
	return errors.Join(err, stopErr, r.close(ctx))
}

func (c *Stack) scalable() error {
	switch {
	case c.spec.App.URL != "":
		return c.notOurs()
	case c.edge == nil:
		return &stack.Unable{What: "add and remove replicas", Why: "there is no edge to send streams to them"}
	case c.spec.App.Port != 0:
		return &stack.Unable{What: "add and remove replicas", Why: "the command's port is fixed",
			App: true, Settle: "use {port} or $PORT in the command"}
	}
	return nil
}
