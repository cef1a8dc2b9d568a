// Package stack says what a running system under test can be asked to do,
// whether its parts are processes or containers.
//
//		client → edge link → nginx → upstream link i → replica i
//
//	 1. An [Opener] starts a [Stack] from a [Spec].
//	 2. Every hop of the chain has its own URL on loopback ([Stack.Hops]), so
//	    that layers can be peeled off.
//	 3. Both kinds of [Link] can be faulted: with toxics for weather, and with
//	    strikes that hit chosen streams at an exact event.
//	 4. What only some stacks can do is an optional interface: [Killer],
//	    [Pauser], [Stopper], [Reloader], [Scaler], [Counter], [Settler], [Twinner].
//	    Callers ask with a type assertion and say so where the answer is no.
//
// Each link has two lanes to the same target, so that a scenario has a control
// group out of the fault's way: victims travel the main lane, controls the
// other. A lane is chosen by URL on the edge link and by the header
// [LaneHeader] behind the edge.
package stack

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/record"
)

// Header names that streams carry through the chain.
const (
	// LaneHeader chooses the upstream lane; its value is [ControlLane] or absent.
	LaneHeader  = "X-Streamproof-Lane"
	ControlLane = "control"
	// StreamHeader carries the stream's sequence number in decimal: the relay
	// finds its victims by it.
	StreamHeader = "X-Streamproof-Stream"
	// NonceHeader carries the stream's nonce; it is the request ID in all logs.
	NonceHeader = "X-Request-ID"
	// ReplicaHeader is the upstream address as the edge reports it.
	ReplicaHeader = "X-Streamproof-Upstream"
)

// An Opener starts stacks.
type Opener interface {
	// Open starts everything in spec and waits until it is healthy. On error
	// nothing is left running. A *[StartError] is the app's own failure to
	// start, with its last log lines.
	Open(ctx context.Context, spec Spec) (Stack, error)
	// Kind is "local", "docker" or "memory".
	Kind() string
}

// A Dialer is an [Opener] whose stacks are reached by a way of their own and not over
// the machine's network, as one in memory is. Whoever sends to a hop of such a stack
// connects by DialContext.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// A Limiter is an [Opener] whose machines hold the app to its limit of memory.
type Limiter interface{ LimitsMemory() bool }

// LimitsMemory reports whether o does.
func LimitsMemory(o Opener) bool {
	l, ok := o.(Limiter)
	return ok && l.LimitsMemory()
}

// A Remote is an [Opener] whose stacks run elsewhere, perhaps. Host is where load for
// them is sent, or what is wrong with the way there.
type Remote interface{ Host() (string, error) }

// A Checker is an [Opener] that can look, before anything is written or changed, whether
// what an app names is there and may be used.
type Checker interface {
	Check(ctx context.Context, app App) error
}

// A Spec is a stack to be started.
type Spec struct {
	App      App
	Edge     Edge
	Replicas int // 0 means 1
	// Path is what streams ask for: an edge may treat places differently. ""
	// means "/".
	Path string
	// Method is what they ask with: "GET"; "" where that is not known.
	Method string
	// Links lists toxics that are attached before the first connection. Keys are
	// [EdgeLink] and [UpstreamLink]; upstream ones go on every replica's link.
	Toxics map[string][]Toxic
	// Omit names links, [EdgeLink] or [UpstreamLink], that are left out of the
	// chain where the stack can: nothing will be done to them, and what stands in
	// the way costs time. A link with a limit on idleness stays; and so do those of
	// containers behind the edge, whose addresses change when they start again.
	Omit []string
	// Strikes asks for links that can strike by position (see [Striker]). Without
	// it the relay is left out of the chain, which is then shorter.
	Strikes bool
	// Struck names links, [EdgeLink] or [UpstreamLink], to which nothing is done but
	// strikes, if that: no toxic is ever attached, and they are never taken down. A stack that
	// can puts the relay alone there, since toxiproxy costs more than the stream.
	Struck []string
	// LogDir is where logs are written, one file per process or container.
	LogDir string
	// LimitsMemory is the opener's, for those who prepare a spec, see [Limiter].
	LimitsMemory bool
	// Lasts is the longest that the stack is needed once it is up; 0 where that is not known. What ends parts that
	// were forgotten waits for longer.
	Lasts time.Duration
	// Now is the run's clock: the offset from the run's start.
	Now func() time.Duration
	// Notify receives what processes and containers did, as it happens. It must
	// not block. Nil drops.
	Notify func(Event)
}

