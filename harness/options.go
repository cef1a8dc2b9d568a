package harness

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/slo"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/tap"
	"github.com/streamproof/streamproof/harness/traceparent"
	"github.com/streamproof/streamproof/harness/verdict"
)

// Options say what to run.
type Options struct {
	App       App
	Scenarios []Scenario
	Load      Load
	Dir       string // the run folder; made if it does not exist, refused if it holds a run
	Seed      uint64
	Strict    bool
	// GapLimit is the silence, in bytes, after which a stream counts as stalled; 0
	// takes the scenario's, or DefaultGapLimit.
	GapLimit time.Duration
	// FirstLimit is how long a stream may take from its request to its first
	// content event; 0 means DefaultFirstLimit.
	FirstLimit time.Duration
	// ProgressLimit is how long a stream may go on after a content event without
	// another one, while other bytes come: heartbeats, or an event that is never
	// completed. 0 leaves that to Total: an answer that thinks for minutes behind its
	// heartbeats is no fault.
	ProgressLimit time.Duration
	// Total bounds every stream, and what a fault may take beyond the last of
	// them; 0 means DefaultTotal.
	Total      time.Duration
	Thresholds record.Thresholds
	// SLO are service level objectives that the streams under load must meet, as package
	// slo reads them: "first_event p95 < 1s, complete >= 99.9%". "" is none.
	SLO string
	// AllowHosts are hosts beyond loopback that may be sent load.
	AllowHosts []string
	// Sabotage breaks a seeded share of the origin's streams, see
	// scenarios.Sabotages.
	Sabotage Sabotage
	// Enter is the hop at which streams enter the chain: "edge", "nginx",
	// "upstream" or "app"; "" is the whole chain.
	Enter string
	// Trace gives each request a trace of its own (W3C Trace Context), which package
	// traceparent finds again.
	Trace  bool
	Opener stack.Opener
	// LoadWorkers is how many processes of this machine send the load; 0 and 1 are this
	// one alone. StartLoadWorker starts one of them, see [LoadWorker].
	LoadWorkers     int
	StartLoadWorker func() (LoadWorker, error)
	// Fleet is where else the load comes from. LoadFleet starts it.
	Fleet     Fleet
	LoadFleet LoadFleet
	Tool      string // version, for the plan
	Repro     string // the command line that repeats this run, with {seed}, or without a seed
	// Suite is how the scenarios were chosen, and how their verdicts are put together.
	Suite record.Suite
	// First is the number of the first stream, 0 for 1: a run that repeats another with
	// the same seed sends no nonce twice.
	First uint64
	// Retry is told, before scenarios are played again, which and for the how many-th
	// time; nil is silent.
	Retry func(n int, ids []string)
	// Warn is told what will go wrong before any load is sent, each once for the first
	// scenario that meets it, and what a fleet has left behind; nil is silent. reports.Warned puts it into words.
	Warn func(scenario string, w verdict.Warning)
	// Progress is told what happens about four times a second, by one goroutine at a
	// time; nil is silent.
	Progress func(Progress)
}

// Sabotage breaks streams of our own origin, to prove that we notice.
type Sabotage struct {
	Name  string
	Names []string // several, dealt out in turn, instead of Name
	At    int      // event; 0 leaves the origin's choice
	Share float64  // of the main wave; 0 means a third
}

// List names the sabotages in the order in which they are dealt out.
func (s Sabotage) List() []string {
	if len(s.Names) == 0 && s.Name != "" {
		return []string{s.Name}
	}
	return s.Names
}

// Progress is a moment of a run.
type Progress struct {
	Scenario string
	Index    int // of Total, from 0
	Total    int
	Phase    string // "opening", "baseline", "streams", "fault", "recovery", "closing"
	Started  int    // streams of the scenario so far
	Live     int
	Ended    int
	Whole    int // of Ended: those with a complete response
	Elapsed  time.Duration
}

// A LoadWorker is a process that sends a share of the load: one that serves its
// connection as package fleet says.
type LoadWorker struct {
	Conn  io.ReadWriteCloser // closing it ends the worker, and waits for that
	Pid   int                // on this machine; 0 elsewhere
	Words func() string      // its last words, once Conn is closed; nil for none
}

