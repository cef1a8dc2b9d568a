package stack

import (
	"context"
	"time"
)

// Names of links.
const (
	EdgeLink     = "edge"
	UpstreamLink = "upstream" // upstream[i] for replica i: see [Link.Name]
)

// A Link is a stretch of network that can be faulted. Only its main lane ever
// is.
type Link interface {
	Name() string // "edge", "upstream[0]"
	// Add attaches a toxic, also to connections that stand. It must not be
	// called while clients have stopped reading (toxiproxy#558); ctx bounds it,
	// and a missed deadline is the harness's failure, never the app's.
	Add(ctx context.Context, t Toxic) error
	// Remove takes a toxic off by name; removing one that is not there is no
	// error.
	Remove(ctx context.Context, name string) error
	// SetUp cuts the link (false: standing connections end, new ones are
	// refused) or restores it.
	SetUp(ctx context.Context, up bool) error
}

// A Direction is which way bytes travel through a link.
type Direction string

const (
	Downstream Direction = "downstream" // towards the client
	Upstream   Direction = "upstream"
)

// A Toxic is one of toxiproxy's. Toxicity is always 1.
type Toxic struct {
	Name      string
	Type      string // "latency", "bandwidth", "slicer", "slow_close", "limit_data", "timeout"
	Direction Direction
	Attr      map[string]any
}

// Latency delays every byte by d, give or take jitter.
func Latency(d, jitter time.Duration) Toxic {
	return Toxic{Name: "latency", Type: "latency", Direction: Downstream,
		Attr: map[string]any{"latency": d.Milliseconds(), "jitter": jitter.Milliseconds()}}
}

// Stall lets nothing through and loses nothing: bandwidth at rate 0.
// It resumes when it is removed.
func Stall() Toxic {
	return Toxic{Name: "stall", Type: "bandwidth", Direction: Downstream, Attr: map[string]any{"rate": 0}}
}

// Bandwidth limits to rate KB/s.
func Bandwidth(rate int) Toxic {
	return Toxic{Name: "bandwidth", Type: "bandwidth", Direction: Downstream, Attr: map[string]any{"rate": rate}}
}

// An Action is what a strike does.
type Action string

const (
	RST       Action = "rst"        // reset both sides at once
	FIN       Action = "fin"        // orderly end of both sides
	HalfClose Action = "half-close" // FIN towards the client, the other way left open
	Hold      Action = "stall"      // hold all bytes for For, then go on: lossless
	Flip      Action = "corrupt"    // change one byte of the event's payload
	Refuse    Action = "refuse"     // reset the connection when the request arrives
	Blackhole Action = "blackhole"  // swallow everything from here on, connection left open
	Truncate  Action = "truncate"   // pass half of event k, then FIN
)

// A Strike hits one stream at an exact place.
type Strike struct {
	Stream uint64 // as sent in StreamHeader
	// After is how many whole events are passed on first: 0 strikes before the
	// first event, but after the headers.
	After  int
	Action Action
	For    time.Duration // of a Hold
	// Age takes the place of After: the strike is done so long after the request
	// came by, wherever the answer stands by then.
	Age time.Duration
}

// A Striker is a link that can strike. The stack must have been opened with
// Spec.Strikes.
type Striker interface {
	// Arm adds strikes. Each is done at most once.
	Arm(ctx context.Context, strikes ...Strike) error
	// Ledger lists the strikes that were done, in the order of their times.
	Ledger(ctx context.Context) ([]Struck, error)
}

// A Struck is the ledger's line for one strike done.
type Struck struct {
	Strike
	Link   string        // where
	At     time.Duration // the run's clock
	Passed int           // events passed on before it
	Bytes  int64         // body bytes passed on before it
	Err    string        // why it could not be done
}

// Roles of a process in its replica.
const (
	RoleMaster = "master" // what a process manager would signal
	RoleWorker = "worker" // a child of the master: it serves streams
	RoleHelper = "helper" // serves none: a wrapper, or a runtime's own process
)

