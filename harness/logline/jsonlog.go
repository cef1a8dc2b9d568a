package logline

import (
	"encoding/json"
	"strings"
	"time"
)

// parseJSON reads a line about a request in JSON: Caddy's, Traefik's, Envoy's,
// and any other that names status and path.
func parseJSON(k Kind, line string) (Request, bool) {
	var m map[string]any
	if json.Unmarshal([]byte(line), &m) != nil {
		return Request{}, false
	}
	switch {
	case isCaddyAccess(m):
		return caddyRequest(m), true
	case has(m, "DownstreamStatus"), has(m, "RequestPath"):
		return traefikRequest(m), true
	case has(m, "response_flags"), has(m, "response_code"):
		return envoyRequest(m), true
	}
	return anyRequest(m)
}

func has(m map[string]any, key string) bool { _, ok := m[key]; return ok }

func text(m map[string]any, keys ...string) string {
	for _, k := range keys {
		if s, ok := m[k].(string); ok && s != "" && s != "-" {
			return s
		}
	}
	return ""
}

// num is the number under one of the keys, also where it is written as a string.
func num(m map[string]any, keys ...string) (float64, bool) {
	for _, k := range keys {
		switch x := m[k].(type) {
		case float64:
			return x, true
		case string:
			var f float64
			if json.Unmarshal([]byte(x), &f) == nil {
				return f, true
			}
		}
	}
	return 0, false
}

func isCaddyAccess(m map[string]any) bool {
	_, ok := m["request"].(map[string]any)
	return ok && has(m, "status") && has(m, "duration")
}

// caddyRequest reads Caddy's "handled request". It says nothing of how the answer
// ended: its errors stand in lines of their own.
func caddyRequest(m map[string]any) Request {
	r := blank()
	req := m["request"].(map[string]any) // checked by isCaddyAccess
	r.Path = text(req, "uri")
	r.ID = headerID(req["headers"])
	if r.ID == "" {
		r.ID = headerID(m["resp_headers"])
	}
	if x, ok := num(m, "status"); ok {
		r.Status = int(x)
	}
	if x, ok := num(m, "size"); ok {
		r.Sent = int64(x)
	}
	switch d := m["duration"].(type) {
	case float64:
		r.Took = time.Duration(d * float64(time.Second))
	case string:
		if x, err := time.ParseDuration(d); err == nil {
			r.Took = x
		}
	}
	return r
}

func headerID(h any) string {
	fields, _ := h.(map[string]any)
	for name, v := range fields {
		if !strings.EqualFold(name, "X-Request-ID") {
			continue
		}
		switch v := v.(type) {
		case string:
			return v
		case []any:
			if len(v) > 0 {
				s, _ := v[0].(string)
				return s
			}
		}
	}
	return ""
}

func traefikRequest(m map[string]any) Request {
	r := blank()
	r.Path, r.ID = text(m, "RequestPath"),
		text(m, "request_X-Request-Id", "request_X-Request-ID", "downstream_X-Request-Id")
	if x, ok := num(m, "DownstreamStatus"); ok {
		r.Status = int(x)
	}
	if x, ok := num(m, "DownstreamContentSize"); ok {
		r.Sent = int64(x)
	}
	if x, ok := num(m, "Duration"); ok {
		r.Took = time.Duration(x)
	}
	if r.Status == 499 {
		r.Ended = ClientLeft
	}
	return r
}

func envoyRequest(m map[string]any) Request {
	r := blank()
	r.Path, r.ID = text(m, "path", ":path", "x_envoy_original_path"), text(m, "request_id", "x_request_id", "x-request-id")
	if x, ok := num(m, "response_code"); ok {
		r.Status = int(x)
	}
	if x, ok := num(m, "bytes_sent"); ok {
		r.Sent = int64(x)
	}
	if x, ok := num(m, "duration"); ok {
		r.Took = time.Duration(x) * time.Millisecond
	}
	r.Begun = has(m, "start_time")
	r.setEnvoyFlags(text(m, "response_flags"))
	return r
}

// anyRequest reads an app's or an edge's own JSON, if it names a status and a
// path.
func anyRequest(m map[string]any) (Request, bool) {
	for _, inner := range []string{"req", "request", "http"} { // pino-http, ECS
		if o, ok := m[inner].(map[string]any); ok {
			if p := text(o, "url", "uri", "path"); p != "" && !has(m, "path") {
				m["path"] = p
			}
			if id := headerID(o["headers"]); id != "" && !has(m, "request_id") {
				m["request_id"] = id
			}
		}
	}
	if o, ok := m["res"].(map[string]any); ok && !has(m, "status") {
		if x, ok := num(o, "statusCode", "status"); ok {
			m["status"] = x
		}
	}
	st, ok := num(m, "status", "status_code", "statusCode", "http_status")
	path := text(m, "path", "uri", "request_uri", "url")
	if line := text(m, "request"); path == "" && line != "" {
		path = pathOf(line)
	}
	if !ok || path == "" || st < 100 || st > 599 {
		return Request{}, false
	}
	r := blank()
	r.Path, r.Status, r.ID = path, int(st), text(m, "request_id", "requestId", "x_request_id", "reqId", "correlation_id")
	if x, ok := num(m, "body_bytes_sent", "bytes_sent", "bytes", "size", "response_size"); ok {
		r.Sent = int64(x)
	}
	if x, ok := num(m, "request_time"); ok { // nginx, in seconds
		r.Took = time.Duration(x * float64(time.Second))
	} else if x, ok := num(m, "responseTime", "duration_ms", "latency_ms", "elapsed_ms"); ok {
		r.Took = time.Duration(x * float64(time.Millisecond))
	}
	if text(m, "request_completion") == "OK" {
		r.Ended = Whole
	}
	if r.Status == 499 {
		r.Ended = ClientLeft
	}
	return r, true
}
