// Package record holds what happened: one [Run] with its plan, its streams,
// the windows of its faults, and what the hops and containers said.
//
//  1. While a run lasts, a [Writer] appends every fact to the run folder as it
//     happens, with one write(2) a fact, so that a SIGKILL loses nothing that
//     was known.
//  2. Steps of the run that need streams which have ended read them back one at a
//     time ([Writer.Ended]).
//  3. [Open] reads a folder back, whole or torn, into a Run: an entry at a time,
//     so that beside the Run itself little is in memory. [OpenParts] does so in parts,
//     of which one is in memory at a time, where the record is long.
//  4. Everything after that (grades, verdicts, causes, reports) is a pure
//     function of the Run.
//
// What packages tell each other has a field or a constant here (kinds.go, [Fault],
// [Evidence], [App]); sentences are for the reader, and no package takes another's
// apart. What older versions put into sentences is translated when a record is read,
// in old.go.
//
// All times are offsets from the run's start on one monotonic clock.
package record

import (
	"strings"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/stream"
)

// Schema versions the run folder. Readers refuse a later major number.
const Schema = "streamproof.run/1"

// Never marks a time that did not come.
const Never = time.Duration(-1)

// A Run is everything known about one run.
type Run struct {
	Plan    Plan
	Streams []Stream // in the order in which they started
	Windows []Window
	Events  []Event
	Waves   []Wave
	Notes   []Note
	Hops    []Hop
	// What was asked beside the load.
	Ledgers     []Ledger
	Edges       []EdgeProbe
	Comparisons []Comparison
	References  []Reference
	Steps       []Step          // what the run turned to, in the order of time; none in older records
	LoadWorkers []LoadWorker    // one for each wave and process, where several sent the load
	Machine     []MachineSample // about four a second, in the order of time
	Logs        []Log           // read from the logs folder by Open; empty while running
	// Finished is when the run ended; Never if the record was torn off.
	Finished time.Duration
	// Interrupted says that the user stopped the run.
	Interrupted bool
	// Torn counts bytes at the end of the record that made no whole entry.
	Torn int
	// Guests are those of Streams that another part of the record is about, by their
	// number, and Elsewhere the times at which streams were open that are not in
	// Streams, in order and apart. Both are empty in a Run that holds all of its record,
	// see [Parts].
	Guests    map[uint64]bool
	Elsewhere []Span
}

// A Span is a time.
type Span struct{ From, To time.Duration }

// A Group says what part a stream plays in its scenario.
type Group string

const (
	Browser  Group = "browser"  // beside the load: asks for compression as browsers do, or where all do, for none
	Solo     Group = "solo"     // alone before the load: what the load adds is measured against it
	Probe    Group = "probe"    // asked until the app was idle again between two hops
	Baseline Group = "baseline" // before any fault
	Victim   Group = "victim"   // in the way of the fault
	Control  Group = "control"  // beside the victims, out of the fault's way
	Recovery Group = "recovery" // started after the fault healed
	Load     Group = "load"     // a scenario without a fault
)

// Alone reports whether a stream of the group was sent by itself, and is no part of
// the load.
func (g Group) Alone() bool { return g == Solo || g == Probe }

// A Framing is how a response marked the end of its body.
type Framing string

const (
	Chunked        Framing = "chunked"
	Length         Framing = "length"
	CloseDelimited Framing = "close" // until the connection ends: RFC 9112 section 6.3, rule 8
	H2             Framing = "h2"
	NoBody         Framing = "none"
)

// A Close is how the connection ended, seen from the client.
type Close string

const (
	CloseNone  Close = ""      // the connection was kept, or we were the ones who closed it
	CloseFIN   Close = "fin"   // orderly end of the byte stream
	CloseRST   Close = "rst"   // ECONNRESET, or RST_STREAM on HTTP/2
	CloseError Close = "error" // any other failure of the connection (refused, unreachable, TLS)
)

// A Where is the place in the response at which the bytes stopped.
type Where string