// LeftOut reports whether the named link is not to stand in the chain.
func (s *Spec) LeftOut(link string) bool {
	if strings.HasPrefix(link, UpstreamLink) {
		link = UpstreamLink
	}
	return slices.Contains(s.Omit, link) && s.Idle(link) == 0 && len(s.Toxics[link]) == 0
}

// RelayOnly reports whether the named link needs a relay and nothing else.
func (s *Spec) RelayOnly(link string) bool {
	if strings.HasPrefix(link, UpstreamLink) {
		link = UpstreamLink
	}
	return (s.Strikes || s.Idle(link) > 0) && slices.Contains(s.Struck, link) && len(s.Toxics[link]) == 0
}

// Idle is the limit on idleness of the named link, 0 for none.
func (s *Spec) Idle(link string) time.Duration {
	if link == EdgeLink {
		return s.Edge.IdleTimeout
	}
	return 0
}

// Balancer is the layer of a load balancer before the edge; none without one.
func (s *Spec) Balancer() []Layer {
	if s.Edge.IdleTimeout == 0 {
		return nil
	}
	return []Layer{{Name: "load balancer", Settings: map[string]string{"idle timeout": s.Edge.IdleTimeout.String()}}}
}

// DefaultStart is how long an app may take to become healthy where it does not say.
const DefaultStart = 30 * time.Second

// An App is the system under test. Exactly one of Origin, Command, URL, Image,
// Build, Compose and Kubernetes is set.
type App struct {
	Origin  *Origin
	Command []string // its port is given in $PORT and for {port} in any argument
	URL     string
	Addr    string // "ip:port" to connect to for URL; "" resolves its host
	Image   string
	Build   string // a folder with a Dockerfile
	Compose Compose
	// Kubernetes is a workload that runs already.
	Kubernetes Kubernetes

	Port   int // where it listens; 0 lets us choose (for a command)
	Env    []string
	Dir    string
	Health string        // path that answers 2xx when ready; "" means that the port accepts
	Start  time.Duration // how long it may take to become healthy; 0 means [DefaultStart]
	Grace  time.Duration // between SIGTERM and SIGKILL; 0 means 10 s
	Memory int64         // bytes, 0 for no limit
	CPUs   float64
	Pids   int64
	Shm    int64
}

// An Origin is our own server, see harness/origin.
type Origin struct {
	Workers int      // processes; 0 means 1
	Args    []string // further flags
}

// A Compose names a service of an existing compose file.
type Compose struct {
	File    string `yaml:"compose" value:"path"`
	Service string `yaml:"service"`
}

// A Kubernetes names a workload of a cluster, a Deployment or a StatefulSet, and the
// Service that leads to its pods.
type Kubernetes struct {
	Context     string `yaml:"context"`   // of the kubeconfig; "" is its current one
	Namespace   string `yaml:"namespace"` // "" is the context's own
	Deployment  string `yaml:"deployment"`
	StatefulSet string `yaml:"statefulset"`
	Service     string `yaml:"service"`
	Container   string `yaml:"container"` // of its pods; "" is the only one
}

// Workload is the kind and the name of what runs the pods: "deployment", "chat".
func (k *Kubernetes) Workload() (kind, name string) {
	if k.StatefulSet != "" {
		return "statefulset", k.StatefulSet
	}
	return "deployment", k.Deployment
}

// An EdgeForm is one of the ways in which an edge is commonly set up.
type EdgeForm string

const (
	// EdgeNone has no nginx: the edge link leads to the first replica.
	EdgeNone EdgeForm = "none"
	// EdgeStreaming is set up for streams: HTTP/1.1 upstream, buffering off.
	EdgeStreaming EdgeForm = "streaming"
	// EdgeDefault is a bare proxy_pass as nginx before 1.29.7 runs it: HTTP/1.0
	// upstream, buffering on. It batches and launders.
	EdgeDefault EdgeForm = "default"
	// EdgeGzip is EdgeDefault with gzip for event streams and JSON.
	EdgeGzip EdgeForm = "gzip"
	// EdgeHTTP10 talks HTTP/1.0 to the app with buffering off: all that an answer
	// has to end with is the end of its connection.
	EdgeHTTP10 EdgeForm = "http10"
	// EdgeCache stores answers and serves them again: proxy_cache, by method and
	// URI, over HTTP/1.1.
	EdgeCache EdgeForm = "cache"
)

