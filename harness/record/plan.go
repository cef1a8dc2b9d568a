package record

import (
	"cmp"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/stream"
)

// A Plan is what a run set out to do. It is saved before anything starts, and
// holds no secret: header values and bodies that came from the environment are
// stored as their ${NAME}.
type Plan struct {
	Schema   string            `json:"schema"`
	Tool     string            `json:"tool"`    // version of streamproof
	Started  time.Time         `json:"started"` // wall clock at offset 0
	Seed     uint64            `json:"seed"`
	Repro    string            `json:"repro"` // one command line that repeats the run
	Host     Host              `json:"host"`
	App      App               `json:"app"`
	Stack    string            `json:"stack"`          // "local", "docker"
	Dialect  string            `json:"dialect"`        // name
	Spec     *stream.Spec      `json:"spec,omitempty"` // of the dialect, where it is the user's own
	Strict   bool              `json:"strict"`
	Request  Request           `json:"request"`
	Limits   map[string]string `json:"limits,omitempty"` // our own bounds, for the timeout table
	Sabotage string            `json:"sabotage,omitempty"`
	// Able is what the app can be asked for and told; nil in records that are older.
	Able      *Abilities `json:"able,omitempty"`
	Scenarios []Scenario `json:"scenarios"`
	// Suite is how they were chosen.
	Suite Suite `json:"suite,omitzero"`
}

// ReadAs is the dialect that answers were read with.
func (p *Plan) ReadAs() (stream.Dialect, bool) {
	if p.Spec != nil {
		d, err := p.Spec.Compile()
		return d, err == nil
	}
	return stream.Lookup(p.Dialect)
}

// An App is the app under test as the user named it.
type App struct {
	Kind AppKind `json:"kind"`
	// Name is the image, the folder that it is built from, the service with its
	// file, the command line, the workload, or the scheme and host of the URL; "" for our own.
	Name string `json:"name,omitempty"`
}

// An AppKind is how an app comes to run.
type AppKind string

const (
	AppOrigin  AppKind = "origin" // our own server
	AppImage   AppKind = "image"
	AppBuild   AppKind = "build" // an image that we build
	AppService AppKind = "service"
	AppCommand AppKind = "command"
	AppURL     AppKind = "url" // it runs already
	// AppKubernetes is a workload of a cluster; it runs already, and can be restarted.
	AppKubernetes AppKind = "kubernetes"
)

// String names the app for the reader: "command ./serve --port 8000".
func (a App) String() string {
	switch a.Kind {
	case AppOrigin:
		return "built-in server"
	case AppBuild:
		return "image built from " + a.Name
	case AppURL:
		return cmp.Or(a.Name, "a URL")
	}
	return strings.TrimSpace(string(a.Kind) + " " + a.Name)
}

// Abilities are what the user has said, or what is plain, about the app under
// test. What an app has not got, no load will show.
type Abilities struct {
	Origin  bool `json:"origin"`  // our own server, which can all
	Pauses  bool `json:"pauses"`  // its path is told how long to pause
	Plain   bool `json:"plain"`   // it is known how to ask for an answer in one piece
	Ledger  bool `json:"ledger"`  // it keeps an account of its streams
	Started bool `json:"started"` // by us: its processes are ours to see
}

// A Host is the machine that the load came from.
type Host struct {
	OS, Arch, Go string
	CPUs         int
	Clock        Clock
	// CPU is the model, Memory in MiB. Older records have neither, nor have those of
	// systems that do not tell them.
	CPU    string `json:",omitempty"`
	Memory int64  `json:",omitempty"`
}

// A Clock is what stamps the arrival of bytes.
type Clock string

const (
	KernelClock Clock = "kernel (SO_TIMESTAMPNS)" // as a packet reaches the socket
	UserClock   Clock = "user (time.Now after read)"
)

// A Request is what every stream asks for.
type Request struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	// Order and Owner are where the events of an answer bear their number and echo
	// the stream's nonce, as the user says.
	Order string `json:"order,omitempty"`
	Owner string `json:"owner,omitempty"`
}

// A Scenario is the stored form of a scenario: enough to judge it again.
type Scenario struct {
	ID     string  `json:"id"`
	Title  string  `json:"title"`
	Doc    string  `json:"doc"` // what it proves
	Edge   string  `json:"edge"`
	Fault  string  `json:"fault,omitempty"` // for the reader; empty where nothing is injected
	Layers []Layer `json:"layers,omitempty"`
	// Required says that the user wants it judged: it then never counts as not
	// applicable.
	Required bool `json:"required,omitempty"`
	// FullLength says that timeouts which the catalogue scales down had their real length.
	FullLength bool `json:"full_length,omitempty"`
	// Peel says that the load was sent in at every hop in turn.
	Peel bool `json:"peel,omitempty"`
	// OwnReadTimeout says that the scenario itself sets the edge's read timeout.
	OwnReadTimeout bool     `json:"own_read_timeout,omitempty"`
	Expected       Expected `json:"expected,omitzero"`
	Load           LoadPlan `json:"load"`
	Policy         Policy   `json:"policy"`
}

// A Layer lists one layer's timeouts and buffers as they were set.
type Layer struct {
	Name     string            `json:"name"` // "nginx", "gunicorn", "client"
	Settings map[string]string `json:"settings"`
}

// ForwardLayer is the name of the layer that stands for a port-forward: what we send from
// this machine comes by it, and what users send does not.
const ForwardLayer = "port-forward"

// ByDefault ends the name of a setting that nobody has set, and whose value is the one of
// the layer's documentation.
const ByDefault = " (default)"

