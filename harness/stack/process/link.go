package process

import (
	"context"
	"errors"

	toxiproxy "github.com/Shopify/toxiproxy/v2"

	"github.com/streamproof/streamproof/harness/relay"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stack/chain"
)

// A link is one stretch of the chain:
//
//	main:    ─▶ [relay ─▶] [toxiproxy ─▶] target
//	control: ───────────────────────────▶ target
//
// Each part stands only where something will be done by it. The control lane is the
// target itself: nothing is ever done to it.
//
// The relay stands on the client's side, because toxiproxy turns every RST that
// it meets into a FIN: behind it, a strike's reset would never be seen. For the
// same reason a reset that the app sends reaches nginx as a FIN, where toxiproxy is in
// the way.
type link struct {
	name   string
	target string
	main   *lane        // nil where nothing is done but strikes
	relay  *relay.Relay // nil where the stack does not strike
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
	l = &link{name: name, target: target}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close(ctx))
		}
	}()
	behind := target // the relay
	if !spec.RelayOnly(name) {
		if l.main, err = newLane(ctx, server, name, target, toxics); err != nil {
			return l, err
		}
		behind = l.main.listen
	}
	if idle := spec.Idle(name); spec.Strikes || idle > 0 {
		l.relay, err = relay.Start(relay.Options{Name: name, Listen: "127.0.0.1:0", Target: behind,
			Idle: idle, Now: spec.Now, Notify: spec.Notify})
	}
	return l, err
}

// Plain implements [chain.Plain].
func (l *link) Plain() bool { return l.main == nil }

// Striker implements [chain.Link].
func (l *link) Striker() stack.Striker {
	if l.relay == nil {
		return nil
	}
	return l.relay
}

// Main implements [chain.Link].
func (l *link) Main() chain.Entrance {
	if l.relay != nil {
		return l.at(l.relay.Addr())
	}
	return l.at(l.main.listen)
}

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
	if l.main == nil {
		return onlyStrikes(l.name)
	}
	return l.main.add(ctx, t)
}

// Remove implements [stack.Link].
func (l *link) Remove(ctx context.Context, name string) error {
	if l.main == nil {
		return nil
	}
	return l.main.remove(ctx, name)
}

// onlyStrikes is the error of a link that was opened for strikes alone.
func onlyStrikes(name string) error {
	return &stack.Unable{What: "change the " + name + " link", Why: "it was opened for strikes alone"}
}

// SetUp cuts or restores the main lane. Both parts close their listeners, so
// that the kernel itself refuses what comes.
func (l *link) SetUp(ctx context.Context, up bool) error {
	if l.main == nil {
		return onlyStrikes(l.name)
	}
	if !up {
		if l.relay != nil {
			l.relay.Pause()
		}
		return l.main.down(ctx)
	}
	if err := l.main.up(ctx); err != nil {
		return err
	}
	if l.relay != nil {
		return l.relay.Resume()
	}
	return nil
}

func (l *link) close(ctx context.Context) error {
	var errs []error
	if l.relay != nil {
		errs = append(errs, l.relay.Close())
	}
	if l.main != nil {
		errs = append(errs, l.main.close(ctx))
	}
	return errors.Join(errs...)
}
