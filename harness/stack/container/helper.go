package container

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/moby/api/types/container"
	"golang.org/x/sync/errgroup"

	"github.com/streamproof/streamproof/harness/stack"
)

// A dependency is a service that the app depends on.
type dependency struct {
	name string
	form
	needs []need
}

// A need is what must have happened to a helper before something else starts
// (compose-spec, depends_on).
type need struct {
	helper    string
	condition string // service_started, service_healthy, service_completed_successfully
	required  bool   // otherwise one that is not met is passed over
}

// helperLimit bounds the wait for one condition.
const helperLimit = 5 * time.Minute

// needs lists the needs of a service, sorted; what is not there is not among them.
func needs(s *types.ServiceConfig, there []string) (list []need) {
	for _, name := range slices.Sorted(maps.Keys(s.DependsOn)) {
		if d := s.DependsOn[name]; slices.Contains(there, name) {
			list = append(list, need{helper: name, condition: d.Condition, required: d.Required})
		}
	}
	return list
}

// A rising is a helper on its way up.
type rising struct {
	box  *box
	done chan struct{} // closed once box is there, or will never be
}

// startHelpers starts what the app depends on, each as soon as what it needs itself
// is met, and returns when the app's own needs are.
func (s *Stack) startHelpers(ctx context.Context) error {
	up := map[string]*rising{}
	for _, h := range s.plan.helpers {
		up[h.name] = &rising{done: make(chan struct{})}
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, h := range s.plan.helpers {
		g.Go(func() (err error) {
			defer close(up[h.name].done)
			if err = s.meet(ctx, h.needs, up); err == nil {
				up[h.name].box, err = s.begin(ctx, h.form)
			}
			return err
		})
	}
	g.Go(func() error { return s.meet(ctx, s.plan.needs, up) })
	return g.Wait()
}

// meet waits until all needs are met.
func (s *Stack) meet(ctx context.Context, needs []need, up map[string]*rising) error {
	for _, n := range needs {
		r := up[n.helper]
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.done:
		}
		if r.box == nil {
			continue // whoever started it has the error
		}
		if err := s.met(ctx, n, r.box); err != nil && (n.required || ctx.Err() != nil) {
			return &stack.StartError{Subject: r.box.part, Cause: err, Tail: r.box.Tail(context.WithoutCancel(ctx))}
		}
	}
	return nil
}

func (s *Stack) met(ctx context.Context, n need, b *box) error {
	ctx, cancel := context.WithTimeout(ctx, helperLimit)
	defer cancel()
	switch n.condition {
	case types.ServiceConditionHealthy:
		return b.awaitHealthy(ctx)
	case types.ServiceConditionCompletedSuccessfully:
		return b.awaitDone(ctx)
	}
	return nil
}

// awaitDone waits until a container has ended, and well.
func (b *box) awaitDone(ctx context.Context) error {
	for {
		c, err := b.inspect(ctx)
		if err != nil {
			return err
		}
		if !c.State.Running && c.State.FinishedAt != "" && c.State.Status == container.StateExited {
			if c.State.ExitCode != 0 {
				return fmt.Errorf("others wait until it has completed, and it ended with %s", exitText(c.State.ExitCode))
			}
			return nil
		}
		if err := pause(ctx, 10*pollPause); err != nil {
			return fmt.Errorf("others wait until it has completed, and it still runs: %w", err)
		}
	}
}

// Docker's own defaults of a health check (docs.docker.com, Dockerfile reference).
const (
	checkInterval = 30 * time.Second
	checkTimeout  = 30 * time.Second
	checkRetries  = 3
)

// awaitHealthy runs the health check of a container until it holds. Docker does not
// run it for us: where it would stand is the container's end of life (see config). It
// is asked more often than its interval, and given up when Docker would call the
// container unhealthy.
func (b *box) awaitHealthy(ctx context.Context) error {
	check, err := b.healthcheck(ctx)
	if err != nil {
		return err
	}
	interval, timeout, retries := check.Interval, check.Timeout, check.Retries
	if interval == 0 {
		interval = checkInterval
	}
	if timeout == 0 {
		timeout = checkTimeout
	}
	if retries == 0 {
		retries = checkRetries
	}
	limit := check.StartPeriod + time.Duration(retries)*(interval+timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it is not healthy after %v", limit))
	defer cancel()
	for {
		last := b.check(ctx, check.Test, timeout)
		if last == nil {
			return nil
		}
		if err := b.Ended(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		if err := pause(ctx, min(interval, cmp.Or(check.StartInterval, time.Second), time.Second)); err != nil {
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		}
	}
}

// healthcheck is that of the compose file, or the image's.
func (b *box) healthcheck(ctx context.Context) (*container.HealthConfig, error) {
	check := b.health
	if check == nil {
		info, err := b.d.ImageInspect(ctx, b.image)
		if err != nil {
			return nil, fmt.Errorf("inspect image %s: %w", b.image, err)
		}
		if info.Config != nil && info.Config.Healthcheck != nil {
			check = &container.HealthConfig{Test: info.Config.Healthcheck.Test, Interval: info.Config.Healthcheck.Interval,
				Timeout: info.Config.Healthcheck.Timeout, StartPeriod: info.Config.Healthcheck.StartPeriod,
				StartInterval: info.Config.Healthcheck.StartInterval, Retries: info.Config.Healthcheck.Retries}
		}
	}
	if check == nil || len(check.Test) < 2 || check.Test[0] == "NONE" {
		return nil, errors.New("others wait until it is healthy, and it has no health check")
	}
	return check, nil
}

// check runs a health check once.
func (b *box) check(ctx context.Context, test []string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	command := test[1:]
	if test[0] == "CMD-SHELL" {
		command = []string{"/bin/sh", "-c", strings.Join(test[1:], " ")}
	}
	_, err := b.exec(ctx, command...)
	return err
}

// checkOf is the health check of a service; nil leaves it to the image.
func checkOf(s *types.ServiceConfig) *container.HealthConfig {
	h := s.HealthCheck
	switch {
	case h == nil:
		return nil
	case h.Disable:
		return &container.HealthConfig{Test: []string{"NONE"}}
	case len(h.Test) == 0:
		return nil
	}
	c := &container.HealthConfig{Test: h.Test, Interval: lasts(h.Interval), Timeout: lasts(h.Timeout),
		StartPeriod: lasts(h.StartPeriod), StartInterval: lasts(h.StartInterval)}
	if h.Retries != nil {
		c.Retries = int(*h.Retries)
	}
	return c
}

func lasts(d *types.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

// pause lets time pass; it ends early with ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
