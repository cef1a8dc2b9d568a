package harness

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/fault"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stack"
)

// A Scenario says what load to send, which fault to inject when, and which
// promises must hold.
type Scenario struct {
	ID    string `yaml:"id" value:"id"` // stable: "read-timeout"
	Title string `yaml:"title"`         // "Silence longer than the edge's read timeout"
	Doc   string `yaml:"doc"`           // what it proves, one sentence
	// Symptom is what a client sees where the promise is broken, LookAlike what
	// that is easily taken for, and how the two are told apart.
	Symptom, LookAlike string
	// Required makes the scenario obligatory: what the app cannot play is then
	// inconclusive, and not passed over as not applicable.
	Required bool
	// Tags are words of the user's by which scenarios are chosen.
	Tags []string `yaml:"tags"`
	// FullLength says that times which the catalogue scales down are as in production.
	FullLength bool
	// Needs names what a stack must have beyond the other fields: "docker".
	Needs []string

	Edge    stack.Edge `yaml:"edge"`
	Workers int        `yaml:"workers"` // the least number of worker processes of our own origin
	// Env is given to the app, where the user does not set the same.
	Env []string `yaml:"env" value:"env"`
	// Args are flags of our own origin; the user's come after them.
	Args     []string `yaml:"args"`
	Replicas int      `yaml:"replicas"` // the least number of replicas
	Shape    Shape    `yaml:"shape"`
	// Enter is the hop at which streams enter the chain where the user names
	// none; "" is the whole chain.
	Enter string `yaml:"enter" value:"hop"`
	// Headers are sent by its streams; the user's replace those of the same name.
	Headers map[string]string `yaml:"headers"`
	// Peel sends the load in at every hop of the chain in turn. Such a scenario has
	// no fault.
	Peel bool

	// Load is what the scenario asks for where the user names no number of streams
	// or no duration: a deploy needs streams that keep coming.
	Load Load `yaml:"load"`

	// Fault is nil where the edge, the app's own silence or the clients are the
	// trial.
	Fault fault.Fault
	When  When `yaml:"when" value:"whole"`
	// Hold is how long the fault stays before it heals, Until what ends it earlier.
	// With neither it stays until the main wave is over.
	Hold  time.Duration `yaml:"hold"`
	Until When          `yaml:"until" value:"whole"`
	// Share is the part of the main wave that goes exposed to the fault; 0 means half,
	// or all where the fault sweeps ([fault.Sweeps]). 1 leaves no control group.
	Share float64 `yaml:"share" value:"share"`
	// Client is how the victims' clients behave.
	Client Client `yaml:"client"`

	Policy record.Policy `yaml:"policy"`

	// Unscaled are timers for an app that answers as it does: those of the scenario are
	// scaled down together with the silences that it asks for, and would cut an app that
	// is sound under timers as they are in production.
	Unscaled Timers `yaml:"unscaled"`
}

// Timers are how long others wait for an app. A field that is zero leaves the scenario's.
type Timers struct {
	ReadTimeout time.Duration `yaml:"read_timeout"`    // of the edge
	IdleTimeout time.Duration `yaml:"idle_timeout"`    // of a load balancer before it
	Env         []string      `yaml:"env" value:"env"` // tells the app's process manager
	Silence     time.Duration `yaml:"silence"`         // that the app is to survive
	GapLimit    time.Duration `yaml:"gap"`             // our own, beyond the others
}

// patient is the scenario with its timers unscaled.
func (s Scenario) patient() Scenario {
	t := s.Unscaled
	s.Edge.ReadTimeout = cmp.Or(t.ReadTimeout, s.Edge.ReadTimeout)
	s.Edge.IdleTimeout = cmp.Or(t.IdleTimeout, s.Edge.IdleTimeout)
	s.Policy.Silence = cmp.Or(t.Silence, s.Policy.Silence)
	if t.Env != nil {
		s.Env = t.Env
	}
	return s
}

// A Shape is the answer asked of our own origin, and of apps whose path asks for
// it ([Stream.Path]). Others answer as they do.
type Shape struct {
	Events    int           `yaml:"events"`            // 0 means 20
	Gap       time.Duration `yaml:"gap"`               // between events; 0 means 50 ms
	Size      int           `yaml:"size" value:"size"` // bytes of text per event; 0 leaves the origin's
	Pause     time.Duration `yaml:"pause"`             // a silent gap after event PauseAt
	PauseAt   int           `yaml:"pause_at"`
	Heartbeat time.Duration `yaml:"heartbeat"` // between comments while silent; 0 leaves the origin's
}

// When is the condition for a fault to strike, or to end.
type When = fault.When

