package settings

import (
	"slices"
	"strconv"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// nginxDefaults are the directives that decide the fate of a stream, with what
// holds where the file is silent (nginx.org, modules http_core, http_proxy,
// http_gzip and core).
var nginxDefaults = map[string]string{
	"proxy_connect_timeout":       "60s",
	"proxy_send_timeout":          "60s",
	"proxy_read_timeout":          "60s",
	"send_timeout":                "60s",
	"client_body_timeout":         "60s",
	"keepalive_timeout":           "75s",
	"worker_shutdown_timeout":     "none",
	"proxy_buffering":             "on",
	"proxy_buffer_size":           "4k|8k",
	"proxy_buffers":               "8 4k|8k",
	"proxy_max_temp_file_size":    "1024m",
	"proxy_next_upstream":         "error timeout",
	"proxy_ignore_client_abort":   "off",
	"proxy_cache":                 "off",
	"chunked_transfer_encoding":   "on",
	"gzip":                        "off",
	"gzip_types":                  "text/html",
	"limit_rate":                  "0",
	"proxy_http_version":          "", // by version
	"keepalive":                   "", // by version; of the upstream
	"proxy_ignore_headers":        "none",
	"reset_timedout_connection":   "off",
	"proxy_request_buffering":     "on",
	"proxy_next_upstream_timeout": "0",
}

// modernUpstream is the version whose proxy speaks HTTP/1.1 and keeps its
// connections unless told otherwise (nginx CHANGES).
var modernUpstream = []int{1, 29, 7}

// family is a module that passes requests on, and what of the directives of
// ngx_http_proxy_module it does not have under its own name.
type family struct {
	name  string
	lacks []string
}

// families of ngx_http_proxy_module. gRPC is never buffered (ngx_http_grpc_module).
var families = []family{
	{name: "proxy"},
	{name: "grpc", lacks: []string{"buffering", "buffers", "max_temp_file_size", "ignore_client_abort", "cache",
		"request_buffering", "http_version"}},
	{name: "fastcgi", lacks: []string{"http_version"}},
	{name: "uwsgi", lacks: []string{"http_version"}},
	{name: "scgi", lacks: []string{"http_version"}},
}

// silent is what holds for the family where a configuration says nothing, by an nginx
// of the given version ("1.22.1"; "" for an old one).
func (f family) silent(version string) map[string]string {
	set := map[string]string{}
	for name, value := range nginxDefaults {
		rest, own := strings.CutPrefix(name, "proxy_")
		switch {
		case !own:
			set[name] = value
		case !slices.Contains(f.lacks, rest):
			set[f.name+"_"+rest] = value
		}
	}
	if f.name != "proxy" && f.name != "grpc" {
		delete(set, "keepalive") // which needs more than a pool there
		return set
	}
	set["keepalive"] = "off"
	modern := atLeast(version, modernUpstream)
	if modern {
		set["keepalive"] = "32"
	}
	if f.name == "proxy" {
		set["proxy_http_version"] = "1.0"
		if modern {
			set["proxy_http_version"] = "1.1"
		}
	}
	return set
}

// For lists what holds for requests of path that nginx of the given version
// ("1.22.1"; "" for an old one) passes on, by the names of the module that does so:
// fastcgi_read_timeout where fastcgi_pass does. Where nothing passes them on it reads
// what surrounds. Where it cannot be told which location nginx takes, all that is
// said is why, as "unknown".
func (c *Conf) For(version, path string) map[string]string {
	r := c.route(path)
	if r.unknown != "" {
		return map[string]string{"unknown": r.unknown}
	}
	set := r.family.silent(version)
	for _, block := range r.blocks {
		for _, d := range block {
			if _, known := set[d.Directive]; known && len(d.Args) > 0 {
				set[d.Directive] = strings.Join(d.Args, " ")
			}
		}
	}
	if _, known := set["keepalive"]; known && r.group != nil {
		for _, d := range within(r.group.Block, "keepalive") {
			set["keepalive"] = strings.Join(d.Args, " ")
		}
	}
	return set
}

// Upstreams lists where requests of path are passed on to, as it is written, with
// variables in their place where the configuration itself sets them: "app:8000
// max_fails=0", also "$backend".
func (c *Conf) Upstreams(path string) []string {
	r := c.route(path)
	if r.group == nil && r.to != "" {
		return []string{r.to}
	}
	var list []string
	if r.group != nil {
		for _, d := range within(r.group.Block, "server") {
			if len(d.Args) > 0 {
				list = append(list, strings.Join(d.Args, " "))
			}
		}
	}
	return list
}

// Protocol is what nginx speaks to the upstream of path, by the module that passes its
// requests on: "proxy" for HTTP, "grpc", "fastcgi", "uwsgi" or "scgi"; "" where nothing
// passes them on, or where it cannot be told.
func (c *Conf) Protocol(path string) string {
	if r := c.route(path); r.to != "" && r.unknown == "" {
		return r.family.name
	}
	return ""
}

// Anew reports whether nginx looks up the name of the upstream for each request of
// path, as it does where a variable stands in it, and not once when it starts.
func (c *Conf) Anew(path string) bool { r := c.route(path); return r.anew && r.group == nil }

// Unknown says why it cannot be told how requests of path are served; "" where it can.
func (c *Conf) Unknown(path string) string { return c.route(path).unknown }

// Daemon reports whether the configuration says itself whether nginx goes into
// the background.
func (c *Conf) Daemon() bool { return len(within(c.main, "daemon")) > 0 }

// Port is where the first server listens that speaks plain HTTP, nginx's own
// default where none says so.
func (c *Conf) Port() int {
	for _, http := range within(c.main, "http") {
		for _, server := range within(http.Block, "server") {
			for _, l := range within(server.Block, "listen") {
				if port := listenPort(l.Args); port != 0 {
					return port
				}
			}
		}
	}
	return httpPort
}

// httpPort is nginx's own default for root.
const httpPort = 80

// listenPort reads "80", "0.0.0.0:80" or "[::]:80"; 0 for TLS, UDP and sockets.
func listenPort(args []string) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "unix:") {
		return 0
	}
	for _, a := range args[1:] {
		if a == "ssl" || a == "quic" || a == "udp" {
			return 0
		}
	}
	port, err := strconv.Atoi(args[0][strings.LastIndexByte(args[0], ':')+1:])
	if err != nil {
		return httpPort // an address alone
	}
	return port
}

func within(block crossplane.Directives, name string) []*crossplane.Directive {
	var found []*crossplane.Directive
	for _, d := range block {
		if d.Directive == name {
			found = append(found, d)
		}
	}
	return found
}

// atLeast compares a version like "1.29.7" with one that is wanted. A version
// that cannot be read is an old one.
func atLeast(version string, want []int) bool {
	var got []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		got = append(got, n)
	}
	return slices.Compare(got, want) >= 0
}
