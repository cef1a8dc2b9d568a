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
	"strings"
	"text/template"

	"github.com/streamproof/streamproof/harness/stack"
)

// ReadyPath answers 200 with the generation of the configuration, so that a
// reload can be waited for.
const ReadyPath = "/.streamproof/ready"

// LogFormat has what tells who ended a stream, with the client's request ID in place
// of nginx's own: it is the nonce of the stream.
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
	case stack.EdgeStreaming, stack.EdgeDefault, stack.EdgeGzip, stack.EdgeHTTP10, stack.EdgeCache:
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

var conf = template.Must(template.New("nginx.conf").Funcs(template.FuncMap{
	"lane":    func() string { return "$http_" + variable(stack.LaneHeader) },
	"control": func() string { return stack.ControlLane },
	"replica": func() string { return stack.ReplicaHeader },
	"nonce":   func() string { return stack.NonceHeader },
	"ready":   func() string { return ReadyPath },
	"millis":  millis,
	"log":     func() string { return LogFormat },
}).Parse(text))

// variable is a header's name as nginx spells it in $http_….
func variable(header string) string {
	return strings.ToLower(strings.ReplaceAll(header, "-", "_"))
}

// Reasons for what is in the file, in its order: one worker, so that counters
// and pids tell one story; [info], because client aborts and send timeouts are
// logged there; no server is left out for 10 s after one failure, which would be nginx's
// doing and look like the app's, unless nginx's own defaults are asked for; the replica
// header names a replica's main lane whichever lane was taken, so that a client can join
// on it; proxy_http_version is written out because nginx 1.29.7 changed its default.
const text = `daemon off;
worker_processes 1;
{{- with .ShutdownTimeout}}
worker_shutdown_timeout {{millis .}};
{{- end}}
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
{{- if .Cache}}
    proxy_cache_path "{{.Temp}}/cache" keys_zone=streamproof:1m;
{{- end}}
{{- if .Conns}}
    limit_conn_zone $server_port zone=streamproof_conns:1m;
    limit_conn_status 429;
{{- end}}
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
        server {{.Main}}{{$.ServerParameters}};
{{- end}}
{{- if .KeepAlive}}
        keepalive {{.KeepAlive}};
{{- end}}
    }
    upstream control {
{{- range .Upstreams}}
        server {{.Control}}{{$.ServerParameters}};
{{- end}}
{{- if .KeepAlive}}
        keepalive {{.KeepAlive}};
{{- end}}
    }
{{- if .Gzip}}

    gzip on;
    gzip_types text/event-stream application/json application/x-ndjson text/plain;
{{- end}}

    server {
        listen {{.Listen}}{{if .SendTimeout}} sndbuf=16k{{end}};
        location = {{ready}} {
            access_log off;
            return 200 "{{.Generation}}";
        }
        location / {
            proxy_pass http://$streamproof_lane;
            proxy_set_header Host {{if .Host}}"{{.Host}}"{{else}}$http_host{{end}};
            proxy_set_header {{nonce}} $http_x_request_id;
            add_header {{replica}} $streamproof_replica always;
            proxy_http_version {{.UpstreamVersion}};
{{- if eq .UpstreamVersion "1.1"}}
            proxy_set_header Connection "";
{{- end}}
{{- if not .Buffering}}
            proxy_buffering off;
{{- end}}
{{- if .Cache}}
            proxy_cache streamproof;
            proxy_cache_key "$request_method $request_uri";
            proxy_cache_valid 200 1m;
            add_header X-Cache-Status $upstream_cache_status always;
{{- end}}
{{- with .ReadTimeout}}
            proxy_read_timeout {{millis .}};
{{- end}}
{{- with .SendTimeout}}
            send_timeout {{millis .}};
{{- end}}
{{- with .Conns}}
            limit_conn streamproof_conns {{.}};
{{- end}}
        }
    }
}
`