// A Load is how many streams are sent.
type Load struct {
	Streams int `yaml:"streams"` // concurrent; 0 means the scenario's own, or 20
	// Total ends the wave after so many streams; 0 sends each of Streams once, or goes
	// on for Duration. A scenario that needs streams for as long as its own duration
	// goes on for that.
	Total int     `yaml:"total"`
	Rate  float64 `yaml:"rate" value:"rate"` // streams per second; makes the model open
	// over which the first streams start; 0 spreads them a little where the scenario allows
	Ramp time.Duration `yaml:"ramp"`
	// Together starts them all at once.
	Together bool `yaml:"together"`
	// Duration is how long streams are started: one that has ended is replaced. 0
	// means the scenario's own; where that has none each stream is sent once.
	Duration time.Duration `yaml:"duration"`
	Pattern  `yaml:",inline"`
}

// Over returns l with what it leaves open taken from m.
func (l Load) Over(m Load) Load {
	if len(l.Stages) > 0 || l.Arrivals.Kind == arrivals.Trace { // a load of its own length
		l.Requests, l.Sessions = cmp.Or(l.Requests, m.Requests), cmp.Or(l.Sessions, m.Sessions)
		return l
	}
	open := l.Streams == 0 && l.Rate == 0
	if open {
		l.Streams, l.Rate = m.Streams, m.Rate
		l.Stages = m.Stages
	}
	switch {
	case l.Duration == 0 && m.Duration > 0 && len(l.Stages) == 0:
		l.Duration, l.Total = m.Duration, m.Total
	case l.Duration == 0 && l.Total == 0:
		l.Total = m.Total
	}
	l.Requests, l.Sessions = cmp.Or(l.Requests, m.Requests), cmp.Or(l.Sessions, m.Sessions)
	// Of a load that is another's how streams follow each other is no part.
	if l.Arrivals == (arrivals.Process{}) && (open || l.Open() && m.Arrivals.Kind != arrivals.Trace) {
		l.Arrivals = m.Arrivals
	}
	if l.Rate == 0 && l.Total > 0 && l.Duration == 0 && len(l.Stages) == 0 && l.Arrivals.Kind != arrivals.Trace {
		l.Streams = min(l.Concurrent(), l.Total)
	}
	l.Ramp, l.Together = cmp.Or(l.Ramp, m.Ramp), l.Together || m.Together
	if l.Together {
		l.Ramp = 0
	}
	return l
}

// DefaultStreams is the number of concurrent streams unless asked otherwise.
const DefaultStreams = 20

// Concurrent is the number of streams in flight that l asks for, of a closed model.
func (l Load) Concurrent() int {
	if len(l.Stages) > 0 && !l.Rated() {
		return max(1, int(math.Round(arrivals.Peak(l.Start(), l.Stages))))
	}
	if l.Streams == 0 {
		return DefaultStreams
	}
	return l.Streams
}

// plan is the stored form.
func (l Load) plan() record.LoadPlan {
	p := record.LoadPlan{Model: "closed", Streams: l.Concurrent(), Ramp: l.Ramp, Duration: l.Duration}
	if l.Rate > 0 {
		p.Model, p.Streams, p.Rate = "open", 0, l.Rate
	}
	if l.Open() {
		p.Model = "open"
	}
	l.patternPlan(&p)
	return p
}

// VictimShare is the part of the main wave that goes exposed to the fault.
func (s *Scenario) VictimShare() float64 {
	switch {
	case s.Share > 0:
		return s.Share
	case s.Fault != nil && fault.Sweeps(s.Fault):
		return 1
	}
	return 0.5
}

// UnusedLinks names the links that the scenario does nothing to. They would only cost
// time: a chain of proxies queues before the app does. One that peels the chain
// needs them, to tell what they add.
func (s *Scenario) UnusedLinks() []string {
	if s.Peel {
		return nil
	}
	return s.linksWithout(fault.Links(s.Fault))
}

// StruckLinks names the links to which the scenario does nothing but strike: only the
// relay need stand there.
func (s *Scenario) StruckLinks() []string {
	if s.Peel {
		return nil
	}
	return s.linksWithout(fault.LinksBeside(s.Fault))
}

// linksWithout names the links that are none of those used.
func (s *Scenario) linksWithout(used []string) (links []string) {
	for _, name := range []string{stack.EdgeLink, stack.UpstreamLink} {
		// Without an edge the only link is both.
		either := s.Edge.Form == stack.EdgeNone && len(used) > 0
		acted := slices.ContainsFunc(used, func(link string) bool { return strings.HasPrefix(link, name) })
		if !acted && !either {
			links = append(links, name)
		}
	}
	return links
}
