package harness

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/arrivals"
	"github.com/streamproof/streamproof/harness/prompts"
	"github.com/streamproof/streamproof/harness/record"
)

// Sessions are conversations of several turns: a client that has a whole answer thinks,
// and sends the next turn, which may hold what was answered before.
type Sessions struct {
	Turns int   `yaml:"turns"` // at most; 0 takes those of the file of requests, or has no sessions
	Think Think `yaml:"think" value:"think"`
}

// A Think is how long a client thinks between two turns: from Least to Most, drawn by the
// seed.
type Think struct{ Least, Most time.Duration }

// MostTurns is more than conversations have.
const MostTurns = 1000

// A Pattern is how a load moves: in stages, with irregular arrivals, with requests of
// their own. The zero Pattern is as many streams as [Load] says, all alike.
type Pattern struct {
	// Arrivals says how streams of an open load follow each other.
	Arrivals arrivals.Process `yaml:"arrivals" value:"arrivals"`
	// Stages move the load from what Streams or Rate says (0 where neither does) to one
	// target after the other; their length is that of the load.
	Stages []arrivals.Stage `yaml:"stages"`
	// Sessions let each client have several turns; what is said of streams is then said of
	// sessions.
	Sessions Sessions `yaml:"sessions"`
	// Prompts is the path of the file of the requests, which [Options.UseRequests] reads.
	Prompts string `yaml:"prompts" value:"path"`
	// Requests are the bodies, sizes and times of single streams; nil where all send the
	// same.
	Requests *prompts.File
}

// Rated reports whether the stages are streams per second, and not streams at a time.
func (p *Pattern) Rated() bool { return len(p.Stages) > 0 && p.Stages[0].Target.Rate }

// Open reports whether streams start at their times, however many are still open.
func (l Load) Open() bool { return l.Rate > 0 || l.Rated() || l.Arrivals.Kind == arrivals.Trace }

// Start is where the stages begin: streams per second, or streams.
func (l Load) Start() float64 {
	if l.Rated() {
		return l.Rate
	}
	return float64(l.Streams)
}

// Schedule draws the times at which the streams of an open load start; nil where it
// starts them at equal distances.
func (l Load) Schedule(seed uint64) []time.Duration {
	switch {
	case l.Arrivals.Kind == arrivals.Trace:
		return l.traced()
	case l.Rated():
		return arrivals.Schedule(l.Arrivals, l.Rate, l.Stages, l.Total, seed)
	case l.Rate > 0 && l.Arrivals.Own():
		from, stages := l.Rate, []arrivals.Stage(nil)
		if l.Ramp > 0 {
			from, stages = 0,
				append(stages, arrivals.Stage{Duration: l.Ramp, Target: arrivals.Target{Value: l.Rate, Rate: true}})
		}
		last := l.Duration - l.Ramp
		if l.Duration == 0 {
			last = math.MaxInt64 / 4 // until the total
		}
		stages = append(stages, arrivals.Stage{Duration: max(last, 0), Target: arrivals.Target{Value: l.Rate, Rate: true}})
		return arrivals.Schedule(l.Arrivals, from, stages, l.Total, seed)
	}
	return nil
}

// traced are the times of the requests, as far as the load goes.
func (l Load) traced() []time.Duration {
	at := make([]time.Duration, 0, len(l.Requests.Entries))
	for _, e := range l.Requests.Entries {
		if l.Total > 0 && len(at) == l.Total || l.Duration > 0 && e.At >= l.Duration {
			break
		}
		at = append(at, e.At)
	}
	return at
}

// Turns is how many turns a session has at most; 0 where there are none.
func (l *Load) Turns() int {
	if l.Sessions.Turns > 0 || l.Requests == nil {
		return l.Sessions.Turns
	}
	most := 0
	for i := range l.Requests.Entries {
		most = max(most, len(l.Requests.Entries[i].Turns))
	}
	return most
}

func (l *Load) validArrivals() error {
	const place = "load.arrivals"
	switch p := l.Arrivals; {
	case p.Kind == arrivals.Trace && (l.Requests == nil || !l.Requests.Timed):
		return &UsageError{Place: place, Problem: "a trace needs the time of each request",
			Fix: `add load.prompts with lines such as {"timestamp": 1200, "body": {…}}, in milliseconds`}
	case p.Kind == arrivals.Trace && (l.Streams > 0 || l.Rate > 0 || len(l.Stages) > 0 || l.Ramp > 0):
		return &UsageError{Place: place, Problem: "a trace has its own times, and streams, rate, ramp or stages are given",
			Fix: "leave them out; duration and total cut a trace short"}
	case p.Own() && !l.Open():
		return &UsageError{Place: place, Problem: p.String() + " arrivals need a rate",
			Fix: "add rate: 20/s and a duration, or stages of rates"}
	}
	return nil
}

