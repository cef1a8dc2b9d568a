package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An edge is what stands between the client and the app.
type edge struct {
	known   bool // we started it, or know that there is none
	there   bool
	old     bool // speaks HTTP/1.0 to the app, so that the close ends every body: it launders
	buffers bool
	gzip    bool
	timeout time.Duration      // between two reads; 0 if unknown
	product record.EdgeProduct // whose software it is; "" if nothing tells
	sign    string             // what one that is not ours shows itself by: a response field, a process
}

// edgeOf reads the scenario's form, corrected by the settings that the stack
// found, and where neither says anything what the responses, the hops and the
// logs call it.
func edgeOf(s *verdict.Scope) edge {
	form := s.Scenario.Edge
	e := edge{known: form != "" && !s.Run.Attached()}
	switch {
	case form == string(stack.EdgeGzip):
		e.there, e.old, e.buffers, e.gzip = true, true, true, true
	case form == string(stack.EdgeDefault):
		e.there, e.old, e.buffers = true, true, true
	case form != "" && form != string(stack.EdgeNone):
		e.there = true
	}
	if v := settings(s, "nginx", "proxy_http_version"); v != "" {
		e.there, e.known, e.old = true, true, v == "1.0"
	}
	for _, module := range []string{"proxy", "fastcgi", "uwsgi", "scgi", "grpc"} {
		if v := settings(s, "nginx", module+"_read_timeout"); v != "" {
			e.there, e.known, e.timeout = true, true, lasting(v)
		}
		if v := settings(s, "nginx", module+"_buffering"); v != "" {
			e.buffers = v == "on"
		}
	}
	if e.known && s.Run.Attached() { // ours stands before one that we do not know
		e.product = s.ListeningProduct()
		return e
	}
	if e.known {
		if e.there && !hasLayer(s, "go httputil edge") {
			e.product = record.EdgeNginx
		}
		return e
	}
	if appListens(s) {
		e.known = true
		return e
	}
	e.product, e.sign = s.EdgeProduct()
	e.there = e.there || e.sign != "" || s.Run.Attached() && s.Run.AppAlone(s.Scenario.ID)
	return e
}

// appListens reports whether what listens at the URL that we attached to is a
// server of apps itself, so that no edge stands in front of it.
func appListens(s *verdict.Scope) bool {
	if !s.Run.Attached() || s.Run.AppAlone(s.Scenario.ID) {
		return false
	}
	return slices.ContainsFunc(s.Run.Hops, func(h record.Hop) bool {
		return h.Scenario == s.Scenario.ID && record.ServesApps(h.Process)
	})
}

func hasLayer(s *verdict.Scope, name string) bool {
	return slices.ContainsFunc(s.Scenario.Layers, func(l record.Layer) bool { return l.Name == name })
}

// noSign is what speaks against an edge that we would not know of.
func (v *view) noSign() fact { return fact{Kind: FactNoSign, Name: v.serverField()} }

// passed reports whether the stream went through the edge.
func (e edge) passed(g *verdict.Graded) bool {
	return e.there && (g.Hop == edgeHop || g.Hop == foreignHop || g.Hop == nginxHop)
}

// mayPass is passed where we do not know what stands in front of the app.
func (e edge) mayPass(g *verdict.Graded) bool {
	return e.passed(g) || !e.known && g.Hop != appHop && g.Hop != upstreamHop
}

// mayLaunder reports whether the edge can make a clean end of its upstream's
// death: HAProxy never does.
func (e edge) mayLaunder() bool {
	return e.old || !e.known && e.product != record.EdgeHAProxy
}
