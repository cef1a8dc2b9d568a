package container

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"golang.org/x/sync/errgroup"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A Stack is a running chain of containers.
type Stack struct {
	chain.Chain
	spec   stack.Spec
	own    *chain.UserConf // the user's nginx.conf; nil where it is ours
	images Images
	id     string
	owner  owner
	until  time.Time

	d       *daemon
	net     *testcontainers.DockerNetwork
	gateway string
	route   route
	plan    plan // of the app

	watch watcher

	mu     sync.Mutex // guards what follows
	boxes  []*box     // everything started, in order
	timing []Step
	took   time.Duration

	closing sync.Mutex // one Close at a time
	closed  bool
}

var (
	_ stack.Stack    = (*Stack)(nil)
	_ stack.Killer   = (*Stack)(nil)
	_ stack.Pauser   = (*Stack)(nil)
	_ stack.Stopper  = (*Stack)(nil)
	_ stack.Reloader = (*Stack)(nil)
	_ stack.Scaler   = (*Stack)(nil)
	_ stack.Filler   = (*Stack)(nil)
	_ stack.Counter  = (*Stack)(nil)
	_ stack.Settler  = (*Stack)(nil)
	_ stack.Twinner  = (*Stack)(nil)
)

// startLimit bounds the start of one container, not its health.
const startLimit = time.Minute

// A Step is a part of opening and how long it took.
type Step struct {
	Name string
	Took time.Duration
}

// open goes through the steps of the package comment.
func (s *Stack) open(ctx context.Context) error {
	began := time.Now()
	s.Spec, s.Machine, s.Network = &s.spec, machine{s}, "toxiproxy "+tagOf(s.images.Toxiproxy)
	if s.spec.Strikes {
		s.Network = "relay and " + s.Network
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"docker", s.connect},
		{"images", s.ensureImages},
		{"network", s.makeNetwork},
		{"containers", s.startBoxes},
		{"links", s.aimLinks},
	} {
		if err := s.step(ctx, step.name, step.do); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.step(gctx, "app healthy", s.awaitApp) })
	g.Go(func() error { return s.step(gctx, "edge", s.startEdge) })
	err := g.Wait()
	s.took = time.Since(began)
	return err
}

// step does one step and notes how long it took.
func (s *Stack) step(ctx context.Context, name string, do func(context.Context) error) error {
	began := time.Now()
	err := ctx.Err()
	if err == nil {
		err = do(ctx)
	}
	if ctx.Err() != nil { // whatever it looked like from within
		return fmt.Errorf("open docker stack: %s: %w", name, ctx.Err())
	}
	s.mu.Lock()
	s.timing = append(s.timing, Step{name, time.Since(began)})
	s.mu.Unlock()
	return err
}

// Timing says how long opening took, in all and by step. The edge starts while
// the app gets healthy, so that the steps may add up to more.
func (s *Stack) Timing() (total time.Duration, steps []Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took, slices.Clone(s.timing)
}

// timingText is one line for the report.
func (s *Stack) timingText() string {
	total, steps := s.Timing()
	var parts []string
	for _, t := range steps {
		parts = append(parts, fmt.Sprintf("%s %.2f", t.Name, t.Took.Seconds()))
	}
	return fmt.Sprintf("%.2f s: %s", total.Seconds(), strings.Join(parts, ", "))
}

func (s *Stack) connect(ctx context.Context) (err error) {
	if s.d, err = connect(ctx); err != nil {
		return err
	}
	_, err = s.d.sweep(ctx, func(l map[string]string) bool { return orphaned(l, s.owner, time.Now()) })
	if err != nil {
		return fmt.Errorf("sweep what earlier runs left: %w", err)
	}
	return nil
}

// ensureImages also decides what the app is made of.
func (s *Stack) ensureImages(ctx context.Context) (err error) {
	need := []string{s.images.Toxiproxy}
	if s.spec.Edge.Form != stack.EdgeNone || s.own != nil {
		need = append(need, s.images.Nginx)
	}
	if s.spec.Strikes || s.spec.Idle(stack.EdgeLink) > 0 {
		need = append(need, s.images.Relay)
	}
	for _, name := range need {
		if err := s.d.ensureImage(ctx, name); err != nil {
			return err
		}
	}
	s.plan, err = s.d.plan(ctx, &s.spec, s.images)
	s.What = s.plan.what
	return err
}