func (l *Load) validStages() error {
	if len(l.Stages) == 0 {
		return nil
	}
	bad := func(fix, problem string, args ...any) error {
		return &UsageError{Place: "load.stages", Problem: fmt.Sprintf(problem, args...), Fix: fix}
	}
	if i, why := arrivals.Unlike(l.Stages); why != "" {
		return &UsageError{Place: fmt.Sprintf("load.stages[%d].target", i), Problem: why,
			Fix: "write all targets as streams at a time (50), or all as rates (20/s)"}
	}
	switch {
	case l.Duration > 0:
		return bad("leave out duration: the stages say how long", "both stages and a duration are given")
	case l.Ramp > 0 || l.Together:
		return bad("leave out ramp: make it the first stage", "both stages and a ramp are given")
	case l.Rated() && l.Streams > 0:
		return bad("begin with rate: instead of streams:, or leave it out",
			"the stages are rates, and the load begins with %d streams at a time", l.Streams)
	case !l.Rated() && l.Rate > 0:
		return bad("write the targets as rates (20/s), or leave out rate",
			"the stages are streams at a time, and the load begins with a rate")
	case arrivals.Length(l.Stages) <= 0:
		return bad("give a stage a duration", "all stages take 0 s")
	case arrivals.Peak(l.Start(), l.Stages) <= 0:
		return bad("give a stage a target above 0", "no stage has a target above 0, so that no stream would start")
	}
	if l.Rated() {
		if n := arrivals.Expected(l.Rate, l.Stages); n < 1 {
			return bad("raise a target or a duration", "the stages come to less than one stream")
		} else if n > arrivals.Most {
			return bad("lower a target or a duration", "the stages come to %.0f streams, and at most %d are kept account of", n,
				arrivals.Most)
		}
	}
	return nil
}

func (o *Options) validRequests() error {
	f := o.Load.Requests
	switch {
	case f == nil:
		return nil
	case f.Sized && o.App.Stream.Body == "":
		return &UsageError{Place: "load.prompts", Problem: f.Path + " has sizes and no bodies, and there is no body to put " +
			"them into",
			Fix: `add a body with the places {prompt} and {output_length}: --body '{"prompt": "{prompt}", "max_tokens": ` +
				`{output_length}}'`}
	case !f.Sized && o.App.Stream.Body != "":
		return &UsageError{Place: "load.prompts", Problem: "both stream.body and the bodies of " + f.Path + " are given",
			Fix: "leave one of them out"}
	}
	return nil
}

// UseRequests sets the requests of a file: their bodies are sent by POST, and where they
// have sizes alone texts of those lengths are made for {prompt}.
func (o *Options) UseRequests(path string) error {
	f, err := prompts.Read(path)
	var bad *prompts.Error
	if errors.As(err, &bad) {
		return &UsageError{Place: bad.Place(), Problem: bad.Problem, Fix: bad.Fix}
	}
	if err != nil {
		return err
	}
	o.Load.Requests = f
	s := &o.App.Stream
	if s.Method == "" {
		s.Method = "POST"
	}
	if f.Sized && len(s.Prompts) == 0 && strings.Contains(s.Body+s.Path, promptPlace) {
		s.Prompts = prompts.Texts(f.Entries, 1)
	}
	return nil
}

// sample is the body of a stream that stands for all: the first of the requests, with its
// sizes.
func (l Load) sample(body []byte) []byte {
	if l.Requests == nil {
		return body
	}
	e := l.Requests.Entries[0]
	switch {
	case e.Turns != nil:
		body = e.Turns[0]
	case e.Body != nil:
		body = e.Body
	}
	return e.Sizes(body)
}

// plan is the stored form of the pattern.
func (l Load) patternPlan(p *record.LoadPlan) {
	p.Arrivals = l.Arrivals.String()
	if l.Requests != nil {
		p.Prompts = l.Requests.Path
	}
	p.Turns, p.ThinkLeast, p.ThinkMost = l.Turns(), l.Sessions.Think.Least, l.Sessions.Think.Most
	for _, s := range l.Stages {
		p.Stages = append(p.Stages, record.LoadStage{Duration: s.Duration, Target: s.Target.Value})
	}
	switch {
	case l.Arrivals.Kind == arrivals.Trace:
		p.Streams, p.Rate, p.Duration = 0, 0, 0
	case l.Rated():
		p.Streams, p.Rate, p.Duration = 0, arrivals.Peak(l.Rate, l.Stages), arrivals.Length(l.Stages)
	case len(l.Stages) > 0:
		p.Duration = arrivals.Length(l.Stages)
	}
}
