package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
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

// A Conf is an nginx configuration that has been parsed.
type Conf struct{ main crossplane.Directives }

// Nginx parses the text of a file, without what it includes: that lies elsewhere, in
// a container's image. It leaves it to nginx to judge what a configuration means,
// and refuses only text that is none at all.
func Nginx(file string, text []byte) (*Conf, error) {
	parsed, err := crossplane.Parse(file, &crossplane.ParseOptions{SingleFile: true, StopParsingOnError: true,
		SkipDirectiveContextCheck: true, SkipDirectiveArgsCheck: true,
		Open: func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }})
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %s", place(file, err))
	}
	c := &Conf{}
	for _, f := range parsed.Config {
		c.main = append(c.main, f.Parsed...)
	}
	return c, nil
}

// place is the parser's message as file:line: what.
func place(file string, err error) string {
	var p *crossplane.ParseError
	if errors.As(err, &p) && p.Line != nil {
		if p.File != nil {
			file = *p.File // one that is included
		}
		return fmt.Sprintf("%s:%d: %s", filepath.Base(file), *p.Line, p.What)
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// For lists what holds for requests of path that nginx of the given version
// ("1.22.1"; "" for an old one) passes on. Where no location passes anything on
// it reads the http block.
func (c *Conf) For(version, path string) map[string]string {
	set := maps.Clone(nginxDefaults)
	set["proxy_http_version"], set["keepalive"] = "1.0", "off"
	if atLeast(version, modernUpstream) {
		set["proxy_http_version"], set["keepalive"] = "1.1", "32"
	}
	chain := route(c.main, path)
	for _, block := range chain {
		for _, d := range block {
			if _, known := set[d.Directive]; known && len(d.Args) > 0 {
				set[d.Directive] = strings.Join(d.Args, " ")
			}
		}
	}
	if up := c.group(pass(chain)); up != nil {
		for _, d := range within(up.Block, "keepalive") {
			set["keepalive"] = strings.Join(d.Args, " ")
		}
	}
	return set
}

// Upstreams lists where requests of path are passed on to, as it is written:
// "app:8000 max_fails=0", also "$backend".
func (c *Conf) Upstreams(path string) []string {
	to := pass(route(c.main, path))
	up := c.group(to)
	if up == nil && to != "" {
		return []string{to}
	}
	var list []string
	if up != nil {
		for _, d := range within(up.Block, "server") {
			if len(d.Args) > 0 {
				list = append(list, strings.Join(d.Args, " "))
			}
		}
	}
	return list
}

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

// route lists the blocks that a request of path is in, the outermost first.
func route(main crossplane.Directives, path string) []crossplane.Directives {
	path, _, _ = strings.Cut(path, "?")
	chain := []crossplane.Directives{main}
	for _, http := range within(main, "http") {
		chain = append(chain, http.Block)
		best, score := []crossplane.Directives(nil), -1
		for _, server := range within(http.Block, "server") {
			for _, way := range ways(server.Block) {
				if s := way.fit(path); s > score {
					best, score = append([]crossplane.Directives{server.Block}, way.blocks...), s
				}
			}
		}
		chain = append(chain, best...)
	}
	return chain
}

// A way is a location that passes requests on, with the locations around it.
type way struct {
	blocks []crossplane.Directives
	prefix string // "" for a regular expression
	exact  bool
}

// ways finds all locations below block that pass requests on.
func ways(block crossplane.Directives) []way {
	var all []way
	for _, l := range within(block, "location") {
		w := way{blocks: []crossplane.Directives{l.Block}}
		if n := len(l.Args); n > 0 && !strings.HasPrefix(l.Args[0], "~") {
			w.prefix, w.exact = l.Args[n-1], l.Args[0] == "="
		}
		if len(within(l.Block, "proxy_pass")) > 0 {
			all = append(all, w)
		}
		for _, inner := range ways(l.Block) {
			inner.blocks = append([]crossplane.Directives{l.Block}, inner.blocks...)
			all = append(all, inner)
		}
	}
	return all
}

// fit is how well a location suits path: the longest prefix wins, an exact match
// before all. One that does not match, or that we cannot tell, is better than
// none: its settings are the likeliest.
func (w way) fit(path string) int {
	switch {
	case w.exact && w.prefix == path:
		return 1 << 20
	case w.prefix != "" && !w.exact && strings.HasPrefix(path, w.prefix):
		return len(w.prefix)
	}
	return 0
}

// pass is what the innermost proxy_pass names, without scheme and path:
// "app:8000".
func pass(chain []crossplane.Directives) string {
	to := ""
	for _, block := range chain {
		for _, d := range within(block, "proxy_pass") {
			to = strings.Join(d.Args, " ")
		}
	}
	if _, rest, ok := strings.Cut(to, "://"); ok {
		to = rest
	}
	to, _, _ = strings.Cut(to, "/")
	return to
}

// group finds the upstream block of that name, nil if it is a plain address.
func (c *Conf) group(name string) *crossplane.Directive {
	for _, http := range within(c.main, "http") {
		for _, up := range within(http.Block, "upstream") {
			if len(up.Args) > 0 && up.Args[0] == name {
				return up
			}
		}
	}
	return nil
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