// A Process is part of a replica.
type Process struct {
	Replica string // name
	Pid     int
	Parent  int
	Role    string // [RoleMaster], [RoleWorker] or [RoleHelper]
	Command string
	Sockets int // open now; 0 where we cannot see them
}

// A Killer can see and signal the processes of the app.
type Killer interface {
	Processes(ctx context.Context) ([]Process, error)
	// Signal sends sig (a number, as in syscall.Signal) to one of them.
	Signal(ctx context.Context, p Process, sig int) error
}

// A Pauser can freeze a replica and thaw it.
type Pauser interface {
	Pause(ctx context.Context, replica string) error
	Unpause(ctx context.Context, replica string) error
}

// A Stopper can stop a replica (SIGTERM, then SIGKILL after grace, where 0 is the app's
// own) and start it again at the same place in the chain.
type Stopper interface {
	Stop(ctx context.Context, replica string, grace time.Duration) error
	Start(ctx context.Context, replica string) error
}

// A Crasher ends a replica as a whole, as hard as it can, where its processes are not ours
// to kill. It says how.
type Crasher interface {
	Crash(ctx context.Context, replica string) (how string, err error)
}

// A Roller replaces all replicas as its platform does it, and tells of each one when it
// is asked to go.
type Roller interface {
	Roll(ctx context.Context, going func(replica string)) error
}

// A NodeDrainer can take the machine that a replica runs on out of service, as somebody does
// who is to maintain it: no new replica goes there, and all of the app's that are there are
// asked to leave.
type NodeDrainer interface {
	// DrainNode tells of each replica when it is asked to go, and returns when all of them
	// have gone.
	DrainNode(ctx context.Context, replica string, going func(replica string)) error
	// FreeNode takes that machine back into service, and returns when the app has all its
	// replicas again. Where none is out of service it does nothing.
	FreeNode(ctx context.Context) error
}

// A Reloader can make the edge read its configuration again.
type Reloader interface {
	Reload(ctx context.Context) error
}

// A Scaler can add and remove replicas behind the edge.
type Scaler interface {
	AddReplica(ctx context.Context) (Replica, error)
	RemoveReplica(ctx context.Context, name string) error
}

// A Filler can press memory on a replica until the kernel acts.
type Filler interface {
	FillMemory(ctx context.Context, replica string, bytes int64) error
}

// A Squeezer can change a replica's memory limit while it runs.
type Squeezer interface {
	// Squeeze sets the limit to bytes; 0 gives back the one that it was started
	// with.
	Squeeze(ctx context.Context, replica string, bytes int64) error
}

// A Blamer chooses the process that the kernel kills when a replica runs out of
// memory.
type Blamer interface {
	Blame(ctx context.Context, p Process) error
}

// A Counter reads counters of the kernel or runtime: "oom_kill",
// "memory.failcnt", "cpu.nr_throttled".
type Counter interface {
	Counters(ctx context.Context, replica string) (map[string]int64, error)
}

// ThrottledCounter is the counter of how long a CPU quota kept a replica from
// running, in nanoseconds.
const ThrottledCounter = "cpu.throttled_ns"

// A Hosted stack knows the processes of its parts by the numbers of the machine
// that we run on.
type Hosted interface {
	// HostPids lists the first process of each part; their children belong to it.
	// Parts whose processes cannot be seen from here are left out.
	HostPids() []int
}

// A Settler sees some things only when it looks. Settle has it look once more and
// tell what it finds: a kill in the last moment of a run is told before Close.
type Settler interface {
	Settle(ctx context.Context)
}

// A Twinner can start a second edge of the form of its own, whose only upstream
// is the origin of a probe (harness/origin), so that the edge can be asked what it
// does without a stream of the app's in its way.
type Twinner interface {
	// Twin starts both. A twin is quiet: it tells no event and leaves no log. Its
	// Close must be called.
	Twin(ctx context.Context) (Twin, error)
}

// A Twin is a running second edge.
type Twin struct {
	URL   string
	What  string // "nginx 1.22.1, form default"
	Close func(context.Context) error
}