// An Edge is the reverse proxy of the chain.
type Edge struct {
	Form EdgeForm `yaml:"form" value:"form"`
	// ReadTimeout is proxy_read_timeout; 0 leaves nginx's 60 s.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// SendTimeout is send_timeout, for a client that takes nothing; 0 leaves
	// nginx's 60 s. Where it is set, nginx is given small socket buffers, so that
	// a slow client is felt soon.
	SendTimeout time.Duration `yaml:"send_timeout"`
	// ShutdownTimeout is worker_shutdown_timeout, how long streams may outlive a
	// reload; 0 is for ever.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
	// KeepAlive is how many idle connections to the app are kept for the next
	// request; 0 makes a new one each time.
	KeepAlive int `yaml:"keep_alive"`
	// Conns is how many streams at once are let in; the others get 429. 0 lets
	// all in.
	Conns int `yaml:"connections"`
	// IdleTimeout puts a load balancer before the edge, which ends a connection
	// on which nothing has moved for so long; 0 is without one.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// NginxConf is the user's own configuration file, used instead of Form.
	NginxConf string `yaml:"nginx_conf" value:"path"`
}

// With is e with what other sets in its place.
func (e Edge) With(other Edge) Edge {
	return Edge{Form: cmp.Or(other.Form, e.Form), ReadTimeout: cmp.Or(other.ReadTimeout, e.ReadTimeout),
		SendTimeout:     cmp.Or(other.SendTimeout, e.SendTimeout),
		ShutdownTimeout: cmp.Or(other.ShutdownTimeout, e.ShutdownTimeout),
		KeepAlive:       cmp.Or(other.KeepAlive, e.KeepAlive), Conns: cmp.Or(other.Conns, e.Conns),
		IdleTimeout: cmp.Or(other.IdleTimeout, e.IdleTimeout), NginxConf: cmp.Or(other.NginxConf, e.NginxConf)}
}

// A Stack is a running system under test.
type Stack interface {
	// Hops are the places at which the chain can be entered, from the client
	// inwards: "edge" (the whole chain), "nginx", "upstream", "app". A hop that
	// does not exist in this stack is left out.
	Hops() []Hop
	// Links are the edge link and one upstream link per replica.
	Links() []Link
	Replicas() []Replica
	// Logs are the files written so far. They are complete after Close.
	Logs() []Log
	// Versions names the parts for the report: "nginx": "1.22.1".
	Versions() map[string]string
	// Layers are the timeouts and buffers of every layer as set, for the report.
	Layers() []Layer
	// Close stops everything, asks first and insists before ctx ends, and may be
	// called twice. Its error names what would not go.
	Close(ctx context.Context) error
}

// A Layer lists the settings of one layer.
type Layer struct {
	Name     string
	Settings map[string]string
}

// A Hop is an entrance to the chain.
type Hop struct {
	Name string
	What string // "toxiproxy", "nginx 1.22.1", "app"
	// URL is the base that requests go to and whose host they name.
	URL string
	// Control is the base of the control lane, equal to URL where there is none.
	Control string
	// Dial and DialControl override the address that is connected to, "host:port",
	// where the URL's own must be kept for TLS and virtual hosts. Empty dials the
	// URL.
	Dial, DialControl string
	// Inside and DialInside are URL and Dial for those who send from within the network of
	// the app, past whatever of ours leads into it; "" where the hop has no such address.
	Inside, DialInside string
}

// A Replica is one instance of the app.
type Replica struct {
	Name string // "app[0]"
	Addr string // as the edge sees it: joins with ReplicaHeader
	// Control is the same on the control lane; "" where there is none.
	Control string
	URL     string // loopback
}

// A Log is a file that a part of the stack writes.
type Log struct {
	Name string // file name in Spec.LogDir
	Kind record.LogKind
}

// An Event is something that a part of the stack did. Its scenario is filled in by
// whoever runs the stack.
type Event = record.Event

// A StartError is an app that did not become healthy, or exited.
type StartError struct {
	Subject string
	Cause   error
	Tail    []string // its last log lines
}

func (e *StartError) Error() string { return "start " + e.Subject + ": " + e.Cause.Error() }
func (e *StartError) Unwrap() error { return e.Cause }
