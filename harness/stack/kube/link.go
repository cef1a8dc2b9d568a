package kube

import (
	"context"
	"errors"

	"github.com/streamproof/streamproof/harness/relay"
	"github.com/streamproof/streamproof/harness/stack"
)

// A link is the edge link, made of a relay alone. Its control lane is the forwarder
// itself.
type link struct {
	relay   *relay.Relay
	strikes bool
}

// A strikingLink is a link with its relay.
type strikingLink struct {
	stack.Link
	stack.Striker
}

func newLink(to string, spec *stack.Spec) (*link, error) {
	toxics := spec.Toxics[stack.EdgeLink]
	for _, t := range toxics {
		if !relay.Impairs(t) {
			return nil, unableToxic(t)
		}
	}
	r, err := relay.Start(relay.Options{Name: stack.EdgeLink, Listen: "127.0.0.1:0", Target: to, Now: spec.Now,
		Notify: spec.Notify})
	if err != nil {
		return nil, err
	}
	for _, t := range toxics {
		if err := r.Impair(t); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return &link{relay: r, strikes: spec.Strikes}, nil
}

func unableToxic(t stack.Toxic) error {
	return &stack.Unable{What: "add a toxic of type " + t.Type + " to the edge link",
		Why: "the way to a Service of Kubernetes has no toxiproxy, only latency, bandwidth and strikes"}
}

// Name implements [stack.Link].
func (*link) Name() string { return stack.EdgeLink }

// Add implements [stack.Link].
func (l *link) Add(_ context.Context, t stack.Toxic) error {
	if !relay.Impairs(t) {
		return unableToxic(t)
	}
	return l.relay.Impair(t)
}

// Remove implements [stack.Link].
func (l *link) Remove(_ context.Context, name string) error {
	l.relay.Restore(name)
	return nil
}

// SetUp implements [stack.Link].
func (l *link) SetUp(_ context.Context, up bool) error {
	if up {
		return l.relay.Resume()
	}
	l.relay.Cut()
	return nil
}