const (
	BeforeConnect Where = "before connect"
	BeforeHeaders Where = "before headers"
	InHeaders     Where = "in headers"
	InChunkHeader Where = "in chunk header"
	InChunk       Where = "in chunk"
	BetweenChunks Where = "between chunks"
	BeforeLastEnd Where = "before last CRLF" // the 0 chunk came, its empty line did not
	InBody        Where = "in body"          // Content-Length not yet reached, or close-delimited
	AtEnd         Where = "at end"           // the framing says that the body is whole
	AfterEnd      Where = "after end"        // bytes after a whole body
)

// A Limit names the one of our own bounds that ended a stream.
type Limit string

const (
	NoLimit        Limit = ""
	ConnectLimit   Limit = "connect"
	HeadersLimit   Limit = "headers"
	FirstLimit     Limit = "first event"
	GapLimit       Limit = "gap"      // no byte
	ProgressLimit  Limit = "progress" // bytes, but no content event
	TotalLimit     Limit = "total"
	HeaderSize     Limit = "header size"
	FrameSize      Limit = "frame size"
	BodySize       Limit = "body size"
	InflateSize    Limit = "inflated size"
	FeedLimit      Limit = "feed"         // a feed without an end was read for as long as asked
	CancelledByEnd Limit = "run ended"    // we hung up because the run was over or interrupted
	CancelledByUs  Limit = "client abort" // we hung up because the scenario asks for it
	// CancelledByLoss ends a stream whose worker was lost, and its connection with it:
	// what became of it until then is not known.
	CancelledByLoss Limit = "worker lost"
)

// Cancelled reports whether l means that we hung up on purpose.
func (l Limit) Cancelled() bool {
	return l == CancelledByEnd || l == CancelledByUs || l == CancelledByLoss
}

// A Wire is the true ending of a stream's transport.
type Wire struct {
	Framing Framing `cbor:"1,keyasint,omitempty"`
	Close   Close   `cbor:"2,keyasint,omitempty"`
	Where   Where   `cbor:"3,keyasint,omitempty"`
	// Garbage is set where the framing itself was broken, with the bytes met:
	// "invalid chunk header \"HTTP/1.1 500\"". Spliced says that a second
	// response stood inside the body.
	Garbage string `cbor:"4,keyasint,omitempty"`
	Spliced bool   `cbor:"5,keyasint,omitempty"`
	// Err is the error as the operating system or library said it.
	Err string `cbor:"6,keyasint,omitempty"`
	// Lingered is how long the connection stayed open after the terminal event;
	// Never where there was no terminal or the framing ended the body with it.
	Lingered time.Duration `cbor:"7,keyasint,omitempty"`
}

