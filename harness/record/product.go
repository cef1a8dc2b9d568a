package record

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// An EdgeProduct is the software of an edge by the name that its users know it
// by; "" is one that nothing names.
type EdgeProduct string

// The products that there are fixes for. An edge may be another one, by its name.
const (
	EdgeUnknown    EdgeProduct = ""
	EdgeNginx      EdgeProduct = "nginx"
	EdgeHAProxy    EdgeProduct = "HAProxy"
	EdgeCaddy      EdgeProduct = "Caddy"
	EdgeEnvoy      EdgeProduct = "Envoy"
	EdgeLighttpd   EdgeProduct = "lighttpd"
	EdgeApache     EdgeProduct = "Apache"
	EdgeVarnish    EdgeProduct = "Varnish"
	EdgeTraefik    EdgeProduct = "Traefik"
	EdgeALB        EdgeProduct = "AWS ALB"
	EdgeCloudflare EdgeProduct = "Cloudflare"
)

// EdgeProducts lists the products that there are fixes for.
var EdgeProducts = []EdgeProduct{EdgeNginx, EdgeHAProxy, EdgeCaddy, EdgeEnvoy, EdgeLighttpd, EdgeApache, EdgeVarnish,
	EdgeTraefik, EdgeALB, EdgeCloudflare}

// String is how a sentence calls the edge.
func (p EdgeProduct) String() string {
	if p == EdgeUnknown {
		return "the edge"
	}
	return string(p)
}

// productNames are the names as fields and processes spell them, the more
// telling first: openresty is an nginx, istio runs Envoy.
var productNames = []struct {
	product EdgeProduct
	name    *regexp.Regexp
}{
	{EdgeCloudflare, regexp.MustCompile(`(?i)cloudflare`)},
	{"CloudFront", regexp.MustCompile(`(?i)cloudfront`)},
	{EdgeALB, regexp.MustCompile(`(?i)\bawselb\b`)},
	{"AWS API Gateway", regexp.MustCompile(`(?i)\bapigateway\b`)},
	{EdgeEnvoy, regexp.MustCompile(`(?i)\b(?:istio-)?envoy\b`)},
	{EdgeTraefik, regexp.MustCompile(`(?i)\btraefik\b`)},
	{EdgeHAProxy, regexp.MustCompile(`(?i)\bhaproxy\b`)},
	{EdgeVarnish, regexp.MustCompile(`(?i)\bvarnish(?:d|-v\d)?\b|cache-main`)},
	{EdgeCaddy, regexp.MustCompile(`(?i)\bcaddy\b`)},
	{EdgeLighttpd, regexp.MustCompile(`(?i)\blighttpd\b`)},
	{"Kong", regexp.MustCompile(`(?i)\bkong\b`)},
	{"Akamai", regexp.MustCompile(`(?i)\bakamai`)},
	{"LiteSpeed", regexp.MustCompile(`(?i)\blitespeed\b`)},
	{"the Google load balancer", regexp.MustCompile(`(?i)^1\.1 google$|\bGoogle Frontend\b`)},
	{"the Heroku router", regexp.MustCompile(`(?i)\b(?:vegur|heroku-router)\b`)},
	{"Vercel", regexp.MustCompile(`(?i)\bvercel\b`)},
	{"Fly proxy", regexp.MustCompile(`(?i)\bfly/`)},
	{EdgeNginx, regexp.MustCompile(`(?i)\b(?:nginx|openresty|tengine|angie)\b`)},
	// Tomcat calls itself Apache-Coyote, and is an app.
	{EdgeApache, regexp.MustCompile(`(?i)\bapache2?(?:/|$| \()|^httpd$`)},
}

// ProductNamed finds the product in a text that names it: a Server or Via field,
// the name of a process, the description of a hop.
func ProductNamed(text string) EdgeProduct {
	for _, p := range productNames {
		if text != "" && p.name.MatchString(text) {
			return p.product
		}
	}
	return EdgeUnknown
}

// productFields are response fields that only one product sets.
var productFields = []struct {
	field   string
	product EdgeProduct
}{
	{"Cf-Ray", EdgeCloudflare},
	{"X-Amz-Cf-Id", "CloudFront"},
	{"X-Amz-Apigw-Id", "AWS API Gateway"},
	{"Apigw-Requestid", "AWS API Gateway"},
	{"X-Envoy-Upstream-Service-Time", EdgeEnvoy},
	{"X-Vercel-Id", "Vercel"},
	{"X-Varnish", EdgeVarnish},
	{"X-Kong-Upstream-Latency", "Kong"},
}

// ProductOf finds the edge that a response passed by its fields, and the field
// that gives it away: "Server: nginx/1.22.1". The outermost edge signs last, so
// that Server and fields of its own come before Via, whose last entry is nearest
// to the client (RFC 9110, section 7.6.3).
func ProductOf(fields map[string]string) (p EdgeProduct, sign string) {
	for _, f := range productFields {
		if v, ok := fields[f.field]; ok {
			return f.product, f.field + ": " + v
		}
	}
	via := fields["Via"]
	hops := strings.Split(via, ",")
	for _, by := range slices.Backward(hops) {
		if p = ProductNamed(strings.TrimSpace(by)); p != EdgeUnknown {
			return p, "Via: " + via
		}
	}
	if server := fields["Server"]; ProductNamed(server) != EdgeUnknown {
		return ProductNamed(server), "Server: " + server
	}
	if via != "" {
		return EdgeUnknown, "Via: " + via
	}
	return EdgeUnknown, ""
}

// ProductFields are the names of the response fields that name a product.
func ProductFields() []string {
	names := map[string]bool{"Server": true, "Via": true}
	for _, f := range productFields {
		names[f.field] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// Product is the software of the hop itself, as far as the stack or the process
// that listens there tells.
func (h *Hop) Product() EdgeProduct {
	if p := ProductNamed(h.Process); p != EdgeUnknown {
		return p
	}
	return ProductNamed(h.What)
}

// Attached reports whether the app was named by URL, so that anything may stand
// in front of it.
func (r *Run) Attached() bool { return r.Plan.App.Kind == AppURL }

// AppAlone reports whether the hop "app" of a scenario is the app itself. Where
// we attached to a URL that is so only if it has a hop of its own for the edge.
func (r *Run) AppAlone(scenario string) bool {
	return !r.Attached() || slices.ContainsFunc(r.Hops, func(h Hop) bool {
		return h.Scenario == scenario && (h.Name == ForeignHop || h.Name == NginxHop)
	})
}
