// Package dock is the stack made of containers: what users really run. What a chain
// is and does is harness/stack/chain; this is its machine.
//
//		client ─▶ edge link ─▶ nginx ─▶ upstream link i ─▶ app[i]
//
//	 1. [Opener.Open] finds the daemon, sweeps away what dead owners left
//	    ([Sweep]), and makes sure of the images: official ones, or those that
//	    docker/build.sh made under the same names.
//	 2. Replicas and links start side by side in a network of their own, every
//	    port published on loopback. A link is a toxiproxy with two lanes, and the
//	    relay before its main lane where the scenario strikes ([docker/relay]).
//	 3. A probe finds out how we reach the containers ([route]).
//	 4. nginx starts when the addresses of the links are known: with our
//	    configuration (harness/stack/nginxconf), or with the user's, which finds
//	    the links under the names of the app.
//	 5. Docker's events, the process table and the cgroup's counters are watched
//	    and told through [stack.Spec.Notify] on the run's clock.
//	 6. Close asks the app to stop, reads all logs again from the start, removes
//	    everything, and names what would not go.
//
// [docker/relay]: https://github.com/streamproof/streamproof/tree/main/docker/relay
package container

import (
	"context"
	"fmt"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

const (
	// cleanup bounds the end of a stack that did not get up.
	cleanup = 30 * time.Second
	// DefaultLife is how much longer than it is needed a stack may live, whatever becomes of its owner.
	DefaultLife = 2 * time.Hour

	defaultPort = 8000
)

// Options may be empty.
type Options struct {
	// Images of the stack's own parts; empty ones are the package's constants.
	Images Images
	// Life is how much longer than it is needed a stack may live; 0 means [DefaultLife].
	Life time.Duration
}

// Images name what the chain is made of.
type Images struct{ Nginx, Toxiproxy, Relay, Origin string }

// An Opener opens stacks of containers.
type Opener struct{ opt Options }

var _ stack.Opener = (*Opener)(nil)

// New returns an opener.
func New(opt Options) *Opener {
	for _, image := range []struct {
		name *string
		def  string
	}{{&opt.Images.Nginx, NginxImage}, {&opt.Images.Toxiproxy, ToxiproxyImage},
		{&opt.Images.Relay, RelayImage}, {&opt.Images.Origin, OriginImage}} {
		if *image.name == "" {
			*image.name = image.def
		}
	}
	if opt.Life == 0 {
		opt.Life = DefaultLife
	}
	return &Opener{opt}
}

// Kind implements [stack.Opener].
func (*Opener) Kind() string { return "docker" }

// LimitsMemory implements [stack.Limiter]: a container is a cgroup.
func (*Opener) LimitsMemory() bool { return true }

// Open implements [stack.Opener]. Without Docker the error is an [*Absent],
// without an image an [*ImageError].
func (o *Opener) Open(ctx context.Context, spec stack.Spec) (stack.Stack, error) {
	if err := prepare(ctx, &spec); err != nil {
		return nil, err
	}
	own, err := chain.ReadUserConf(spec.Edge.NginxConf)
	if err != nil {
		return nil, err
	}
	s := &Stack{spec: spec, own: own, images: o.opt.Images, id: newID(), owner: self(),
		until: time.Now().Add(o.life(&spec))}
	return s.guarded(ctx, s.open)
}

// prepare fills in the defaults of a spec, and what its compose file says in their place.
func prepare(ctx context.Context, spec *stack.Spec) error {
	own := spec.App.Grace > 0
	if err := chain.Prepare(spec, func() error { return refuse(spec) }); err != nil {
		return err
	}
	if grace, ok := stopGrace(ctx, spec.App.Compose); ok && !own {
		spec.App.Grace = grace // also of 0 s, which is none, and no default
	}
	return nil
}

// life is how long a stack may live: for as long as the run plans to use it, for two starts of its app, and for a while
// more. Its parts end by themselves then, also under a run that goes on.
func (o *Opener) life(spec *stack.Spec) time.Duration {
	return spec.Lasts + 2*spec.App.Start + o.opt.Life
}

// guarded opens the stack, and takes away what there is of it where that fails,
// by an error or by a panic.
func (s *Stack) guarded(ctx context.Context, open func(context.Context) error) (_ stack.Stack, err error) {
	up := false
	defer func() {
		if !up {
			err = s.abandon(ctx, err)
		}
	}()
	if err := open(ctx); err != nil {
		return nil, err
	}
	up = true
	return s, nil
}

// refuse says what this stack cannot do.
func refuse(spec *stack.Spec) error {
	app := &spec.App
	kinds := 0
	for _, set := range []bool{app.Origin != nil, app.Image != "", app.Build != "", app.Compose != (stack.Compose{})} {
		if set {
			kinds++
		}
	}
	switch {
	case len(app.Command) > 0:
		return &stack.Unable{What: "run a command", Why: "the Docker stack starts containers only; put the command into an " +
			"image, or use the local stack"}
	case app.URL != "":
		return &stack.Unable{What: "attach to a URL", Why: "the Docker stack starts the app itself; the local stack attaches"}
	case kinds != 1:
		return fmt.Errorf("open docker stack: one of origin, image, build and compose must be given, not %d", kinds)
	case app.Port == toxiproxyAPI || app.Port == relayAPI || app.Port == controlPort:
		return fmt.Errorf("open docker stack: port %d is one that the links use for themselves; let the app listen elsewhere",
			app.Port)
	case app.Port < 0 || app.Port > 65535:
		return fmt.Errorf("open docker stack: %d is no port", app.Port)
	}
	return nil
}