// A Stream is the whole record of one stream.
type Stream struct {
	Seq      uint64 `cbor:"1,keyasint,omitempty"` // unique in the run, from 1
	Scenario string `cbor:"2,keyasint,omitempty"` // ID of its scenario
	Group    Group  `cbor:"3,keyasint,omitempty"`
	Hop      string `cbor:"4,keyasint,omitempty"` // name of the hop it was sent to
	Nonce    string `cbor:"5,keyasint,omitempty"` // also its X-Request-ID
	// After is the stream that its client had before this one: it reconnected, or
	// asked again, with the same nonce then. 0 for a client's first, in each turn.
	After uint64 `cbor:"37,keyasint,omitempty"`
	// Session is the number of the first stream of the conversation that it is a turn of,
	// Turn which one, from 1, and Turns how many there were to be; 0 for a stream of its
	// own. A turn has several streams where its client asked again.
	Session uint64 `cbor:"60,keyasint,omitempty"`
	Turn    int    `cbor:"61,keyasint,omitempty"`
	Turns   int    `cbor:"62,keyasint,omitempty"`
	// AnswerCut says that the text of the answer was longer than what is kept of it for
	// the next turn.
	AnswerCut bool `cbor:"63,keyasint,omitempty"`
	// Replica is who served it ("app[1]"); empty where that is not known.
	Replica string `cbor:"38,keyasint,omitempty"`
	// Sched is when the pacer meant it to start, Send when the request was
	// written, Connect when the connection stood, Headers when the response
	// head was whole, End when the body ended. Never where it did not come.
	Sched   time.Duration `cbor:"6,keyasint,omitempty"`
	Send    time.Duration `cbor:"7,keyasint,omitempty"`
	Connect time.Duration `cbor:"8,keyasint,omitempty"`
	Headers time.Duration `cbor:"9,keyasint,omitempty"`
	End     time.Duration `cbor:"10,keyasint,omitempty"`
	// First is the first content event, FirstAny the first event of any kind,
	// Last the last event, TerminalAt the first terminal. Never if none.
	First      time.Duration `cbor:"11,keyasint,omitempty"`
	FirstAny   time.Duration `cbor:"12,keyasint,omitempty"`
	Last       time.Duration `cbor:"13,keyasint,omitempty"`
	TerminalAt time.Duration `cbor:"14,keyasint,omitempty"`

	Status      int    `cbor:"15,keyasint,omitempty"`
	Proto       string `cbor:"16,keyasint,omitempty"` // "HTTP/1.1", "HTTP/2.0"
	ContentType string `cbor:"17,keyasint,omitempty"`
	Encoding    string `cbor:"18,keyasint,omitempty"` // Content-Encoding, empty for identity
	// AcceptEncoding is what the request asked for by that field.
	AcceptEncoding string `cbor:"40,keyasint,omitempty"`
	// Header keeps the response headers that diagnosis reads: Server, Via,
	// X-Accel-Buffering, X-Streamproof-*, Content-Length.
	Header map[string]string `cbor:"19,keyasint,omitempty"`

	Bytes     int64 `cbor:"20,keyasint,omitempty"` // of body, framing removed, before decompression
	WireBytes int64 `cbor:"21,keyasint,omitempty"` // as read from the socket
	Reads     int   `cbor:"22,keyasint,omitempty"`
	Wire      Wire  `cbor:"-"`
	Limit     Limit `cbor:"23,keyasint,omitempty"`

	Frames     int            `cbor:"24,keyasint,omitempty"`
	Contents   int            `cbor:"25,keyasint,omitempty"`
	Heartbeats int            `cbor:"26,keyasint,omitempty"`
	Content    stream.Summary `cbor:"-"`
	Partial    int            `cbor:"27,keyasint,omitempty"` // bytes of an unfinished frame at the end
	// Start is how a body began that brought no content event, after
	// decompression, at most 500 bytes: what it was instead of a stream.
	Start string `cbor:"39,keyasint,omitempty"`

	// MaxGap is the longest silence in event arrivals, headers to first and
	// last to end included; MaxGapAt is when it began. ProgressGap is the same
	// over content alone.
	MaxGap      time.Duration `cbor:"28,keyasint,omitempty"`
	MaxGapAt    time.Duration `cbor:"29,keyasint,omitempty"`
	ProgressGap time.Duration `cbor:"30,keyasint,omitempty"`
	// EmitFirst and EmitLast are the server's stamps on the first and last
	// stamped event, ns since the epoch; 0 where the dialect has none.
	EmitFirst int64 `cbor:"31,keyasint,omitempty"`
	EmitLast  int64 `cbor:"32,keyasint,omitempty"`
	// Lag is the most that our own reading came after the kernel's stamp.
	Lag time.Duration `cbor:"33,keyasint,omitempty"`
	// Redirects are the answers that sent the client elsewhere, in their order; the
	// last one may not have been followed. Send and First count from the first
	// request, Connect, Headers and Wire are those of the last.
	Redirects []Redirect `cbor:"55,keyasint,omitempty"`
	// Late says that the stream started after its time because no worker was
	// free: the load was not what was asked for.
	Late bool `cbor:"34,keyasint,omitempty"`

	// Events are the arrivals in their compact form, see [Timeline]. Omitted
	// counts events that the bound on memory kept out.
	Events  []byte `cbor:"35,keyasint,omitempty"`
	Omitted int    `cbor:"36,keyasint,omitempty"`
}

