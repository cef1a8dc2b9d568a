package dock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	crossplane "github.com/nginxinc/nginx-go-crossplane"
)

// A userConf is what we need to know of a user's nginx.conf.
type userConf struct {
	port       int  // where its first plain server listens
	foreground bool // it says itself that nginx does not go into the background
	settings   map[string]string
	text       []byte
}

// layerDirectives are the timeouts and buffers that decide the fate of a
// stream.
var layerDirectives = []string{"proxy_read_timeout", "proxy_send_timeout", "proxy_connect_timeout", "send_timeout",
	"proxy_http_version", "proxy_buffering", "proxy_buffers", "proxy_next_upstream", "proxy_ignore_client_abort",
	"proxy_cache", "gzip", "gzip_types", "worker_shutdown_timeout", "keepalive_timeout", "limit_rate"}

// readOwnConf reads the user's nginx.conf, if there is one, before anything
// starts.
func readOwnConf(path string) (*userConf, error) {
	if path == "" {
		return nil, nil
	}
	return readUserConf(path)
}

// readUserConf parses a file for its port and settings. What it means is nginx's
// to judge; only text that is no nginx configuration at all is refused here.
func readUserConf(path string) (*userConf, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %w", err)
	}
	parsed, err := crossplane.Parse(path, &crossplane.ParseOptions{SingleFile: true, StopParsingOnError: true,
		SkipDirectiveContextCheck: true, SkipDirectiveArgsCheck: true})
	if err != nil {
		return nil, fmt.Errorf("read nginx.conf: %s", confError(path, err))
	}
	c := &userConf{text: data, settings: map[string]string{"configuration": filepath.Base(path)}}
	for _, file := range parsed.Config {
		c.walk(file.Parsed)
	}
	if c.port == 0 {
		c.port = nginxPort // nginx's own default for root
	}
	return c, nil
}

// confError is the parser's message as file:line: what.
func confError(path string, err error) string {
	var p *crossplane.ParseError
	if errors.As(err, &p) && p.Line != nil {
		return fmt.Sprintf("%s:%d: %s", filepath.Base(path), *p.Line, p.What)
	}
	return oneLine(err.Error())
}

func (c *userConf) walk(block crossplane.Directives) {
	for _, d := range block {
		switch {
		case d.Directive == "daemon":
			c.foreground = true
		case d.Directive == "listen" && c.port == 0:
			c.port = listenPort(d.Args)
		}
		for _, name := range layerDirectives {
			if d.Directive == name {
				c.note(name, strings.Join(d.Args, " "))
			}
		}
		c.walk(d.Block)
	}
}

// note keeps all values of a directive that several places set.
func (c *userConf) note(name, value string) {
	if before, ok := c.settings[name]; ok && before != value {
		value = before + " | " + value
	}
	c.settings[name] = value
}

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
		return nginxPort // an address alone
	}
	return port
}
