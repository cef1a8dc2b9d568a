package diagnose

import (
	"regexp"
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
	sign    string // the response field by which one that is not ours shows
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
		e.sign = foreignEdge(s)
		e.there = e.there || e.sign != ""
	}
	return e
}

// attached reports whether the app was named by URL, so that anything may stand
// in front of it.
func attached(run *record.Run) bool {
	return strings.HasPrefix(run.Plan.App, "http://") || strings.HasPrefix(run.Plan.App, "https://")
}

// proxies are what edges call themselves in a Server field.
var proxies = regexp.MustCompile(`(?i)nginx|openresty|cloudflare|cloudfront|envoy|apache|caddy|haproxy|varnish|traefik|awselb|akamai|litespeed`)

// foreignEdge looks for the mark of a proxy that we did not start: the field that
// betrays it, or "".
func foreignEdge(s *verdict.Scope) string {
	for i := range s.Streams {
		h := s.Streams[i].Header
		switch {
		case h["Via"] != "":
			return "Via: " + h["Via"]
		case proxies.MatchString(h["Server"]):
			return "Server: " + h["Server"]
		}
	}
	return ""
}

// noSign says what speaks against an edge that we would not know of.
func (v *view) noSign() string {
	if s := v.serverField(); s != "" {
		return "no Via field, and Server is " + s
	}
	return "no Via field and no Server field of a proxy"
}

// passed reports whether the stream went through the edge.
func (e edge) passed(g *verdict.Graded) bool {
	return e.there && (g.Hop == "edge" || g.Hop == "nginx")
}

// mayPass is passed where we do not know what stands in front of the app.
func (e edge) mayPass(g *verdict.Graded) bool {
	return e.passed(g) || !e.known && g.Hop != "app" && g.Hop != "upstream"
}