// A Redirect is an answer that sends the client elsewhere.
type Redirect struct {
	At     time.Duration `cbor:"1,keyasint,omitempty"` // when its head was whole
	Status int           `cbor:"2,keyasint,omitempty"`
	// Location is where to, as the server wrote it: without credentials, and at most
	// 512 bytes.
	Location string `cbor:"3,keyasint,omitempty"`
	// Host is the "host" or "host:port" that it leads to, where that is another.
	Host       string     `cbor:"4,keyasint,omitempty"`
	Unfollowed Unfollowed `cbor:"5,keyasint,omitempty"`
}

// An Unfollowed says why a redirect was not followed.
type Unfollowed string

const (
	Followed         Unfollowed = ""
	NoLocation       Unfollowed = "no location"
	BadLocation      Unfollowed = "invalid location"
	RedirectLoop     Unfollowed = "loop"
	TooManyRedirects Unfollowed = "too many"
	HostNotAllowed   Unfollowed = "host not allowed"
	FollowingOff     Unfollowed = "following is off"
)

// MaxRedirects is how many redirects a stream follows.
const MaxRedirects = 10

// Unfollowed is the redirect that the stream ended with, nil for none.
func (s *Stream) Unfollowed() *Redirect {
	if n := len(s.Redirects); n > 0 && s.Redirects[n-1].Unfollowed != Followed {
		return &s.Redirects[n-1]
	}
	return nil
}

// A Phase is a stage in the life of a fault.
type Phase string

const (
	Armed     Phase = "armed"     // ready, waiting for its condition
	Active    Phase = "active"    // injected
	Confirmed Phase = "confirmed" // seen in effect, with evidence in Why
	Healed    Phase = "healed"
	Recovered Phase = "recovered" // new streams are fine again
)

// An Effect is what a fault does to connections in its way.
type Effect string

const (
	Cuts   Effect = "cuts"   // ends them, or refuses new ones
	Delays Effect = "delays" // everything else
)

// A FaultKind is what sort of fault it is: one of those below, the type of a toxic
// ("latency", "bandwidth"), or the action of a strike ("rst", "truncate").
type FaultKind string

// Faults that are neither a toxic nor a strike.
const (
	FaultKill     FaultKind = "kill-worker"
	FaultCrash    FaultKind = "crash"       // SIGKILL to a whole replica
	FaultMemory   FaultKind = "memory-kill" // pressure until the kernel kills
	FaultDrain    FaultKind = "drain"       // SIGTERM, and SIGKILL after a grace
	FaultDown     FaultKind = "down"        // of a link
	FaultDeploy   FaultKind = "deploy"      // of all replicas, one by one
	FaultScaleIn  FaultKind = "scale-in"
	FaultScaleOut FaultKind = "scale-out"

	FaultNodeDrain FaultKind = "node-drain" // all replicas on one machine are asked to leave it

	FaultReload  FaultKind = "edge-reload"
	FaultPause   FaultKind = "pause"   // a frozen replica
	FaultSqueeze FaultKind = "squeeze" // a lowered memory limit
	FaultWatch   FaultKind = "watch"   // of counters: nothing is done
	FaultStrikes FaultKind = "strikes" // several actions, dealt out among the victims
	FaultOther   FaultKind = "other"   // of a package of the user's
)

// A Fault is one part of a scenario's fault.
type Fault struct {
	Name   string // for the reader, and unique in its scenario: "latency 200ms ± 0s on the edge link"
	Kind   FaultKind
	Effect Effect
	Links  []string // names of those that it is known to work on: "edge", "upstream", "upstream[1]"
	// MidStream says that it does nothing before it strikes. False for weather that is
	// there from the first connection on, and in records older than the question.
	MidStream bool
}

// Cuts reports whether streams in the way of the fault may break off.
func (f Fault) Cuts() bool { return f.Effect == Cuts }

