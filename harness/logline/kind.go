package logline

import (
	"slices"
	"strings"
)

// A Kind says whose log a file is and how to read it.
type Kind string

// The kinds. An edge with one log for all has one kind.
const (
	NginxAccess    Kind = "nginx_access"
	NginxError     Kind = "nginx_error"
	HAProxy        Kind = "haproxy"
	Caddy          Kind = "caddy"
	Envoy          Kind = "envoy"
	Traefik        Kind = "traefik"
	ApacheAccess   Kind = "apache_access"
	ApacheError    Kind = "apache_error"
	LighttpdAccess Kind = "lighttpd_access"
	LighttpdError  Kind = "lighttpd_error"
	Varnish        Kind = "varnish" // varnishncsa or varnishlog
	Access         Kind = "access"  // lines about requests, nobody knows whose
	App            Kind = "app"     // the app, its server and its process manager
	Kubernetes     Kind = "kubernetes"
	Proxy          Kind = "proxy"     // anything else on the way
	NoLog          Kind = "not a log" // a configuration, a program
)

// Kinds lists those that a user can name, in the order of the help.
var Kinds = []Kind{App, NginxAccess, NginxError, HAProxy, Caddy, Envoy, Traefik, ApacheAccess, ApacheError,
	LighttpdAccess, LighttpdError, Varnish, Access, Kubernetes, Proxy}

// appNames are other names for the log of the app, by the software that writes it.
var appNames = []string{"gunicorn", "uvicorn", "hypercorn", "php_fpm", "php-fpm", "puma", "passenger", "node", "java",
	"jvm", "go"}

// Named finds the kind that a user calls by name. A product with two kinds of logs
// leaves it to the content, and Named returns "" and true.
func Named(name string) (k Kind, ok bool) {
	name = strings.ToLower(name)
	switch {
	case slices.Contains(Kinds, Kind(name)):
		return Kind(name), true
	case slices.Contains(appNames, name):
		return App, true
	case name == "nginx", name == "apache", name == "lighttpd", name == "auto":
		return "", true
	}
	return "", false
}

// Edge reports whether an edge or another hop on the way writes such logs.
func (k Kind) Edge() bool {
	switch k {
	case App, Access, Kubernetes, NoLog, Proxy, "":
		return false
	}
	return true
}

// Requests reports whether the log has a line for each request.
func (k Kind) Requests() bool {
	switch k {
	case NginxAccess, HAProxy, Caddy, Envoy, Traefik, ApacheAccess, LighttpdAccess, Varnish, Access:
		return true
	}
	return false
}

// Errors reports whether the log says what went wrong on the way to the app: its
// silence can mean something.
func (k Kind) Errors() bool {
	switch k {
	case NginxError, ApacheError, LighttpdError, HAProxy, Envoy, Caddy:
		return true
	}
	return false
}

// product is the software that writes such logs, as its users call it.
var products = map[Kind]string{
	NginxAccess: "nginx", NginxError: "nginx", HAProxy: "HAProxy", Caddy: "Caddy", Envoy: "Envoy", Traefik: "Traefik",
	ApacheAccess: "Apache", ApacheError: "Apache", LighttpdAccess: "lighttpd", LighttpdError: "lighttpd",
	Varnish: "Varnish",
}

// Product is the software of an edge that writes such logs, "" for others.
func (k Kind) Product() string { return products[k] }

// String is how the kind is written in flags and files.
func (k Kind) String() string { return string(k) }