// MostLoadWorkers is far more than a machine has cores for.
const MostLoadWorkers = 64

// Defaults of our own bounds.
const (
	DefaultGapLimit   = 10 * time.Second
	DefaultFirstLimit = time.Minute
	DefaultTotal      = 5 * time.Minute
	headersLimit      = 30 * time.Second
)

// ConnectLimit is how long a stream may take to connect.
const ConnectLimit = 5 * time.Second

// Validate says what is wrong with o, before anything is started.
func (o *Options) Validate() error {
	if err := o.App.Validate(); err != nil {
		return err
	}
	if len(o.Scenarios) == 0 {
		return &UsageError{Place: "scenarios", Problem: "none is named",
			Fix: "name at least one, or leave them out for the standard suite"}
	}
	if total, feed := cmp.Or(o.Total, DefaultTotal), o.App.Stream.Endless.For; feed >= total {
		return &UsageError{Place: "endless",
			Problem: fmt.Sprintf("a feed is to be read for %s, and no stream lives longer than limits.total, %s", feed, total),
			Fix:     "read it for a shorter time"}
	}
	if err := o.validSLO(); err != nil {
		return err
	}
	if err := cmp.Or(o.validLoads(), o.validWorkers(), o.ValidFleet()); err != nil {
		return err
	}
	if len(o.Sabotage.List()) > 0 && !o.App.IsOrigin() {
		return &UsageError{Place: "sabotage", Problem: "only the built-in server can be sabotaged",
			Fix: "leave out the app, or the sabotage"}
	}
	if err := o.validDirect(); err != nil {
		return err
	}
	if err := o.validTrace(); err != nil {
		return err
	}
	return o.ValidHost()
}

// validTrace refuses a trace of the user's own beside those of the streams.
func (o *Options) validTrace() error {
	for name := range o.App.Stream.Headers {
		if o.Trace && strings.EqualFold(name, traceparent.Header) {
			return &UsageError{Place: "stream.headers." + name, Problem: "each stream gets a trace of its own",
				Fix: "leave that header out, or --otlp"}
		}
	}
	return nil
}

func (o *Options) validSLO() error {
	if o.SLO == "" {
		return nil
	}
	_, err := slo.Parse(o.SLO)
	var bad *slo.ParseError
	if errors.As(err, &bad) {
		return &UsageError{Place: "slo", Problem: bad.Problem, Fix: bad.Fix}
	}
	return err
}

// validLoads checks the load of every scenario that asks for one as it is in this run: what
// it says may not go with what the user says.
func (o *Options) validLoads() error {
	if err := o.Load.valid(); err != nil {
		return err
	}
	for i := range o.Scenarios {
		sc := &o.Scenarios[i]
		l := o.Load.Over(sc.Load)
		err := sc.Load.validNumbers()
		if err == nil {
			err = l.valid()
		}
		var bad *UsageError
		if errors.As(err, &bad) {
			return &UsageError{Place: ScenarioPlace(sc.ID) + bad.Place, Problem: bad.Problem, Fix: bad.Fix}
		}
	}
	if err := o.validRequests(); err != nil {
		return err
	}
	return o.App.validSessions(&o.Load)
}

// ScenarioPlace begins the place of a mistake in one scenario.
func ScenarioPlace(id string) string { return "scenario " + id + ": " }

// valid says what of a load cannot be.
func (l Load) valid() error {
	if err := l.validNumbers(); err != nil {
		return err
	}
	switch {
	case l.Rate > 0 && l.Streams > 0:
		return &UsageError{Place: "load", Problem: "both streams and rate are given",
			Fix: "keep streams for a closed model, rate for an open one"}
	case l.Rate > 0 && l.Duration <= 0 && l.Total == 0 && len(l.Stages) == 0:
		return &UsageError{Place: "load.duration", Problem: "a rate needs a duration", Fix: "add duration: 30s"}
	}
	if err := l.validArrivals(); err != nil {
		return err
	}
	return l.validStages()
}

