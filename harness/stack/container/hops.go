package container

import (
	"context"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack/chain"
)

// entrance is a port of a box.
func (s *Stack) entrance(b *box, port int) chain.Entrance {
	e := chain.Entrance{URL: s.route.url(b, port), Addr: b.inside(port)}
	if s.route.direct && s.route.host != "" {
		e.Dial = e.Addr
	}
	return e
}

// Reload implements [stack.Reloader].
func (s *Stack) Reload(ctx context.Context) error { return s.ReloadEdge(ctx) }

// Versions implements [stack.Stack].
func (s *Stack) Versions() map[string]string {
	v := map[string]string{"docker": s.d.version, "toxiproxy": tagOf(s.images.Toxiproxy), "app": s.plan.what,
		"route": s.route.String(), "ryuk": s.d.ryuk, "stack up": s.timingText()}
	if s.Edge != nil {
		name, version := s.Edge.Version()
		v[name] = version
	}
	return v
}

func tagOf(image string) string { return image[strings.LastIndexByte(image, ':')+1:] }

// HostPids implements [stack.Hosted]. Of a daemon on another machine, or in one
// of its own, we see no process.
func (s *Stack) HostPids() (pids []int) {
	s.mu.Lock()
	boxes := slices.Clone(s.boxes)
	s.mu.Unlock()
	for _, b := range boxes {
		if _, err := b.cgroups(); err == nil {
			pids = append(pids, b.hostPid())
		}
	}
	return pids
}
