package harness

import (
	"cmp"
	"crypto/tls"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/load"
	"github.com/streamproof/streamproof/harness/machine"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/secret"
	"github.com/streamproof/streamproof/harness/stack"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// A Plan is what options come to once they are checked: how answers are read, what
// each request says, and what each scenario is held to with the user's settings on
// top of its own.
//
//	Options ─▶ NewPlan ─▶ Record           what is saved before anything starts
//	                  ├─▶ Edge, Policy     of a scenario, with what the user set
//	                  └─▶ Target, Header   what its streams ask for
type Plan struct {
	Options
	Dialect           stream.Dialect
	Terminal, Failure *stream.Matcher // of a generic dialect; nil where nobody set one
	Order, Owner      *stream.Place   // of an event's number and its owner's ID; nil where nobody said
	Header            http.Header     // with environment variables put in: holds secrets
	Body              []byte          // with environment variables put in: holds secrets
	Template          []byte          // Body before the sizes of a request are put in
	Added             []string        // the fields of Header that the user did not name
	TLS               *tls.Config     // of https URLs; nil for Go's defaults
	Secrets           secret.Secrets
}

// NewPlan checks o and works it out. The error is a [*UsageError].
func NewPlan(o Options) (*Plan, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Plan{Options: o}
	var err error
	if p.Dialect, p.Terminal, p.Failure, err = o.App.dialect(); err != nil {
		return nil, err
	}
	if p.Order, p.Owner, err = o.App.places(); err != nil {
		return nil, err
	}
	if p.TLS, err = o.App.TLS.Config(); err != nil {
		return nil, err
	}
	return p, p.request()
}

// request expands headers and body once, and remembers what to keep secret.
func (p *Plan) request() error {
	p.Secrets = p.App.secrets()
	p.Header = http.Header{}
	for k, v := range p.App.Stream.Headers {
		full, err := expand("stream.headers."+k, v)
		if err != nil {
			return err
		}
		p.Header.Set(k, full)
	}
	body, err := expand("stream.body", p.App.Stream.Body)
	p.Body = []byte(body)
	p.Template, p.Body = p.Body, p.Load.sample(p.Body)
	if !p.App.IsOrigin() { // which is asked as it always was
		p.Added = append(p.Added, addHeader(p.Header, p.Dialect, p.Body)...)
	}
	return err
}

// publicRequest is the request as it may be written down.
func (p *Plan) publicRequest() record.Request {
	r := record.Request{URL: secret.PublicURL(p.Secrets.Hide(p.App.Base() + p.App.Path())), Method: p.App.Method(),
		Body: p.Secrets.Hide(p.App.Stream.Body), Headers: map[string]string{},
		Order: p.App.Stream.Order, Owner: p.App.Stream.Owner}
	for k, v := range p.App.Stream.Headers {
		r.Headers[k] = p.Secrets.Hide(v)
	}
	for _, k := range p.Added {
		r.Headers[k] = p.Header.Get(k)
	}
	return r
}

// Ask is what a dialect may know about an answer beforehand.
func (p *Plan) Ask() stream.Ask {
	s := p.App.Stream
	return stream.Ask{Order: p.Order, Owner: p.Owner, Terminal: p.Terminal, Failure: p.Failure,
		Sentinel: s.Sentinel, Length: s.Length, SHA256: s.SHA256}
}

// host is the machine that we are on.
func host() record.Host {
	cpu, memory := machine.Hardware()
	return record.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version(), CPUs: runtime.NumCPU(),
		CPU: cpu, Memory: memory}
}

// Record is what is saved of a run that starts at a time, before anything does.
func (p *Plan) Record(start time.Time) record.Plan {
	r := record.Plan{Schema: record.Schema, Tool: p.Tool, Started: start, Seed: p.Seed,
		Repro:    p.repeat(),
		Host:     host(),
		App:      record.App{Kind: p.App.named().Kind, Name: p.Secrets.Hide(p.App.named().Name)},
		Dialect:  p.Dialect.Name,
		Spec:     p.own(),
		Strict:   p.Strict,
		Request:  p.publicRequest(),
		Sabotage: strings.Join(p.Sabotage.List(), ", "),
		Limits:   p.Limits(),
		Able:     p.App.abilities(),
		Suite:    p.Suite,
	}
	if p.Opener != nil {
		r.Stack = p.Opener.Kind()
	}
	for _, sc := range p.Scenarios {
		r.Scenarios = append(r.Scenarios, p.Scenario(sc))
	}
	return r
}

// own is the dialect as data, where it is the user's own: whoever judges the record
// does not know it.
func (p *Plan) own() *stream.Spec {
	if _, known := stream.Lookup(p.Dialect.Name); known {
		return nil
	}
	return p.Dialect.Spec
}