// A Window is one stamped phase of one fault.
type Window struct {
	Scenario string
	Fault    Fault
	Phase    Phase
	At       time.Duration
	Why      string // the condition or the evidence
	// Victims are the sequence numbers of streams that the fault picked, where it
	// picks streams.
	Victims []uint64
}

// An Event is something that a process, a container or a relay did.
type Event struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	At       time.Duration `cbor:"2,keyasint,omitempty"`
	Source   EventSource   `cbor:"3,keyasint,omitempty"`
	Kind     EventKind     `cbor:"4,keyasint,omitempty"`
	Subject  string        `cbor:"5,keyasint,omitempty"` // "app[0]", "nginx", a container, a link
	// Role is that of the process in Subject; "" where the event is of Subject itself.
	Role Role `cbor:"11,keyasint,omitempty"`
	// Counter is whose reading Value is, of [KindCounter]: [MemoryCounter], [OOMCounter], ...
	Counter string `cbor:"12,keyasint,omitempty"`
	Pid     int    `cbor:"6,keyasint,omitempty"`
	Code    int    `cbor:"7,keyasint,omitempty"` // exit code or signal
	Value   int64  `cbor:"8,keyasint,omitempty"` // of a counter, or of threads
	Stream  uint64 `cbor:"9,keyasint,omitempty"` // the stream struck, 0 if none
	// Link is where a strike was done.
	Link string `cbor:"13,keyasint,omitempty"`
	Text string `cbor:"10,keyasint,omitempty"`
}

// A Role is what a process does in its replica.
type Role string

// WorkerRole is a process that serves streams below the one that was started. It
// comes and goes while its replica stays.
const WorkerRole Role = "worker"

// Who is the subject with its role, as sentences name it: "app[0] worker".
func (e *Event) Who() string { return strings.TrimSpace(e.Subject + " " + string(e.Role)) }

// Reading is the counter with its subject, as sentences name it: "app[0] oom_kill".
func (e *Event) Reading() string { return strings.TrimSpace(e.Subject + " " + e.Counter) }

// Of reports whether the event is a reading of the named counter.
func (e *Event) Of(counter string) bool { return e.Kind == KindCounter && e.Counter == counter }

// A Wave is what the load generator was asked for and what it did.
type Wave struct {
	Scenario   string        `cbor:"1,keyasint,omitempty"`
	Group      Group         `cbor:"2,keyasint,omitempty"`
	Hop        string        `cbor:"3,keyasint,omitempty"`
	Asked      int           `cbor:"4,keyasint,omitempty"` // streams
	Started    int           `cbor:"5,keyasint,omitempty"`
	LateStarts int           `cbor:"6,keyasint,omitempty"`
	Begin      time.Duration `cbor:"7,keyasint,omitempty"`
	End        time.Duration `cbor:"8,keyasint,omitempty"`
	// InBodyAtFault is how many of its streams were in their body when the fault
	// struck; -1 where no fault struck.
	InBodyAtFault int `cbor:"9,keyasint,omitempty"`
	// Clients is how many clients began, where one may send several streams: those that
	// the load asks for. 0 where each stream is one of them, and in older records.
	Clients int `cbor:"21,keyasint,omitempty"`
	// Solo is the stream that went down the wave's road alone: of this scenario, or
	// of an earlier one with the same road and request. 0 where there is none.
	Solo uint64 `cbor:"20,keyasint,omitempty"`
}

// Begun is how many of the streams asked for were started: not those that a client sent
// after its first.
func (w *Wave) Begun() int {
	if w.Clients > 0 {
		return w.Clients
	}
	return w.Started
}

// A Note is a doubt or a fact about the run that is no stream's own.
type Note struct {
	Scenario string        `cbor:"1,keyasint,omitempty"`
	At       time.Duration `cbor:"2,keyasint,omitempty"`
	Kind     NoteKind      `cbor:"3,keyasint,omitempty"`
	Text     string        `cbor:"4,keyasint,omitempty"`
	Settle   string        `cbor:"5,keyasint,omitempty"` // what would settle a doubt
}

