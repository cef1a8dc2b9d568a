package lint

import (
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Load is what the chain will have to carry, or had to.
type Load struct {
	Longest time.Duration // life of the longest stream; 0 if unknown
	Silence time.Duration // the longest without a byte; 0 if unknown
	Streams int           // at a time; 0 if unknown
	// Lived is how long a stream lived that came whole, Quiet how long one was
	// silent: timers that are shorter cut nobody.
	Lived, Quiet time.Duration
	// OwnReadTimeout says that the edge's read timeout is the scenario's own
	// choice, and no setting to mend.
	OwnReadTimeout bool
}

// Check finds the settings that will cut streams of that load, or that
// contradict each other. layers are those of the chain, clients our own limits.
func Check(layers []record.Layer, clients map[string]string, load Load) []verdict.Warning {
	c := &checking{layers: layers, timers: Timers(layers, clients), load: load}
	c.cuts()
	c.recycles()
	c.crowds()
	c.contradicts()
	c.ingresses()
	if through, ok := lookup(c.layers, record.ForwardLayer, "through"); ok {
		c.warn(record.ForwardLayer, "through "+through, record.Fact{Kind: FactForwarded}, record.Fact{Kind: MendForwarded})
	}
	return c.found
}

type checking struct {
	layers []record.Layer
	timers []Timer
	load   Load
	found  []verdict.Warning
}

func (c *checking) warn(layer, setting string, why, mend record.Fact) {
	c.found = append(c.found, verdict.Warning{Layer: layer, Setting: setting, Fact: &why, Mend: &mend})
}

// cuts holds every timer against the load.
func (c *checking) cuts() {
	for _, t := range c.timers {
		at := t.Setting + " " + t.Limit.String()
		switch {
		case t.Setting == "proxy_read_timeout" && c.load.OwnReadTimeout:
		case t.Kind == Silence && c.load.Silence > t.Limit && c.load.Quiet <= t.Limit:
			c.warn(t.Layer, at, record.Fact{Kind: FactSilenceCuts, Name: t.Layer, Took: c.load.Silence, Bound: t.Limit},
				record.Fact{Kind: MendSilence, Name: t.Setting, Took: beat(t.Limit), Bound: c.load.Silence})
		case t.Kind == Life && c.load.Longest > t.Limit && c.load.Lived <= t.Limit:
			c.warn(t.Layer, at,
				record.Fact{Kind: FactLifeCuts, Name: t.Layer, Took: round(c.load.Longest), Bound: t.Limit}, lifeMend(t))
		case t.Kind == Drain && c.load.Longest > t.Limit:
			c.warn(t.Layer, at, record.Fact{Kind: FactDrainCuts, Took: round(c.load.Longest), Bound: t.Limit},
				record.Fact{Kind: MendDrain, Name: t.Setting, Bound: round(c.load.Longest)})
		}
	}
}

func lifeMend(t Timer) record.Fact {
	if t.Layer == "gunicorn" {
		return record.Fact{Kind: MendAsync}
	}
	return record.Fact{Kind: MendRaise, Name: t.Setting}
}

// key is what a timer is called where it is set.
func key(t Timer) string {
	if t.Layer == "app" && t.Kind == Drain {
		return "app.grace"
	}
	return t.Setting
}

// silences are the settings of ingresses that end a stream without a byte.
var silences = []string{"proxy-read-timeout", "timeout-server", "idle_timeout.timeout_seconds"}

// ingresses holds what users' streams pass, and those of the run do not, against the load:
// whole streams that outlived a timer there refute nothing, and are evidence themselves.
func (c *checking) ingresses() {
	quiet := max(c.load.Silence, c.load.Quiet)
	for _, l := range c.layers {
		if !strings.HasPrefix(l.Name, record.IngressLayer) {
			continue
		}
		for _, name := range silences {
			setting := name
			value, ok := l.Settings[name]
			if !ok {
				setting += record.ByDefault
				value = l.Settings[setting]
			}
			if limit := duration(value, l.Name); limit > 0 && quiet > limit {
				c.warn(l.Name, setting+" "+limit.String(),
					record.Fact{Kind: FactIngressCuts, Name: l.Name, Took: round(quiet), Bound: limit},
					record.Fact{Kind: MendSilence, Name: name, Took: beat(limit), Bound: round(quiet)})
			}
		}
		if l.Settings["proxy-buffering"] == "on" {
			c.warn(l.Name, "proxy-buffering on", record.Fact{Kind: FactIngressBuffers, Name: l.Name},
				record.Fact{Kind: MendIngressBuffers})
		}
	}
}

// round leaves a measured time as exact as a person reads it.
func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }

