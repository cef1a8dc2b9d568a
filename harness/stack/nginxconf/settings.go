package nginxconf

import (
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/stack"
)

// defaultTimeout is nginx's for reading from the app and sending to the client
// where the file is silent.
const defaultTimeout = 60 * time.Second

// UpstreamVersion is the HTTP version that the form talks to the app.
func (c Config) UpstreamVersion() string {
	if c.Form == stack.EdgeStreaming || c.Form == stack.EdgeCache {
		return "1.1"
	}
	return "1.0"
}

// Buffering reports whether the form collects what the app sends, unless the app
// says X-Accel-Buffering: no.
func (c Config) Buffering() bool {
	return c.Form != stack.EdgeStreaming && c.Form != stack.EdgeHTTP10
}

// Gzip reports whether the form compresses.
func (c Config) Gzip() bool { return c.Form == stack.EdgeGzip }

// ServerParameters stand behind each server of the upstream. A lone one needs none: nginx
// never leaves it out (ngx_http_upstream_module, max_fails).
func (c Config) ServerParameters() string {
	if c.Form == stack.EdgeDefault || len(c.Upstreams) < 2 {
		return ""
	}
	return " max_fails=0"
}

// Cache reports whether the form stores answers.
func (c Config) Cache() bool { return c.Form == stack.EdgeCache }

// millis writes a time in nginx's own units, at least one of them: 0 would mean
// something else.
func millis(d time.Duration) string {
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}

// Settings lists the timeouts and buffers that decide the fate of a stream.
func (c Config) Settings() map[string]string {
	s := map[string]string{
		"proxy_read_timeout":      orDefault(c.ReadTimeout).String(),
		"proxy_send_timeout":      "60s",
		"proxy_connect_timeout":   "60s",
		"send_timeout":            orDefault(c.SendTimeout).String(),
		"proxy_http_version":      c.UpstreamVersion(),
		"proxy_buffering":         onOff(c.Buffering()),
		"proxy_buffers":           "8 4k|8k",
		"proxy_next_upstream":     "error timeout",
		"gzip":                    onOff(c.Gzip()),
		"worker_shutdown_timeout": "none",
	}
	if c.ShutdownTimeout > 0 {
		s["worker_shutdown_timeout"] = c.ShutdownTimeout.String()
	}
	if c.Cache() {
		s["proxy_cache"] = "on, by method and URI"
	}
	if c.KeepAlive > 0 {
		s["keepalive"] = strconv.Itoa(c.KeepAlive)
	}
	if c.Conns > 0 {
		s["limit_conn"] = strconv.Itoa(c.Conns)
	}
	return s
}

func orDefault(d time.Duration) time.Duration {
	if d == 0 {
		return defaultTimeout
	}
	return d
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