// A NoteKind says what a note is for.
type NoteKind string

const (
	// NoteUnable says that the stack lacks what a scenario needs.
	NoteUnable NoteKind = "unable"
	// NoteInapplicable says that the app has nothing that the scenario could be
	// about, whatever the stack: one process, or none of ours.
	NoteInapplicable NoteKind = "not applicable"
	// NoteDoubt weakens what the scenario can prove.
	NoteDoubt NoteKind = "doubt"
	// NoteNeverStruck is the doubt about a fault whose condition was not met; its
	// text says why.
	NoteNeverStruck NoteKind = "never struck"
	// NoteHarness says that the harness itself failed.
	NoteHarness NoteKind = "harness"
	// NoteFact is background for the reader: versions, edge.
	NoteFact NoteKind = "fact"
)

// A Ledger is what the server says it did for one stream, asked for after the
// client has left.
type Ledger struct {
	Scenario string `cbor:"1,keyasint,omitempty"`
	Nonce    string `cbor:"2,keyasint,omitempty"`
	Stream   uint64 `cbor:"3,keyasint,omitempty"`
	// Starts is how often it began to answer a request with this nonce; 0 if it does
	// not say.
	Starts   int           `cbor:"4,keyasint,omitempty"`
	Produced int           `cbor:"5,keyasint,omitempty"` // events produced in all
	LeftAt   time.Duration `cbor:"6,keyasint,omitempty"` // when the client hung up
	StopAt   time.Duration `cbor:"7,keyasint,omitempty"` // when production stopped; Never if it still goes on
}

// Names of hops at which an edge answers: the nginx that we start, and an edge
// that already runs, whatever its software.
const (
	NginxHop   = "nginx"
	ForeignHop = "proxy"
)

// A Hop is one place at which the chain can be entered.
type Hop struct {
	Scenario string `cbor:"1,keyasint,omitempty"`
	// "edge" (the whole chain), [NginxHop] or [ForeignHop], "upstream", "app"
	Name string `cbor:"2,keyasint,omitempty"`
	URL  string `cbor:"3,keyasint,omitempty"`
	What string `cbor:"4,keyasint,omitempty"` // "toxiproxy v2.12.0", "nginx/1.22.1", "origin"
	// Process is the name of the process that listens there, where it is on this
	// machine: "haproxy", "python3".
	Process string `cbor:"50,keyasint,omitempty"`
}

// A Log is one file of the logs folder.
type Log struct {
	Scenario string
	Name     string // file name below logs/
	Kind     LogKind
	// Service is what the collector of the logs of several services calls the one that
	// wrote these lines: "app-1" of docker compose. "" elsewhere.
	Service string
	// Was is what the content shows: the software that writes it, and whether it
	// writes exceptions.
	Was   logline.Reading
	Lines []Line
	// Kube are the facts that the lines tell, where Kind is KubernetesLog: one a
	// line.
	Kube    []logline.KubeFact
	Pods    []logline.KubePod // those that stand in such a log as objects
	Omitted int               // lines beyond the bound, from the middle
	Outside int               // lines of other times than the scenario's
	shared  bool              // others wrote into the same file
}

// A LogKind says whose log it is and how to read it.
type LogKind = logline.Kind

// The kinds that stacks file their logs under; package logline has all.
const (
	NginxAccess   = logline.NginxAccess
	NginxError    = logline.NginxError
	AppLog        = logline.App
	ProxyLog      = logline.Proxy
	KubernetesLog = logline.Kubernetes
	NotALog       = logline.NoLog
)

// A Line is one line of a log.
type Line struct {
	N int // from 1
	// At is the earliest time at which it can have been written, Never where
	// nothing tells; it was written less than Within later.
	At     time.Duration
	Text   string
	Within time.Duration
	stamp  string // the time of a collector, where it is more exact than that in Text
}