func (s *Stack) makeNetwork(ctx context.Context) (err error) {
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	s.net, err = tcnetwork.New(ctx, tcnetwork.WithLabels(s.owner.labels(s.id, "network", s.until)))
	if err != nil {
		return fmt.Errorf("create network: %s", plain(err))
	}
	info, err := s.d.NetworkInspect(ctx, s.net.ID, client.NetworkInspectOptions{})
	if err != nil {
		return fmt.Errorf("inspect network: %w", err)
	}
	for _, c := range info.Network.IPAM.Config {
		if c.Gateway.IsValid() {
			s.gateway = c.Gateway.String()
		}
	}
	return s.watch.begin(s)
}

// makeVolumes makes what the services of a compose file share under a name. Like all of the
// stack it begins empty, and goes with it.
func (s *Stack) makeVolumes(ctx context.Context) error {
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	for _, v := range s.plan.volumes {
		_, err := s.d.VolumeCreate(ctx, client.VolumeCreateOptions{Name: s.volume(v.name), Driver: "local",
			DriverOpts: v.options, Labels: joined(v.labels, s.owner.labels(s.id, "volume "+v.name, s.until))})
		if err != nil {
			return fmt.Errorf("create volume %s: %s", v.name, plain(err))
		}
	}
	return nil
}

// volume is what a volume of a compose file is called in this stack.
func (s *Stack) volume(name string) string { return "streamproof-" + s.id + "-" + name }

// share leads mounts of volumes with a name to those of this stack.
func (s *Stack) share(h *container.HostConfig) {
	for i, m := range h.Mounts {
		if m.Type == mount.TypeVolume && m.Source != "" {
			h.Mounts[i].Source = s.volume(m.Source)
		}
	}
}

// uninterrupted is for calls that make something: the daemon may finish one that
// was broken off, after we have looked for what to take away.
func uninterrupted(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), startLimit)
}

// begin starts a box and makes it known to Close, also one that failed.
func (s *Stack) begin(ctx context.Context, f form) (*box, error) {
	ctx, cancel := uninterrupted(ctx)
	defer cancel()
	b, err := s.start(ctx, f)
	s.mu.Lock()
	s.boxes = append(s.boxes, b)
	s.mu.Unlock()
	if err != nil {
		return b, &stack.StartError{Subject: f.part, Cause: err, Tail: b.Tail(ctx)}
	}
	return b, nil
}

// beginAll starts boxes side by side; the result keeps their order.
func (s *Stack) beginAll(ctx context.Context, forms ...form) ([]*box, error) {
	boxes := make([]*box, len(forms))
	g, ctx := errgroup.WithContext(ctx)
	for i, f := range forms {
		g.Go(func() (err error) {
			boxes[i], err = s.begin(ctx, f)
			return err
		})
	}
	return boxes, g.Wait()
}

// startBoxes starts replicas and links side by side, and what the app depends
// on before them.
func (s *Stack) startBoxes(ctx context.Context) error {
	if err := s.makeVolumes(ctx); err != nil {
		return err
	}
	if err := s.startHelpers(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	rs := make([]*replica, s.spec.Replicas)
	for i := range rs {
		n := s.Reserve()
		g.Go(func() (err error) {
			rs[i], err = s.startReplica(ctx, n)
			return err
		})
	}
	if !s.spec.LeftOut(stack.EdgeLink) {
		g.Go(func() error {
			l, err := s.openLink(ctx, stack.EdgeLink, edgePort, nil)
			s.EdgeLink = l
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, r := range rs {
		s.Join(r.public())
		s.follow(r.box, s.logs(r)...)
	}
	return nil
}

// aimLinks finds the way to the containers and sets up what waits behind it.
func (s *Stack) aimLinks(ctx context.Context) (err error) {
	s.route, err = findRoute(ctx, s.living()[0].link.toxiproxy, toxiproxyAPI, s.gateway, "/version")
	if err != nil {
		return err
	}
	for _, r := range s.living() {
		if err := s.aimReplica(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stack) awaitApp(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, r := range s.living() {
		g.Go(func() error { return s.awaitReplica(ctx, r) })
	}
	return g.Wait()
}

// at is the run's clock at a time of the day.
func (s *Stack) at(t time.Time) time.Duration { return s.spec.Now() - time.Since(t) }

// tell sends an event.
func (s *Stack) tell(e stack.Event) { s.spec.Notify(e) }

// hostname is a part's name as a network alias.
func hostname(part string) string {
	return strings.NewReplacer("[", "-", "]", "", " ", "-").Replace(part)
}

// abandon removes what there is of a stack that did not get up. Its logs stay:
// they say why.
func (s *Stack) abandon(ctx context.Context, err error) error {
	if s.d == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	s.spec.App.Grace = 0
	if cerr := s.Close(ctx); cerr != nil {
		return errors.Join(err, cerr)
	}
	return err
}
