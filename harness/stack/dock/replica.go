package dock

import (
	"context"
	"fmt"
	"net"
	"strconv"
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

// A replica is one instance of the app and the link that leads to it.
type replica struct {
	name string // "app[0]"
	app  *box
	link *link
}

// startReplica starts the app and its link side by side.
func (s *Stack) startReplica(ctx context.Context, n int) (*replica, error) {
	f := s.plan.replica(n)
	r := &replica{name: f.part}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		r.app, err = s.begin(ctx, f)
		return err
	})
	g.Go(func() (err error) {
		r.link, err = s.openLink(ctx, fmt.Sprintf("%s[%d]", stack.UpstreamLink, n), s.plan.port, s.plan.names)
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
	if err := chain.Await(ctx, r.name, r.app, s.spec.App.Start, probe); err != nil {
		return err
	}
	s.tell(stack.Event{At: s.spec.Now(), Source: record.ProcessSource, Kind: record.KindReady, Subject: r.name, Pid: 1})
	s.watch.processes(r)
	_, err := s.d.ContainerUpdate(ctx, r.app.id, client.ContainerUpdateOptions{
		RestartPolicy: &container.RestartPolicy{Name: container.RestartPolicyOnFailure, MaximumRetryCount: restarts}})
	if err != nil {
		return fmt.Errorf("set restart policy of %s: %w", r.name, err)
	}
	return nil
}

// probe asks once whether the app is up. Behind docker-proxy, which accepts for
// anybody, one without a health path is up when it answers.
func (s *Stack) probe(ctx context.Context, r *replica) error {
	addr := s.route.dial(r.app, s.plan.port)
	if s.plan.health != "" || s.route.direct {
		return chain.Probe(ctx, addr, s.plan.health)
	}
	_, err := chain.Ask(ctx, addr, "/")
	return err
}

// show is the replica as the stack's user sees it.
func (s *Stack) show(r *replica) stack.Replica {
	return stack.Replica{Name: r.name, Addr: r.link.entrance().inside(r.link.port),
		Control: r.link.toxiproxy.inside(controlPort), URL: s.route.url(r.app, s.plan.port)}
}

// find returns a replica by name.
func (s *Stack) find(name string) (*replica, error) {
	for _, r := range s.living() {
		if r.name == name {
			return r, nil
		}
	}
	return nil, fmt.Errorf("find replica %s: there is none", name)
}

// Pause implements [stack.Pauser] with the cgroup freezer.
func (s *Stack) Pause(ctx context.Context, name string) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	if _, err := s.d.ContainerPause(ctx, r.app.id, client.ContainerPauseOptions{}); err != nil {
		return fmt.Errorf("pause %s: %w", name, err)
	}
	return nil
}

// Unpause implements [stack.Pauser]. One that is not paused is left alone.
func (s *Stack) Unpause(ctx context.Context, name string) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	c, err := r.app.inspect(ctx)
	if err != nil || !c.State.Paused {
		return err
	}
	if _, err := s.d.ContainerUnpause(ctx, r.app.id, client.ContainerUnpauseOptions{}); err != nil {
		return fmt.Errorf("unpause %s: %w", name, err)
	}
	return nil
}

// Stop implements [stack.Stopper].
func (s *Stack) Stop(ctx context.Context, name string, grace time.Duration) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	return s.d.stop(ctx, r.app, grace)
}

// stop is docker stop with a grace of its own: Docker's counts in whole seconds.
func (d *daemon) stop(ctx context.Context, b *box, grace time.Duration) error {
	seconds := int(grace / time.Second)
	if part := grace % time.Second; part != 0 {
		seconds++ // Docker's end is the backstop
		kill := time.AfterFunc(grace, func() { _, _ = d.ContainerKill(ctx, b.id, client.ContainerKillOptions{Signal: "KILL"}) })
		defer kill.Stop()
	}
	if _, err := d.ContainerStop(ctx, b.id, client.ContainerStopOptions{Timeout: &seconds}); err != nil {
		return fmt.Errorf("stop %s: %w", b.part, err)
	}
	return nil
}

// Start implements [stack.Stopper]. It returns when the app is healthy again.
func (s *Stack) Start(ctx context.Context, name string) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	if _, err := s.d.ContainerStart(ctx, r.app.id, client.ContainerStartOptions{}); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	if err := r.app.refresh(ctx); err != nil {
		return err
	}
	return s.awaitReplica(ctx, r)
}

// AddReplica implements [stack.Scaler].
func (s *Stack) AddReplica(ctx context.Context) (stack.Replica, error) {
	s.mu.Lock()
	n := s.next
	s.next++
	s.mu.Unlock()
	r, err := s.startReplica(ctx, n)
	if err != nil {
		return stack.Replica{}, err
	}
	s.follow(r.app, s.logs(r)...)
	if err := s.aimReplica(ctx, r); err != nil {
		return stack.Replica{}, err
	}
	if err := s.awaitReplica(ctx, r); err != nil {
		return stack.Replica{}, err
	}
	s.mu.Lock()
	s.replicas = append(s.replicas, r)
	s.mu.Unlock()
	return s.show(r), s.reconfigure(ctx)
}

// RemoveReplica implements [stack.Scaler]: the edge forgets the replica first,
// then the app gets its grace. The container stays, stopped, with its log.
func (s *Stack) RemoveReplica(ctx context.Context, name string) error {
	r, err := s.find(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	if len(s.replicas) == 1 {
		s.mu.Unlock()
		return fmt.Errorf("remove replica %s: it is the last one", name)
	}
	rest := make([]*replica, 0, len(s.replicas)-1)
	for _, other := range s.replicas {
		if other != r {
			rest = append(rest, other)
		}
	}
	s.replicas = rest
	s.mu.Unlock()
	if err := s.reconfigure(ctx); err != nil {
		return err
	}
	return s.d.stop(ctx, r.app, s.spec.App.Grace)
}
