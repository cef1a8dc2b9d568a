package container

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"
)

// insist is kept back from the caller's deadline for what must be done whether
// the app has stopped or not.
const insist = 8 * time.Second

// Close implements [stack.Stack].
func (s *Stack) Close(ctx context.Context) error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if s.closed {
		return nil
	}
	s.watch.end() // first: what we do to the containers from here on is no news
	s.stopApps(ctx)
	err := errors.Join(s.saveLogs(ctx), s.clear(ctx))
	if err == nil {
		s.closed = true
		err = s.d.Close()
	}
	return err
}

// stopApps asks the replicas to stop and kills what has not after the grace: the
// last lines of an app that shuts down are worth reading.
func (s *Stack) stopApps(ctx context.Context) {
	grace := s.spec.App.Grace
	if end, ok := ctx.Deadline(); ok {
		grace = min(grace, time.Until(end)-insist)
	}
	if grace <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, grace+insist/2) // an engine that does not answer must not take the rest
	defer cancel()
	var g errgroup.Group
	for _, r := range s.living() {
		g.Go(func() error { return r.Stop(ctx, grace) })
	}
	_ = g.Wait() // what would not stop is killed next
}

// clear removes all that is labelled as ours, in the order in which Docker can:
// containers, network, volumes. Going by label catches also what Open had begun
// and not yet noted.
func (s *Stack) clear(ctx context.Context) error {
	var g errgroup.Group
	s.mu.Lock()
	for _, b := range s.boxes {
		g.Go(func() error { return b.remove(ctx) })
	}
	s.mu.Unlock()
	errs := []error{g.Wait()}
	_, err := s.d.sweep(ctx, func(l map[string]string) bool { return l[label] == s.id })
	if errs = append(errs, err); errors.Join(errs...) == nil {
		return nil
	}
	cause := errors.Join(errs...)
	if ctx.Err() != nil {
		cause = ctx.Err() // all that it cut short says the same
	}
	if left := s.left(ctx); left != "" {
		return fmt.Errorf("still there: %s: %w", left, cause)
	}
	return nil // a first error that a second try made good
}

// left names the parts that are still there, also where ctx is over.
func (s *Stack) left(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
	defer cancel()
	ours := make(client.Filters).Add("label", label+"="+s.id)
	cs, err := s.d.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours})
	if err != nil {
		return "perhaps everything (" + oneLine(err.Error()) + ")"
	}
	var names []string
	for _, c := range cs.Items {
		names = append(names, "container "+c.Labels[labelPart]+" ("+c.Status+")")
	}
	if ns, err := s.d.NetworkList(ctx, client.NetworkListOptions{Filters: ours}); err == nil {
		for _, n := range ns.Items {
			names = append(names, "network "+n.Name)
		}
	}
	if vs, err := s.d.VolumeList(ctx, client.VolumeListOptions{Filters: ours}); err == nil {
		for _, v := range vs.Items {
			names = append(names, "volume "+v.Name)
		}
	}
	return strings.Join(names, ", ")
}
