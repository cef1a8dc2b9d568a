package lint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamproof/streamproof/harness/lint"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/reports"
)

func layer(name string, pairs ...string) record.Layer {
	l := record.Layer{Name: name, Settings: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		l.Settings[pairs[i]] = pairs[i+1]
	}
	return l
}

var (
	nginx    = layer("nginx", "proxy_read_timeout", "60s", "worker_shutdown_timeout", "none", "keepalive", "off")
	gunicorn = layer("gunicorn", "timeout", "30", "graceful_timeout", "30", "worker_class",
		"uvicorn.workers.UvicornWorker", "workers", "1", "max_requests", "0")
	ours = map[string]string{"gap": "10s", "total": "5m0s", "connect": "5s", "headers": "30s"}
)

// with is l with settings changed.
func with(l record.Layer, pairs ...string) record.Layer {
	changed := layer(l.Name, pairs...)
	for k, v := range l.Settings {
		if _, ok := changed.Settings[k]; !ok {
			changed.Settings[k] = v
		}
	}
	return changed
}

const sec = time.Second

// TestCheck holds each warning against the setting that calls for it, and against
// the one next to it that does not.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name   string
		layers []record.Layer
		load   lint.Load
		want   string // "layer setting"; "" for no warning
		why    string
	}{
		{"all is well", []record.Layer{nginx, gunicorn}, lint.Load{Longest: 8 * sec, Silence: sec, Streams: 20}, "", ""},
		{"nothing is known", []record.Layer{nginx, gunicorn}, lint.Load{}, "", ""},
		{"pause above the read timeout", []record.Layer{with(nginx, "proxy_read_timeout", "2s")}, lint.Load{Silence: 4 * sec},
			"nginx proxy_read_timeout 2s", "silent for 4s"},
		{"an ingress that ends what users are sent", []record.Layer{layer("ingress chat", "proxy-read-timeout", "5")},
			lint.Load{Quiet: 8 * sec}, "ingress chat proxy-read-timeout 5s", "which these streams did not pass"},
		{"an ingress with the time of its documentation",
			[]record.Layer{layer("ingress chat", "proxy-read-timeout (default)", "60")},
			lint.Load{Quiet: 70 * sec}, "ingress chat proxy-read-timeout (default) 1m0s", "without a byte"},
		{"an ingress that waits", []record.Layer{layer("ingress chat", "timeout-server", "50s")},
			lint.Load{Quiet: 8 * sec}, "", ""},
		{"an ingress of which nothing is known", []record.Layer{layer("ingress chat", "class", "traefik")},
			lint.Load{Quiet: 80 * sec}, "", ""},
		{"an ingress that buffers", []record.Layer{layer("ingress chat", "proxy-buffering", "on")}, lint.Load{},
			"ingress chat proxy-buffering on", "collects responses"},
		{"pause below it", []record.Layer{with(nginx, "proxy_read_timeout", "5000ms")}, lint.Load{Silence: 4 * sec}, "", ""},
		{"the scenario's own read timeout", []record.Layer{with(nginx, "proxy_read_timeout", "2s")},
			lint.Load{Silence: 4 * sec, OwnReadTimeout: true}, "", ""},
		{"sync worker that cut none", []record.Layer{with(gunicorn, "worker_class", "sync", "timeout", "3")},
			lint.Load{Longest: 8 * sec, Streams: 1, Lived: 8 * sec}, "", ""},
		{"read timeout that a silent stream outlived", []record.Layer{with(nginx, "proxy_read_timeout", "2s")},
			lint.Load{Silence: 4 * sec, Quiet: 3 * sec}, "", ""},
		{"read timeout that no stream tried", []record.Layer{with(nginx, "proxy_read_timeout", "2s")},
			lint.Load{Silence: 4 * sec, Quiet: sec}, "nginx proxy_read_timeout 2s", "silent for 4s"},
		{"sync worker", []record.Layer{with(gunicorn, "worker_class", "sync", "timeout", "3")},
			lint.Load{Longest: 8 * sec, Streams: 1}, "gunicorn timeout 3s", "also while it flows"},
		{"sync worker, short streams", []record.Layer{with(gunicorn, "worker_class", "sync", "timeout", "3")},
			lint.Load{Longest: 2 * sec, Streams: 1}, "", ""},
		{"async worker, same timeout", []record.Layer{with(gunicorn, "timeout", "3")}, lint.Load{Longest: 8 * sec}, "", ""},
		{"sync with threads", []record.Layer{with(gunicorn, "worker_class", "sync", "timeout", "3", "threads", "4")},
			lint.Load{Longest: 8 * sec}, "", ""},
		{"sync workers, many streams", []record.Layer{with(gunicorn, "worker_class", "sync", "workers", "2")},
			lint.Load{Streams: 20}, "gunicorn worker_class sync, workers 2", "18 wait"},
		{"short graceful window", []record.Layer{with(gunicorn, "graceful_timeout", "2")}, lint.Load{Longest: 8 * sec},
			"gunicorn graceful_timeout 2s", "leaves them 2s"},
		{"short graceful window of uvicorn", []record.Layer{layer("app", "uvicorn.timeout_graceful_shutdown", "2")},
			lint.Load{Longest: 8 * sec}, "uvicorn timeout_graceful_shutdown 2s", ""},
		{"short stop grace", []record.Layer{layer("app", "container.stop_grace", "10s")}, lint.Load{Longest: 12 * sec},
			"container stop_grace 10s", ""},
		{"nginx gives up on reload", []record.Layer{with(nginx, "worker_shutdown_timeout", "2s")},
			lint.Load{Longest: 8 * sec}, "nginx worker_shutdown_timeout 2s", ""},
		{"recycled workers", []record.Layer{with(gunicorn, "max_requests", "4", "timeout", "3")}, lint.Load{Longest: 8 * sec},
			"gunicorn max_requests 4", "stops feeding its watchdog"},
		{"cap on concurrency", []record.Layer{layer("uvicorn", "limit_concurrency", "10")}, lint.Load{Streams: 20},
			"uvicorn limit_concurrency 10", "503"},
		{"raised the wrong timer", []record.Layer{with(nginx, "proxy_read_timeout", "1h"),
			with(gunicorn, "worker_class", "sync")}, lint.Load{}, "gunicorn timeout 30s", "was raised to 1h"},
		{"grace within a grace", []record.Layer{gunicorn, layer("app", "container.stop_grace", "10s")}, lint.Load{},
			"container stop_grace 10s", "killed after 10s"},
		{"grace within a grace, short streams", []record.Layer{gunicorn, layer("app", "container.stop_grace", "10s")},
			lint.Load{Longest: 2 * sec}, "", ""},
		{"keep-alive race", []record.Layer{with(nginx, "keepalive", "32"), layer("uvicorn", "timeout_keep_alive", "5")},
			lint.Load{}, "uvicorn timeout_keep_alive 5", "502"},
		{"our own limit", nil, lint.Load{Silence: 11 * sec}, "client gap 10s", ""},
		{"toxic", []record.Layer{layer("upstream link", "timeout.timeout", "500")}, lint.Load{Silence: sec},
			"link timeout.timeout 500ms", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := lint.Check(tc.layers, ours, tc.load)
			if tc.want == "" {
				if len(got) > 0 {
					t.Errorf("warned without need: %+v", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("warnings %+v, want one about %q", got, tc.want)
			}
			says := reports.Warned(got[0])
			if !strings.HasPrefix(says, tc.want+": ") || !strings.Contains(says, tc.why) || strings.HasSuffix(says, "fix: ") ||
				strings.Contains(says, "lint: ") {
				t.Errorf("warned of %q, want one about %q that says %q", says, tc.want, tc.why)
			}
		})
	}
}

func TestSmallest(t *testing.T) {
	syncs := with(gunicorn, "worker_class", "sync", "timeout", "3", "graceful_timeout", "1")
	for _, tc := range []struct {
		layers []record.Layer
		want   string
	}{
		{[]record.Layer{nginx, gunicorn}, "nginx proxy_read_timeout 1m0s"},
		{[]record.Layer{nginx, syncs}, "gunicorn timeout 3s"},
		{nil, "client gap 10s"},
	} {
		if got := lint.Smallest(lint.Timers(tc.layers, ours)); got == nil || got.String() != tc.want {
			t.Errorf("smallest timer of %v is %v, want %s", tc.layers, got, tc.want)
		}
	}
	if got := lint.Smallest(nil); got != nil {
		t.Errorf("smallest of nothing is %v", got)
	}
}
