package dock

import (
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/stack"
)

// Hops implements [stack.Stack].
func (s *Stack) Hops() []stack.Hop {
	var hops []stack.Hop
	if l := s.edgeLink; l != nil {
		hops = append(hops, s.hop("edge", "toxiproxy", l.entrance(), l.port, l.toxiproxy, controlPort))
	}
	if s.edge != nil {
		hops = append(hops, s.hop("nginx", s.edge.What(), s.edge.box, s.edge.port, s.edge.box, s.edge.port))
	}
	rs := s.living()
	if len(rs) > 0 {
		l := rs[0].link
		hops = append(hops, s.hop("upstream", "toxiproxy", l.entrance(), l.port, l.toxiproxy, controlPort),
			s.hop("app", s.plan.what, rs[0].app, s.plan.port, rs[0].app, s.plan.port))
	}
	if len(hops) > 0 {
		hops[0].Name = "edge" // whatever the chain begins with
	}
	return hops
}

func (s *Stack) hop(name, what string, main *box, port int, control *box, ctlPort int) stack.Hop {
	h := stack.Hop{Name: name, What: what, URL: s.route.url(main, port), Control: s.route.url(control, ctlPort)}
	if s.route.direct && s.route.host != "" {
		h.Dial, h.DialControl = main.inside(port), control.inside(ctlPort)
	}
	return h
}

// Links implements [stack.Stack].
func (s *Stack) Links() []stack.Link {
	var list []stack.Link
	if s.edgeLink != nil {
		list = append(list, s.edgeLink.public())
	}
	for _, r := range s.living() {
		list = append(list, r.link.public())
	}
	return list
}

// Replicas implements [stack.Stack].
func (s *Stack) Replicas() []stack.Replica {
	var list []stack.Replica
	for _, r := range s.living() {
		list = append(list, s.show(r))
	}
	return list
}

// living are the replicas that the chain has now.
func (s *Stack) living() []*replica {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.replicas)
}

// Versions implements [stack.Stack].
func (s *Stack) Versions() map[string]string {
	v := map[string]string{"docker": s.d.version, "toxiproxy": tagOf(s.images.Toxiproxy), "app": s.plan.what,
		"route": s.route.String(), "ryuk": s.d.ryuk, "stack up": s.timingText()}
	if s.edge != nil {
		name, version := s.edge.Version()
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
