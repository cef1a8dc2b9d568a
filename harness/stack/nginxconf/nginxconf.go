// Package nginxconf writes the nginx configuration of the chain's edge, as both
// stacks run it.
//
//  1. A [Config] says where nginx listens, which upstreams it has on each lane,
//     and which of the common forms of edge it takes ([stack.EdgeForm]).
//  2. [Config.Render] writes the file: one location, one log format, and a map
//     from the lane header to the upstream group.
//  3. [Config.Settings] lists the same timeouts and buffers for the report,
//     nginx's silent defaults included.
package nginxconf

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// ReadyPath answers 200 with the generation of the configuration, so that a
// reload can be waited for.
const ReadyPath = "/.streamproof/ready"

// LogFormat is TAXONOMY section 3.1, with the client's request ID in place of
// nginx's own: it is the nonce of the stream.
const LogFormat = `$msec $http_x_request_id $status $request_time $body_bytes_sent ` +
	`$upstream_addr $upstream_status $upstream_header_time $upstream_response_time ` +
	`$upstream_bytes_received "$request_completion" "$request"`

// An Upstream is one replica's two addresses, "host:port".
type Upstream struct {
	Main, Control string
}

// A Config is one nginx.conf.
type Config struct {
	stack.Edge
	Listen    string // "127.0.0.1:8080", or a port alone
	Upstreams []Upstream
	// Host is the Host header sent upstream; "" passes the client's on.
	Host string

	AccessLog, ErrorLog, Pid string // paths
	Temp                     string // folder for bodies that nginx spools
	// User is the account of the workers; "" leaves nginx's own choice, which
	// cannot write to a private folder when nginx was started by root.
	User string
	// Connections is worker_connections; a stream takes two. 0 means 4096.
	Connections int
	// Generation is told by [ReadyPath].
	Generation int
}

// defaultReadTimeout is nginx's proxy_read_timeout where the file is silent.
const defaultReadTimeout = 60 * time.Second

// connections is enough for 2,000 streams and their probes.
const connections = 4096

// Render writes the file. It refuses a form that it does not know, and a value
// that would end a directive early.
func (c Config) Render() ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Connections == 0 {
		c.Connections = connections
	}
	var b bytes.Buffer
	if err := conf.Execute(&b, c); err != nil {
		return nil, fmt.Errorf("render nginx.conf: %w", err)
	}
	return b.Bytes(), nil
}

func (c Config) check() error {
	switch c.Form {
	case stack.EdgeStreaming, stack.EdgeDefault, stack.EdgeGzip:
	default:
		return fmt.Errorf("render nginx.conf: unknown edge form %q", c.Form)
	}
	if len(c.Upstreams) == 0 {
		return fmt.Errorf("render nginx.conf: no upstream")
	}
	for _, value := range []string{c.Listen, c.Host, c.AccessLog, c.ErrorLog, c.Pid, c.Temp, c.User} {
		if strings.ContainsAny(value, "\"$;{}\n\\") {
			return fmt.Errorf("render nginx.conf: %q cannot be written in it", value)
		}
	}
	return nil
}

// Streaming reports whether the form is set up for streams.
func (c Config) Streaming() bool { return c.Form == stack.EdgeStreaming }

// Gzip reports whether the form compresses.
func (c Config) Gzip() bool { return c.Form == stack.EdgeGzip }

// ReadTimeoutMS is proxy_read_timeout in nginx's own units.
func (c Config) ReadTimeoutMS() string {
	return strconv.FormatInt(max(c.ReadTimeout.Milliseconds(), 1), 10) + "ms"
}

// Settings lists the timeouts and buffers that decide the fate of a stream.
func (c Config) Settings() map[string]string {
	read := c.ReadTimeout
	if read == 0 {
		read = defaultReadTimeout
	}
	s := map[string]string{
		"proxy_read_timeout":      read.String(),
		"proxy_send_timeout":      "60s",
		"proxy_connect_timeout":   "60s",
		"send_timeout":            "60s",
		"proxy_http_version":      "1.0",
		"proxy_buffering":         "on",
		"proxy_buffers":           "8 4k|8k",
		"proxy_next_upstream":     "error timeout",
		"gzip":                    "off",
		"worker_shutdown_timeout": "none",
	}
	if c.Streaming() {
		s["proxy_http_version"], s["proxy_buffering"] = "1.1", "off"
	}
	if c.Gzip() {
		s["gzip"] = "on"
	}
	return s
}

var conf = template.Must(template.New("nginx.conf").Funcs(template.FuncMap{
	"lane":    func() string { return "$http_" + variable(stack.LaneHeader) },
	"control": func() string { return stack.ControlLane },
	"replica": func() string { return stack.ReplicaHeader },
	"nonce":   func() string { return stack.NonceHeader },
	"ready":   func() string { return ReadyPath },
	"log":     func() string { return LogFormat },
}).Parse(text))

// variable is a header's name as nginx spells it in $http_….
func variable(header string) string {
	return strings.ToLower(strings.ReplaceAll(header, "-", "_"))
}

// Reasons for what is in the file, in its order: one worker, so that counters
// and pids tell one story; [info], because client aborts and send timeouts are
// logged there (TAXONOMY finding 9); the replica header names a replica's main
// lane whichever lane was taken, so that a client can join on it;
// proxy_http_version is written out because nginx 1.29.7 changed its default.
const text = `daemon off;
worker_processes 1;
{{- with .User}}
user {{.}};
{{- end}}
pid "{{.Pid}}";
error_log "{{.ErrorLog}}" info;
events {
    worker_connections {{.Connections}};
}
http {
    log_format streamproof '{{log}}';
    access_log "{{.AccessLog}}" streamproof;
    client_body_temp_path "{{.Temp}}/body";
    proxy_temp_path "{{.Temp}}/proxy";
    fastcgi_temp_path "{{.Temp}}/fastcgi";
    uwsgi_temp_path "{{.Temp}}/uwsgi";
    scgi_temp_path "{{.Temp}}/scgi";
    default_type application/octet-stream;

    map {{lane}} $streamproof_lane {
        default main;
        {{control}} control;
    }
    map $upstream_addr $streamproof_replica {
        default $upstream_addr;
{{- range .Upstreams}}{{if ne .Main .Control}}
        "{{.Control}}" "{{.Main}}";
{{- end}}{{end}}
    }
    upstream main {
{{- range .Upstreams}}
        server {{.Main}};
{{- end}}
    }
    upstream control {
{{- range .Upstreams}}
        server {{.Control}};
{{- end}}
    }
{{- if .Gzip}}

    gzip on;
    gzip_types text/event-stream application/json application/x-ndjson text/plain;
{{- end}}

    server {
        listen {{.Listen}};
        location = {{ready}} {
            access_log off;
            return 200 "{{.Generation}}";
        }
        location / {
            proxy_pass http://$streamproof_lane;
            proxy_set_header Host {{if .Host}}"{{.Host}}"{{else}}$http_host{{end}};
            proxy_set_header {{nonce}} $http_x_request_id;
            add_header {{replica}} $streamproof_replica always;
{{- if .Streaming}}
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
{{- else}}
            proxy_http_version 1.0;
{{- end}}
{{- if .ReadTimeout}}
            proxy_read_timeout {{.ReadTimeoutMS}};
{{- end}}
        }
    }
}
`
