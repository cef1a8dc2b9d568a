package lint

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// A Kind is what a timer measures.
type Kind string

const (
	Silence Kind = "silence"  // between two bytes: a heartbeat resets it
	Life    Kind = "life"     // of the whole stream: nothing resets it
	Drain   Kind = "shutdown" // what a stream in flight is left when its server stops
)

// A Timer is one setting that can end a stream.
type Timer struct {
	Layer   string // "nginx", "gunicorn", "container", "client"
	Setting string // as its documentation spells it
	Kind    Kind
	Limit   time.Duration
	Outer   int // how far out it sits: the client is the outermost
}

// String reads "nginx proxy_read_timeout 2s".
func (t Timer) String() string { return t.Layer + " " + t.Setting + " " + t.Limit.String() }

// Positions of layers along the chain, from the app outwards.
const (
	inApp = iota
	inManager
	inContainer
	inLink
	inEdge
	inClient
)

// known are the settings that time a stream, by server and setting.
var known = []struct {
	layer, setting string
	kind           Kind
	outer          int
}{
	{"nginx", "proxy_read_timeout", Silence, inEdge},
	{"nginx", "fastcgi_read_timeout", Silence, inEdge},
	{"nginx", "uwsgi_read_timeout", Silence, inEdge},
	{"nginx", "scgi_read_timeout", Silence, inEdge},
	{"nginx", "grpc_read_timeout", Silence, inEdge},
	{"nginx", "worker_shutdown_timeout", Drain, inEdge},
	{"go httputil edge", "read timeout", Silence, inEdge},
	{"gunicorn", "graceful_timeout", Drain, inManager},
	{"uvicorn", "timeout_graceful_shutdown", Drain, inApp},
	{"container", "stop_grace", Drain, inContainer},
	{"app", "grace after SIGTERM", Drain, inContainer},
	{"kubernetes", "terminationGracePeriodSeconds", Drain, inContainer},
	{"kubernetes", "grace after preStop", Drain, inContainer},
	{"link", "timeout.timeout", Silence, inLink},
	{"client", "gap", Silence, inClient},
	{"client", "total", Life, inClient},
}

// Timers finds the timers of the layers, the smallest first. clients are our own
// limits.
func Timers(layers []record.Layer, clients map[string]string) []Timer {
	all := slices.Clone(layers)
	if len(clients) > 0 {
		all = append(all, record.Layer{Name: "client", Settings: clients})
	}
	var found []Timer
	for _, k := range known {
		value, ok := lookup(all, k.layer, k.setting)
		if d := duration(value, k.layer); ok && d > 0 {
			found = append(found, Timer{Layer: k.layer, Setting: k.setting, Kind: k.kind, Limit: d, Outer: k.outer})
		}
	}
	if t, ok := watchdog(all); ok {
		found = append(found, t)
	}
	slices.SortStableFunc(found, func(a, b Timer) int { return cmp.Compare(a.Limit, b.Limit) })
	return found
}

// watchdog is gunicorn's timeout, which a sync worker feeds only between
// requests, so that it bounds the whole stream.
func watchdog(layers []record.Layer) (Timer, bool) {
	value, ok := lookup(layers, "gunicorn", "timeout")
	if !ok || !syncWorker(layers) {
		return Timer{}, false
	}
	d := duration(value, "gunicorn")
	return Timer{Layer: "gunicorn", Setting: "timeout", Kind: Life, Limit: d, Outer: inManager}, d > 0
}

// syncWorker reports whether gunicorn serves one request at a time. Threads turn
// its sync class into gthread.
func syncWorker(layers []record.Layer) bool {
	class, ok := lookup(layers, "gunicorn", "worker_class")
	threads, _ := lookup(layers, "gunicorn", "threads")
	return ok && class == "sync" && count(threads) <= 1
}

// Smallest is the timer that ends a stream first, of those that can while both
// sides are well: nil where none is known. Our own limits count only where they
// are all there is.
func Smallest(timers []Timer) *Timer {
	var ours *Timer
	for i := range timers {
		switch t := &timers[i]; {
		case t.Kind == Drain:
		case t.Layer != "client":
			return t
		case ours == nil:
			ours = t
		}
	}
	return ours
}

// lookup finds a setting of a server: in a layer of its name, or spelt with its
// name before a dot in any layer ("gunicorn.timeout").
func lookup(layers []record.Layer, server, setting string) (string, bool) {
	for _, l := range layers {
		if v, ok := l.Settings[server+"."+setting]; ok {
			return v, true
		}
		if v, ok := l.Settings[setting]; ok && (l.Name == server || server == "link" && strings.HasSuffix(l.Name, "link")) {
			return v, true
		}
	}
	return "", false
}

// duration reads "2s", "2000ms", "1h 30m", or a bare number: of seconds, but of
// milliseconds in a toxic. 0 is no limit.
func duration(value, layer string) time.Duration {
	value = strings.ReplaceAll(value, " ", "")
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		unit := time.Second
		if layer == "link" {
			unit = time.Millisecond
		}
		return time.Duration(n * float64(unit))
	}
	if days, ok := strings.CutSuffix(value, "d"); ok {
		n, _ := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour
	}
	d, _ := time.ParseDuration(value)
	return d
}

// count reads a number; 0 where there is none.
func count(value string) int {
	n, _ := strconv.Atoi(value)
	return n
}