// validNumbers refuses numbers that no load has.
func (l Load) validNumbers() error {
	switch {
	case l.Streams < 0:
		return &UsageError{Place: "load.streams", Problem: fmt.Sprintf("%d streams", l.Streams), Fix: "ask for at least 1"}
	case l.Rate < 0:
		return &UsageError{Place: "load.rate", Problem: fmt.Sprintf("%g streams per second", l.Rate),
			Fix: "ask for more than 0"}
	case l.Total < 0:
		return &UsageError{Place: "load.total", Problem: fmt.Sprintf("%d streams in all", l.Total), Fix: "ask for at least 1"}
	case l.Duration < 0 || l.Ramp < 0:
		return &UsageError{Place: "load", Problem: "a negative time", Fix: "use durations like 30s"}
	}
	return nil
}

// validWorkers refuses numbers of load workers that cannot be.
func (o *Options) validWorkers() error {
	switch n := o.LoadWorkers; {
	case n < 0 || n > MostLoadWorkers:
		return &UsageError{Place: "load_workers", Problem: fmt.Sprintf("%d load workers", n),
			Fix: fmt.Sprintf("ask for 1 to %d", MostLoadWorkers)}
	case n > 1 && o.StartLoadWorker == nil:
		return &UsageError{Place: "load_workers", Problem: "nothing says how to start a load worker",
			Fix: "set StartLoadWorker, or use the command streamproof"}
	}
	return nil
}

// Reach is where load may go.
func (o *Options) Reach() tap.Reach { return tap.Reach{Hosts: o.AllowHosts, Resolve: o.App.Resolve} }

// Allows reports whether a host may be asked that nobody resolves elsewhere.
func (o *Options) Allows(host string) bool {
	return IsLoopback(host) || slices.Contains(o.AllowHosts, host)
}

// ValidHost lets load go to loopback, and to hosts that the user named: of a URL, or the
// API server of a cluster.
func (o *Options) ValidHost() error {
	if r, ok := o.Opener.(stack.Remote); ok {
		host, err := r.Host()
		if err == nil && !o.Allows(host) {
			err = &UsageError{Place: "app.kubernetes",
				Problem: "the API server of that context, " + host + ", is not this machine, and its pods would be stopped",
				Fix:     "if they are meant to be, add --allow-host " + host}
		}
		return err
	}
	if o.App.URL == "" {
		return nil
	}
	u, err := url.Parse(o.App.URL)
	if err != nil {
		return validURL(o.App.URL)
	}
	if _, ok := o.Reach().Way(u); ok {
		return nil
	}
	host := u.Hostname()
	const stranger = " is not this machine, and load is not sent to strangers"
	if at, _, err := net.SplitHostPort(o.App.At(u)); err == nil { // where the streams go, whatever the URL says
		return &UsageError{Place: "resolve", Problem: "host " + host + " is resolved to " + at + ", which" + stranger,
			Fix: "if it is yours, add --allow-host " + at}
	}
	usage := &UsageError{Place: "url", Problem: "host " + host + stranger, Fix: "if it is yours, add --allow-host " + host}
	if o.App.resolves(host) {
		usage.Fix = "resolve the URL's port: --resolve " + tap.Address(u) + ":127.0.0.1"
	}
	return usage
}

// validDirect refuses an address of the app that cannot be used.
func (o *Options) validDirect() error {
	if o.App.Direct == "" {
		return nil
	}
	if o.App.URL == "" {
		return &UsageError{Place: "direct", Problem: "it names the app behind a URL, and no URL is given",
			Fix: "add --url with the address of the edge"}
	}
	if err := validURL(o.App.Direct); err != nil {
		return renamed(err, "direct")
	}
	behind := Options{App: App{URL: o.App.Direct, Resolve: o.App.Resolve}, AllowHosts: o.AllowHosts}
	return renamed(behind.ValidHost(), "direct")
}

// renamed moves a usage error to another place.
func renamed(err error, place string) error {
	var usage *UsageError
	if errors.As(err, &usage) {
		moved := *usage
		moved.Place = place
		return &moved
	}
	return err
}
