package diagnose

import (
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// An edge is what stands between the client and the app.
type edge struct {
	known   bool // we started it, or know that there is none
	there   bool
	old     bool // speaks HTTP/1.0 to the app, so that the close ends every body: it launders
	buffers bool
	gzip    bool
	timeout time.Duration // between two reads; 0 if unknown
	name    string
}

// edgeOf reads the scenario's form, corrected by the settings that the stack
// found, and where neither says anything by the responses' own words.
func edgeOf(s *verdict.Scope) edge {
	form := s.Scenario.Edge
	e := edge{name: "nginx", known: form != "" && !attached(s.Run)}
	switch {
	case strings.Contains(form, "gzip"):
		e.there, e.old, e.buffers, e.gzip = true, true, true, true
	case strings.Contains(form, "default"):
		e.there, e.old, e.buffers = true, true, true
	case form != "" && form != "none":
		e.there = true
	}
	if v := settings(s, "nginx", "proxy_http_version"); v != "" {
		e.there, e.known, e.old = true, true, v == "1.0"
	}
	if v := settings(s, "nginx", "proxy_buffering"); v != "" {
		e.buffers = v == "on"
	}
	e.timeout = lasting(settings(s, "nginx", "proxy_read_timeout"))
	if !e.known {
		e.there = e.there || foreignEdge(s)
	}
	return e
}

// attached reports whether the app was named by URL, so that anything may stand
// in front of it.
func attached(run *record.Run) bool {
	return strings.HasPrefix(run.Plan.App, "http://") || strings.HasPrefix(run.Plan.App, "https://")
}

// foreignEdge looks for the marks of a proxy that we did not start.
func foreignEdge(s *verdict.Scope) bool {
	for i := range s.Streams {
		h := s.Streams[i].Header
		server := strings.ToLower(h["Server"])
		if h["Via"] != "" || strings.Contains(server, "nginx") || strings.Contains(server, "cloudflare") ||
			strings.Contains(server, "envoy") || strings.Contains(server, "apache") {
			return true
		}
	}
	return false
}

// passed reports whether the stream went through the edge.
func (e edge) passed(g *verdict.Graded) bool {
	return e.there && (g.Hop == "edge" || g.Hop == "nginx")
}

// mayPass is passed where we do not know what stands in front of the app.
func (e edge) mayPass(g *verdict.Graded) bool {
	return e.passed(g) || !e.known && g.Hop != "app" && g.Hop != "upstream"
}
