package container

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// restarts is how often Docker starts a replica again that has died, as in
// production. It holds from the moment at which the replica was healthy.
const restarts = 10

// A replica is one instance of the app.
type replica struct {
	*box
	s     *Stack
	name  string // "app[0]"
	link  *link
	watch *chain.Watch // guarded by the watcher; nil where nothing is seen
	// visible says that its processes have been seen on this machine.
	visible atomic.Bool
}

var (
	_ chain.App     = (*replica)(nil)
	_ chain.Pauser  = (*replica)(nil)
	_ chain.Counter = (*replica)(nil)
	_ chain.Layered = (*replica)(nil)
	_ chain.Watched = (*replica)(nil)
)

// A machine runs the replicas as containers.
type machine struct{ *Stack }

// Open implements [chain.Machine].
func (s machine) Open(ctx context.Context, i int) (*chain.Replica, error) {
	r, err := s.startReplica(ctx, i)
	if err != nil {
		return nil, err
	}
	s.follow(r.box, s.logs(r)...)
	if err := s.aimReplica(ctx, r); err != nil {
		return nil, err
	}
	return r.public(), s.awaitReplica(ctx, r)
}

// Retire implements [chain.Machine]. The container stays, with its log.
func (machine) Retire(context.Context, *chain.Replica) error { return nil }

// public is the replica as the chain knows it.
func (r *replica) public() *chain.Replica {
	return &chain.Replica{Name: r.name, App: r, Link: r.link}
}

// startReplica starts the app and its link side by side.
func (s *Stack) startReplica(ctx context.Context, n int) (*replica, error) {
	f := s.plan.replica(n)
	r := &replica{s: s, name: f.part}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		r.box, err = s.begin(ctx, f)
		return err
	})
	g.Go(func() (err error) {
		r.link, err = s.openLink(ctx, chain.UpstreamName(n), s.plan.port, s.plan.names)
		return err
	})
	return r, g.Wait()
}

func (s *Stack) aimReplica(ctx context.Context, r *replica) error {
	target := net.JoinHostPort(hostname(r.name), strconv.Itoa(s.plan.port)) // a name: a restart may bring a new address
	return r.link.aim(ctx, target, target, s.spec.Toxics[stack.UpstreamLink])
}

// awaitReplica waits until the app is healthy and tells so.
func (s *Stack) awaitReplica(ctx context.Context, r *replica) error {
	probe := func(ctx context.Context) error { return s.probe(ctx, r) }
	if err := chain.Await(ctx, r.name, r.box, s.spec.App.Start, probe); err != nil {
		return err
	}
	chain.Tell(&s.spec, r.name, record.KindReady, r.Pid(), 0, "")
	s.watch.processes(r)
	_, err := s.d.ContainerUpdate(ctx, r.box.id, client.ContainerUpdateOptions{
		RestartPolicy: &container.RestartPolicy{Name: container.RestartPolicyOnFailure, MaximumRetryCount: restarts}})
	if err != nil {
		return fmt.Errorf("set restart policy of %s: %w", r.name, err)
	}
	return nil
}

// probe asks once whether the app is up. Behind docker-proxy, which accepts for
// anybody, one without a health path is up when it answers.
func (s *Stack) probe(ctx context.Context, r *replica) error {
	addr := s.route.dial(r.box, s.plan.port)
	if s.plan.health != "" || s.route.direct {
		return chain.Probe(ctx, addr, s.plan.health)
	}
	_, err := chain.Ask(ctx, addr, "/")
	return err
}

// At implements [chain.App]: a new start brings a new published port, and perhaps a
// new address.
func (r *replica) At() chain.Entrance { return r.s.entrance(r.box, r.s.plan.port) }

// Watch implements [chain.Watched].
func (r *replica) Watch() *chain.Watch {
	r.s.watch.mu.Lock()
	defer r.s.watch.mu.Unlock()
	return r.watch
}

// find returns a replica by name.
func (s *Stack) find(name string) (*replica, error) {
	r, err := s.Find(name)
	if err != nil {
		return nil, err
	}
	return r.App.(*replica), nil
}

// living are the replicas that the chain has now.
func (s *Stack) living() (rs []*replica) {
	for _, r := range s.Living() {
		rs = append(rs, r.App.(*replica))
	}
	return rs
}

// Pause implements [chain.Pauser] with the cgroup freezer.
func (r *replica) Pause(ctx context.Context) error {
	_, err := r.d.ContainerPause(ctx, r.id, client.ContainerPauseOptions{})
	return err
}

// Unpause implements [chain.Pauser]. One that is not paused is left alone.
func (r *replica) Unpause(ctx context.Context) error {
	c, err := r.inspect(ctx)
	if err != nil || !c.State.Paused {
		return err
	}
	_, err = r.d.ContainerUnpause(ctx, r.id, client.ContainerUnpauseOptions{})
	return err
}

// Stop implements [chain.App].
func (r *replica) Stop(ctx context.Context, grace time.Duration) error {
	return r.d.stop(ctx, r.box, grace)
}

// stop is docker stop with a grace of its own: Docker's counts in whole seconds.
func (d *daemon) stop(ctx context.Context, b *box, grace time.Duration) error {
	seconds := int(grace / time.Second)
	if part := grace % time.Second; part != 0 {
		seconds++ // Docker's end is the backstop
		kill := time.AfterFunc(grace,
			func() { _, _ = d.ContainerKill(ctx, b.id, client.ContainerKillOptions{Signal: "KILL"}) })
		defer kill.Stop()
	}
	if _, err := d.ContainerStop(ctx, b.id, client.ContainerStopOptions{Timeout: &seconds}); err != nil {
		return fmt.Errorf("stop %s: %w", b.part, err)
	}
	return nil
}

// Start implements [chain.App].
func (r *replica) Start(ctx context.Context) error {
	if _, err := r.d.ContainerStart(ctx, r.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start %s: %w", r.name, err)
	}
	if err := r.refresh(ctx); err != nil {
		return err
	}
	return r.s.awaitReplica(ctx, r)
}
