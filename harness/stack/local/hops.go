package local

import (
	"github.com/streamproof/streamproof/harness/stack"
)

// Hops implements [stack.Stack].
func (c *Stack) Hops() []stack.Hop {
	net := "toxiproxy " + c.versions["toxiproxy"]
	if c.spec.Strikes {
		net = "relay and " + net
	}
	hops := []stack.Hop{c.throughLink("edge", net, c.edgeLink, c.edge == nil)}
	if c.edge != nil {
		if c.edgeLink.bare == "" {
			hops = append(hops, at("nginx", c.edge.What(), c.edge.addr()))
		}
		if links := c.upstreamLinks(); len(links) > 0 && links[0].bare == "" {
			hops = append(hops, c.throughLink("upstream", net, links[0], true))
		}
	}
	if c.spec.App.URL != "" {
		return append(hops, stack.Hop{Name: "app", What: "app", URL: c.remote.Base, Control: c.remote.Base})
	}
	if replicas := c.all(); len(replicas) > 0 {
		hops = append(hops, at("app", c.appWhat(), replicas[0].addr()))
	}
	return hops
}

// throughLink is the hop that enters the chain at a link. One that leads straight
// to a URL keeps that URL's name, and only the connection goes elsewhere.
func (c *Stack) throughLink(name, what string, l *link, direct bool) stack.Hop {
	switch {
	case l.bare == "":
	case !direct:
		return at(name, c.edge.What(), l.bare)
	case c.spec.App.URL != "":
		return stack.Hop{Name: name, What: "app", URL: c.remote.Base, Control: c.remote.Base}
	default:
		return at(name, c.appWhat(), l.bare)
	}
	if direct && c.spec.App.URL != "" {
		return stack.Hop{Name: name, What: what, URL: c.remote.Base, Control: c.remote.Base,
			Dial: l.addr(), DialControl: l.controlAddr()}
	}
	h := at(name, what, l.addr())
	h.Control = "http://" + l.controlAddr()
	return h
}

func at(name, what, addr string) stack.Hop {
	return stack.Hop{Name: name, What: what, URL: "http://" + addr, Control: "http://" + addr}
}

func (c *Stack) appWhat() string {
	if c.spec.App.Origin != nil {
		return "origin"
	}
	return "command " + c.spec.App.Command[0]
}

// Links implements [stack.Stack].
func (c *Stack) Links() []stack.Link {
	var links []stack.Link
	for _, l := range append([]*link{c.edgeLink}, c.upstreamLinks()...) {
		if l.bare == "" {
			links = append(links, l.public())
		}
	}
	return links
}

// Replicas implements [stack.Stack].
func (c *Stack) Replicas() []stack.Replica {
	var list []stack.Replica
	for _, r := range c.all() {
		s := stack.Replica{Name: r.name, Addr: r.addr(), URL: "http://" + r.addr()}
		if r.link != nil {
			s.Addr, s.Control = r.link.addr(), r.link.controlAddr()
		}
		list = append(list, s)
	}
	return list
}

// Versions implements [stack.Stack].
func (c *Stack) Versions() map[string]string { return c.versions }

// Layers implements [stack.Stack].
func (c *Stack) Layers() []stack.Layer {
	layers := c.spec.Balancer()
	if len(c.Links()) > 0 {
		passes := map[string]string{"reset from behind it": "passed on as FIN"}
		layers = append(layers, stack.Layer{Name: "toxiproxy", Settings: passes})
	}
	if c.edge != nil {
		layers = append(layers, c.edge.Layer())
	}
	if replicas := c.all(); len(replicas) > 0 {
		layers = append(layers, appLayers(replicas[0])...)
	}
	return layers
}

// HostPids implements [stack.Hosted]: the guards, below which all runs that we
// started.
func (c *Stack) HostPids() (pids []int) {
	if n, ok := c.edge.(*nginx); ok && n.proc != nil {
		pids = append(pids, n.proc.guard.Process.Pid)
	}
	for _, r := range c.all() {
		r.mu.Lock()
		if r.proc != nil {
			pids = append(pids, r.proc.guard.Process.Pid)
		}
		r.mu.Unlock()
	}
	return pids
}
