package process

import (
	"context"
	"errors"
	"slices"

	toxiproxy "github.com/Shopify/toxiproxy/v2"

	"github.com/streamproof/streamproof/harness/relay"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A link is one stretch of the chain:
//
//	main:    ─▶ relay ─▶ [toxiproxy ─▶] target
//	control: ─────────────────────────▶ target
//
// It stands only where something will be done by it. The control lane is the target
// itself: nothing is ever done to it.
//
// The relay does what changes while streams are under way: strikes, latency and
// bandwidth towards the client, and a cut. toxiproxy does the rest, from before the
// first connection to the end, and stands only where it has something to do: of all
// that is in the way it costs most, it turns every RST that it meets into a FIN, and
// taking a toxic off deadlocks as soon as a client has gone (toxiproxy#558).
type link struct {
	name   string
	target string
	relay  *relay.Relay
	lane   *lane // nil where toxiproxy has nothing to do
	// strikes says that the stack may strike by the relay.
	strikes bool
	// base is the URL of an app to which the link leads straight: only the connection
	// goes by the link.
	base string
}

// newLink opens a link to target; nil where it is left out. On error nothing of it
// is left.
func newLink(ctx context.Context, server *toxiproxy.ApiServer, name, target string, spec *stack.Spec) (l *link,
	err error) {
	if spec.LeftOut(name) {
		return nil, nil
	}
	toxics := spec.Toxics[stack.EdgeLink]
	if name != stack.EdgeLink {
		toxics = spec.Toxics[stack.UpstreamLink]
	}
	l = &link{name: name, target: target, strikes: spec.Strikes || spec.Idle(name) > 0}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close(ctx))
		}
	}()
	behind := target // the relay
	if rest := slices.DeleteFunc(slices.Clone(toxics), relay.Impairs); len(rest) > 0 {
		if l.lane, err = newLane(ctx, server, name, target, rest); err != nil {
			return l, err
		}
		behind = l.lane.listen
	}
	l.relay, err = relay.Start(relay.Options{Name: name, Listen: "127.0.0.1:0", Target: behind,
		Idle: spec.Idle(name), Now: spec.Now, Notify: spec.Notify})
	for _, t := range toxics {
		if err == nil && relay.Impairs(t) {
			err = l.relay.Impair(t)
		}
	}
	return l, err
}

// Plain implements [chain.Plain].
func (l *link) Plain() bool { return l.lane == nil }

// Striker implements [chain.Link].
func (l *link) Striker() stack.Striker {
	if !l.strikes {
		return nil
	}
	return l.relay
}

// Main implements [chain.Link].
func (l *link) Main() chain.Entrance { return l.at(l.relay.Addr()) }

// Control implements [chain.Link].
func (l *link) Control() chain.Entrance { return l.at(l.target) }

func (l *link) at(addr string) chain.Entrance {
	e := chain.At(addr)
	if l.base != "" {
		e.URL, e.Dial = l.base, addr
	}
	return e
}

func (l *link) Name() string { return l.name }

// Add implements [stack.Link].
func (l *link) Add(ctx context.Context, t stack.Toxic) error {
	switch {
	case relay.Impairs(t):
		return l.relay.Impair(t)
	case l.lane == nil:
		return &stack.Unable{What: "add a toxic of type " + t.Type + " to the " + l.name + " link",
			Why: "it was opened without toxiproxy, for latency, bandwidth and strikes alone"}
	}
	return l.lane.add(ctx, t)
}

// Remove implements [stack.Link].
func (l *link) Remove(ctx context.Context, name string) error {
	l.relay.Restore(name)
	if l.lane == nil {
		return nil
	}
	return l.lane.remove(ctx, name)
}

// SetUp cuts or restores the main lane. The relay closes its listener, so that the
// kernel itself refuses what comes.
func (l *link) SetUp(_ context.Context, up bool) error {
	if up {
		return l.relay.Resume()
	}
	l.relay.Cut()
	return nil
}

func (l *link) close(ctx context.Context) error {
	var errs []error
	if l.relay != nil {
		errs = append(errs, l.relay.Close())
	}
	if l.lane != nil {
		errs = append(errs, l.lane.close(ctx))
	}
	return errors.Join(errs...)
}