// repeat is the line that repeats the run: {seed} in it is the seed, which
// otherwise comes as a flag at its end.
func (p *Plan) repeat() string {
	line, seed := p.Secrets.Hide(p.Repro), strconv.FormatUint(p.Seed, 10)
	if strings.Contains(line, "{seed}") {
		return strings.ReplaceAll(line, "{seed}", seed)
	}
	return line + " --seed " + seed
}

// Scenario is the stored form of a scenario.
func (p *Plan) Scenario(sc Scenario) record.Scenario {
	own := sc.Edge.ReadTimeout > 0 && p.App.Edge.ReadTimeout == 0 && p.App.Edge.NginxConf == ""
	sc = p.Fill(sc)
	r := record.Scenario{ID: sc.ID, Title: sc.Title, Doc: sc.Doc, Edge: string(sc.Edge.Form), Load: sc.Load.plan(),
		Policy: sc.Policy, Required: sc.Required, FullLength: sc.FullLength, Peel: sc.Peel, Expected: p.expected(sc),
		OwnReadTimeout: own}
	if sc.Fault != nil {
		r.Fault = sc.Fault.String()
	}
	return r
}

// Fill gives a scenario the edge, the policy and the load that it has in this run.
func (p *Plan) Fill(sc Scenario) Scenario {
	if !p.App.shaped() {
		sc = sc.patient()
	}
	sc.Policy, sc.Edge, sc.Load = p.policy(sc), p.edge(sc), p.Load.Over(sc.Load)
	return sc
}

// originHeartbeat is the origin's, where a scenario leaves it.
const originHeartbeat = time.Second

// expected is how long streams will last and be silent: as the user says, or as
// the shape makes them that an app can be asked for.
func (p *Plan) expected(sc Scenario) record.Expected {
	e := record.Expected{Longest: p.App.Stream.Longest, Silence: p.App.Stream.Silence}
	if e != (record.Expected{}) || !p.App.shaped() {
		return e
	}
	s := sc.Shape.filled()
	e.Longest = time.Duration(s.Events)*s.Gap + s.Pause
	if e.Silence = max(s.Gap, s.Pause); p.App.IsOrigin() {
		e.Silence = max(s.Gap, min(s.Pause, s.Heartbeat))
	}
	return e
}

// policy is the scenario's own with what the user set.
func (p *Plan) policy(sc Scenario) record.Policy {
	pol := sc.Policy
	pol.GapLimit, pol.FirstLimit = p.gapLimit(sc), p.firstLimit()
	pol.ProgressLimit, pol.TotalLimit = p.ProgressLimit, p.total()
	pol.Thresholds = p.Thresholds.Over(pol.Thresholds)
	pol.Faulty, pol.SLO = sc.Fault != nil, p.SLO
	pol.LeftToEdge = pol.LeftToEdge && !sc.Required && p.App.Edge == stack.Edge{}
	pol.Feed, pol.FeedEvents = p.App.Stream.Endless.For, p.App.Stream.Endless.Events
	pol.Slowdown = slowdown(sc, pol.Thresholds.Slowdown)
	if sc.Peel && p.App.HasPlain() {
		pol.Expect = record.ExpectSameText
	}
	return pol
}

// slowdown is the factor by which a load may slow streams down in a scenario: the
// user's, else the default. Where the scenario itself delays, sheds or holds back
// streams nothing is judged by it.
func slowdown(sc Scenario, users float64) float64 {
	switch {
	case users < 0, sc.Fault != nil, sc.Client.Own(), sc.Policy.Sheds:
		return 0
	}
	return cmp.Or(users, verdict.DefaultSlowdown)
}

// gapLimit is the user's; the scenario's, whose author knows how the answer is
// paced that he asks for; or a patient default.
func (p *Plan) gapLimit(sc Scenario) time.Duration {
	switch {
	case p.GapLimit > 0:
		return p.GapLimit
	case p.App.shaped() && sc.Policy.GapLimit > 0:
		return sc.Policy.GapLimit
	}
	return cmp.Or(sc.Unscaled.GapLimit, DefaultGapLimit)
}

func (p *Plan) firstLimit() time.Duration { return cmp.Or(p.FirstLimit, DefaultFirstLimit) }

// HeadersLimit lets the head take as long as the user lets the first event: many
// servers send both at once.
func (p *Plan) HeadersLimit() time.Duration { return max(headersLimit, p.FirstLimit) }

func (p *Plan) total() time.Duration {
	if p.Total > 0 {
		return p.Total
	}
	return DefaultTotal
}