// beat is a third of a limit, in whole steps that a person would choose.
func beat(limit time.Duration) time.Duration {
	d := limit / 3
	if d > time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}

// recycles looks for workers that end themselves: in-flight streams of one that
// does are left to the watchdog.
func (c *checking) recycles() {
	requests, _ := lookup(c.layers, "gunicorn", "max_requests")
	timeout, _ := lookup(c.layers, "gunicorn", "timeout")
	d := duration(timeout, "gunicorn")
	if count(requests) == 0 || c.load.Longest == 0 || d == 0 || c.load.Longest <= d/2 {
		return
	}
	c.warn("gunicorn", "max_requests "+requests, record.Fact{Kind: FactRecycles, Name: requests, Took: c.load.Longest,
		Times: []time.Duration{d / 2, d + time.Second}}, record.Fact{Kind: MendRecycling})
}

// crowds looks for caps that the load is above.
func (c *checking) crowds() {
	if limit, _ := lookup(c.layers, "uvicorn", "limit_concurrency"); count(limit) > 0 && c.load.Streams > count(limit) {
		c.warn("uvicorn", "limit_concurrency "+limit, record.Fact{Kind: FactRefusesRest, N: c.load.Streams},
			record.Fact{Kind: MendConcurrent, N: 2 * c.load.Streams})
	}
	workers, _ := lookup(c.layers, "gunicorn", "workers")
	if at := max(count(workers), 1); syncWorker(c.layers) && c.load.Streams > at {
		c.warn("gunicorn", "worker_class sync, workers "+workers,
			record.Fact{Kind: FactQueues, N: c.load.Streams, Of: c.load.Streams - at}, record.Fact{Kind: MendThreads})
	}
}

// nginxSilence is proxy_read_timeout where nobody sets it, and nginxIdle how long
// an upstream's connection is kept then.
const (
	nginxSilence = time.Minute
	nginxIdle    = time.Minute
)

// contradicts looks for timers of which one makes another pointless.
func (c *checking) contradicts() {
	c.drains()
	c.keepalives()
	smallest := Smallest(c.timers)
	for _, t := range c.timers {
		raised := t.Setting == "proxy_read_timeout" && t.Limit > nginxSilence
		if raised && smallest != nil && smallest.Limit < t.Limit && smallest.Layer != "client" {
			c.warn(smallest.Layer, smallest.Setting+" "+smallest.Limit.String(),
				record.Fact{Kind: FactRaisedAlone, Name: t.Setting, Bound: t.Limit, Place: smallest.Layer, Took: smallest.Limit},
				record.Fact{Kind: MendRaiseToo, Name: smallest.Setting, Place: smallest.Layer})
		}
	}
}

// drains compares shutdown times: one that is inside another must be shorter, or
// it is cut off in its midst. Where all streams are known to be over by then
// nobody is hurt.
func (c *checking) drains() {
	for _, in := range c.timers {
		for _, out := range c.timers {
			nested := in.Kind == Drain && out.Kind == Drain && in.Outer < out.Outer && out.Outer <= inContainer
			if nested && in.Limit > out.Limit && (c.load.Longest == 0 || c.load.Longest > out.Limit) {
				c.warn(out.Layer, out.Setting+" "+out.Limit.String(),
					record.Fact{Kind: FactKilledEarly, Name: in.Layer, Took: in.Limit, Bound: out.Limit},
					record.Fact{Kind: MendOuter, Name: key(out), Bound: in.Limit})
			}
		}
	}
}

// keepalives compares how long both sides of the upstream hop keep an idle
// connection: the app's must outlast the edge's, or a request meets a connection
// that is just being closed.
func (c *checking) keepalives() {
	pool, _ := lookup(c.layers, "nginx", "keepalive")
	if pool == "" || pool == "off" || pool == "0" {
		return
	}
	for _, app := range []struct{ server, setting string }{{"gunicorn", "keepalive"}, {"uvicorn", "timeout_keep_alive"}} {
		value, ok := lookup(c.layers, app.server, app.setting)
		if d := duration(value, app.server); ok && d < nginxIdle {
			c.warn(app.server, app.setting+" "+value,
				record.Fact{Kind: FactIdleCloses, Name: app.server, Took: d, Bound: nginxIdle},
				record.Fact{Kind: MendKeepAlive, Name: app.server})
		}
	}
}

// LoadOf is the load that a scenario plans.
func LoadOf(sc *record.Scenario) Load {
	return Load{Longest: sc.Expected.Longest, Silence: sc.Expected.Silence, Streams: sc.Load.Streams,
		OwnReadTimeout: sc.OwnReadTimeout}
}