// IngressLayer begins the name of the layer of an Ingress of Kubernetes. The run's own
// streams do not pass it.
const IngressLayer = "ingress "

// An Expected is what is known about the streams before they are sent; 0 is
// unknown.
type Expected struct {
	Longest time.Duration `json:"longest,omitempty"` // life of the longest stream
	Silence time.Duration `json:"silence,omitempty"` // longest time without a byte
}

// A LoadPlan is the load that one scenario asks for.
type LoadPlan struct {
	Model    string        `json:"model"` // "closed" (N concurrent streams) or "open" (a rate)
	Streams  int           `json:"streams,omitempty"`
	Rate     float64       `json:"rate,omitempty"` // streams per second
	Ramp     time.Duration `json:"ramp,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
	// Arrivals is how streams follow each other ("poisson", "gamma(2)"), "" for equal
	// distances; Prompts the file of the requests, "" where all are alike.
	Arrivals string      `json:"arrivals,omitempty"`
	Stages   []LoadStage `json:"stages,omitempty"`
	Prompts  string      `json:"prompts,omitempty"`
	// Turns is how many turns a session has at most, 0 for streams of their own: Streams
	// and Rate are then of sessions. Between turns a client thinks for ThinkLeast to
	// ThinkMost.
	Turns      int           `json:"turns,omitempty"`
	ThinkLeast time.Duration `json:"think_least,omitempty"`
	ThinkMost  time.Duration `json:"think_most,omitempty"`
}

// A LoadStage moves the load to a target: streams per second in an open model, streams at
// a time in a closed one.
type LoadStage struct {
	Duration time.Duration `json:"duration"`
	Target   float64       `json:"target"`
}

// A Policy says what a scenario may do to its streams, and what it must have
// done to prove anything.
type Policy struct {
	// Kills says that the scenario cuts processes or links, so that aborted is an
	// honest ending for the streams in its way.
	Kills bool `json:"kills,omitempty" yaml:"kills"`
	// Refuses says that new streams may be refused for at most Recovery after the
	// fault struck.
	Refuses  bool          `json:"refuses,omitempty" yaml:"refuses"`
	Recovery time.Duration `json:"recovery,omitempty" yaml:"recovery"`
	// GapLimit is the silence, in bytes, after which a stream counts as stalled.
	GapLimit time.Duration `json:"gap_limit,omitempty" yaml:"gap"`
	// FirstLimit, ProgressLimit and TotalLimit are the other bounds of ours at which
	// a stream is ended; 0 where there is none, or an older run does not say.
	FirstLimit    time.Duration `json:"first_limit,omitempty"`
	ProgressLimit time.Duration `json:"progress_limit,omitempty"`
	TotalLimit    time.Duration `json:"total_limit,omitempty"`
	// Faulty says that a fault is part of the scenario; it must then be seen in
	// effect, with at least MinInBody victims in their body when it struck.
	Faulty    bool `json:"faulty,omitempty"`
	MinInBody int  `json:"min_in_body,omitempty" yaml:"min_in_body"`
	// Sheds says that an honest refusal (status >= 400, an in-band error) is an
	// answer also where no fault struck: overload, rate limits.
	Sheds bool `json:"sheds,omitempty" yaml:"sheds"`
	// Feed is how long each stream is read where the answer has no end, 0 where it
	// has one; FeedEvents is the least number of events in that time.
	Feed       time.Duration `json:"feed,omitempty"`
	FeedEvents int           `json:"feed_events,omitempty"`
	// LeftToEdge says that nothing speaks for an edge like the scenario's in front
	// of the app: what that edge holds back is said, and not held against the app.
	LeftToEdge bool `json:"left_to_edge,omitempty"`
	// MinStreams is the least number of judged streams.
	MinStreams int           `json:"min_streams,omitempty" yaml:"min_streams"`
	Expect     Expectation   `json:"expect,omitempty" yaml:"expect" value:"expectation"`
	Silence    time.Duration `json:"silence,omitempty" yaml:"silence"`
	// Slowdown is how many times as long as alone a stream may wait under load, and a
	// second longer in any case; 0 does not judge it: the scenario delays streams.
	Slowdown float64 `json:"slowdown,omitempty"`
	// Checks are the flags that fail this scenario when a stream bears them:
	// names of verdict flags.
	Checks []string `json:"checks,omitempty"`
	// SLO are the user's service level objectives as package slo reads them, "" for none.
	SLO string `json:"slo,omitempty"`
	// Thresholds are absolute bounds that the user set; 0 is unset.
	Thresholds Thresholds `json:"thresholds"`
}

// Thresholds are absolute times that judge only when the user sets them.
type Thresholds struct {
	FirstEvent time.Duration `json:"first_event,omitempty" yaml:"first_event"` // p95 of TTFE over complete streams
	MaxGap     time.Duration `json:"max_gap,omitempty" yaml:"max_gap"`         // of any complete stream
	Total      time.Duration `json:"total,omitempty" yaml:"total"`             // p95 of duration
	// Slowdown replaces the factor of [Policy.Slowdown]; below 0 turns it off.
	Slowdown float64 `json:"slowdown,omitempty" yaml:"slowdown" value:"factor"`
}

// Over returns t with what it leaves unset taken from u.
func (t Thresholds) Over(u Thresholds) Thresholds {
	return Thresholds{FirstEvent: cmp.Or(t.FirstEvent, u.FirstEvent), MaxGap: cmp.Or(t.MaxGap, u.MaxGap),
		Total: cmp.Or(t.Total, u.Total), Slowdown: cmp.Or(t.Slowdown, u.Slowdown)}
}
