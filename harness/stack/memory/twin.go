package memory

import (
	"context"
	"net"

	"github.com/streamproof/streamproof/harness/origin"
	"github.com/streamproof/streamproof/harness/stack"
)

// A twinStack can start a second edge.
type twinStack struct{ *Stack }

// twinHost is where the second edge answers.
const twinHost = "twin.memory:80"

// Twin implements [stack.Twinner].
func (s twinStack) Twin(context.Context) (stack.Twin, error) {
	if !s.balanced() {
		return stack.Twin{}, &stack.Unable{What: "start a second edge", Why: "this stack has none"}
	}
	h, err := origin.ProbeHandler()
	if err != nil {
		return stack.Twin{}, err
	}
	p := s.process(0, "probe.memory:80", h, newGate())
	s.host(twinHost, func(ctx context.Context, from addr) (net.Conn, error) {
		client, outer := connect(from, twinHost)
		inner, err := p.connect(ctx, twinHost)
		if err != nil {
			return nil, err
		}
		s.carry(&flow{outer: outer, inner: inner}, (*flow).run)
		return client, nil
	})
	end := func(context.Context) error {
		s.unhost(twinHost)
		p.die()
		return nil
	}
	return stack.Twin{URL: at(twinHost).URL, What: s.Edge.What(), Close: end}, nil
}

// unhost makes an address of the stack refuse connections.
func (s *Stack) unhost(at addr) {
	s.mu.Lock()
	delete(s.hosts, at)
	s.mu.Unlock()
	s.opener.mu.Lock()
	defer s.opener.mu.Unlock()
	delete(s.opener.hosts, string(at))
}