// Answers is which texts of answers the bodies of the load ask for.
func (p *Plan) Answers() load.Answers { return p.App.answers(&p.Load) }

// Limits are our own bounds on streams, as reports show them, by name.
func (p *Plan) Limits() map[string]string {
	l := map[string]string{"connect": ConnectLimit.String(), "headers": p.HeadersLimit().String(),
		"first event": p.firstLimit().String(),
		"gap":         p.gapLimit(Scenario{}).String(), "total": p.total().String()}
	if p.ProgressLimit > 0 {
		l["progress"] = p.ProgressLimit.String()
	}
	return l
}

// edge is the user's edge where one was set. A server that the user named by
// URL is met as it is, unless the scenario is about an edge.
func (p *Plan) edge(sc Scenario) stack.Edge {
	sc.Edge.Form = cmp.Or(sc.Edge.Form, stack.EdgeStreaming)
	e := sc.Edge.With(p.App.Edge)
	met := p.App.URL != "" || p.App.InCluster()
	if met && p.App.Edge.Form == "" && sc.Edge == (stack.Edge{Form: stack.EdgeStreaming}) {
		e.Form = stack.EdgeNone
	}
	return e
}

// Target is the path and query that the streams of a scenario ask for: our own
// origin, and an app that can, is told which shape its answer shall have.
func (p *Plan) Target(sc Scenario) string {
	path := sc.Shape.fill(p.App.Path())
	if !p.App.IsOrigin() {
		return path
	}
	return path + withQuery(path, sc.Shape.query())
}

// Place is the path of Target, without its query.
func (p *Plan) Place(sc Scenario) string {
	path, _, _ := strings.Cut(sc.Shape.fill(p.App.Path()), "?")
	return path
}

// Sabotaged is Target for a stream that the origin is to break in the named way.
func (p *Plan) Sabotaged(sc Scenario, name string) string {
	q := url.Values{"sabotage": {name}}
	if p.Sabotage.At > 0 {
		q.Set("at", strconv.Itoa(p.Sabotage.At))
	}
	path := p.Target(sc)
	return path + withQuery(path, q)
}

// Plain is Target for the answer in one piece, "" if nobody said how to ask for it.
func (p *Plan) Plain(sc Scenario) string {
	s := p.App.Stream
	switch {
	case s.PlainPath != "":
		return sc.Shape.fill(s.PlainPath)
	case s.PlainBody != "":
		return p.Target(sc)
	case p.App.IsOrigin():
		path := p.Target(sc)
		return path + withQuery(path, url.Values{"stream": {"false"}})
	}
	return ""
}

// PlainBody is the body of a request for the answer in one piece.
func (p *Plan) PlainBody() []byte {
	if p.App.Stream.PlainBody != "" {
		return []byte(p.App.Stream.PlainBody)
	}
	return p.Body
}

// Headers are the user's, and those of the scenario that he did not name.
func (p *Plan) Headers(sc Scenario) http.Header {
	h := p.Header.Clone()
	for name, value := range sc.Headers {
		if h.Get(name) == "" || slices.Contains(p.Added, http.CanonicalHeaderKey(name)) {
			h.Set(name, value)
		}
	}
	return h
}

// filled is s with the origin's defaults.
func (s Shape) filled() Shape {
	if s.Events == 0 {
		s.Events = 20
	}
	if s.Gap == 0 {
		s.Gap = 50 * time.Millisecond
	}
	if s.Heartbeat == 0 {
		s.Heartbeat = originHeartbeat
	}
	return s
}

// fill puts the shape into a path that asks for it.
func (s Shape) fill(path string) string {
	s = s.filled()
	return strings.NewReplacer("{events}", strconv.Itoa(s.Events), "{gap}", s.Gap.String(),
		"{pause}", s.Pause.String(), "{pause_at}", strconv.Itoa(s.PauseAt)).Replace(path)
}

func withQuery(path string, q url.Values) string {
	switch {
	case len(q) == 0:
		return ""
	case strings.Contains(path, "?"):
		return "&" + q.Encode()
	}
	return "?" + q.Encode()
}

func (s Shape) query() url.Values {
	q := url.Values{}
	set := func(name string, given bool, value string) {
		if given {
			q.Set(name, value)
		}
	}
	set("events", s.Events > 0, strconv.Itoa(s.Events))
	set("gap", s.Gap > 0, s.Gap.String())
	set("size", s.Size > 0, strconv.Itoa(s.Size))
	set("pause", s.Pause > 0, s.Pause.String())
	set("pause_at", s.Pause > 0, strconv.Itoa(s.PauseAt))
	set("heartbeat", s.Heartbeat > 0, s.Heartbeat.String())
	return q
}
