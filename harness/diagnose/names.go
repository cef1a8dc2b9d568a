package diagnose

// Names of causes, as they stand in [verdict.Cause]. They are part of the
// published format: other packages, tests and users' scripts compare them, so a
// name is never changed, only added. What each means stands in the table of causes.go.
const (
	// The answer itself.

	SilentTruncation  = "silent truncation by the app"
	AppError          = "application error mid-stream"
	OutlivesResources = "stream outlives its resources"
	LaunderedByEdge   = "truncation laundered by the edge"
	LaunderedByApp    = "truncation laundered by the app"
	CutInFrame        = "response cut inside a frame"
	InBandError       = "in-band error"
	ErrorThenTerminal = "error followed by the terminal"
	TerminalTwice     = "terminal sent twice"
	OpenAfterAnswer   = "connection left open after the answer"
	MissingTerminal   = "terminal missing, connection left open"
	CutAfterAnswer    = "connection cut after the answer"
	EndsByClose       = "body delimited by the close"
	LengthLie         = "content-length does not match the body"
	Spliced           = "second response spliced into the body"
	BrokenFraming     = "broken framing"
	LostEvent         = "event lost"
	DuplicatedEvent   = "event duplicated"
	ReorderedEvents   = "events reordered"
	ForeignEvent      = "foreign event"
	CorruptContent    = "content corrupted"
	TerminalNotSent   = "terminal never sent"

	FieldPrefixTwice = "field prefix sent twice"
	EventsJoined     = "no blank line between events"
	TerminalUnended  = "terminal lacks its blank line"
	UnframedError    = "error text outside of any event"
	ErrorDocument    = "error document behind status 200"
	FailureReason    = "finish reason says that it failed"
	SplitCharacters  = "characters split before they are decoded"

	// The user's own mistakes.

	TerminalTooBroad = "terminal matches events that others follow: is --terminal right?"
	FormNotRead      = "answer in a form that streamproof does not read"
	FeedTooSlow      = "too few events in the feed"
	FeedEnded        = "the feed ended"
	NeverEnds        = "the answer never ends: is it a feed?"

	TerminalUnmatched = "terminal never matched: is --terminal right?"
	WrongDialect      = "body does not parse: is --dialect right?"
	NotAStream        = "not a stream"

	RedirectLoop   = "redirect loop"
	RedirectedAway = "redirect to a host that is not allowed"
	BrokenRedirect = "redirect without a usable location"
	NotFollowed    = "redirect not followed"

	StallInApp       = "stall in the app"
	HeldOnTheWay     = "stall on the way"
	SlowFirstEvent   = "slow first event"
	HeartbeatsOnly   = "heartbeats without content"
	UnfinishedEvent  = "event never completed"
	BufferedByEdge   = "buffering by the edge"
	GzipByEdge       = "buffering by the edge (compression)"
	BufferedByApp    = "buffering by the app"
	GzipByApp        = "buffering by the app (compression)"
	JoinedByApp      = "buffering by the app (joined body)"
	BufferedSomehow  = "buffering, hop unknown"
	NoHeartbeat      = "no heartbeat during silence"
	BlockedLoop      = "blocked event loop"
	SerialisedLoop   = "serialised by a blocked event loop"
	ConcurrencyLimit = "limit of concurrent streams"
	Queue            = "queue in front of the app"
	ThreadPool       = "thread pool exhausted (40)"

	// Timeouts and life cycle.

	ProxyReadTimeout   = "proxy read timeout"
	IdleTimeout        = "idle timeout before the edge"
	IdleTimeoutInApp   = "idle timeout in the app"
	AbsoluteDeadline   = "absolute deadline"
	PayloadCap         = "payload size cap"
	CutByEdge          = "answer cut short by the edge"
	OneReplica         = "one replica fails"
	EdgeReloaded       = "edge reloaded under its streams"
	ProxyHeaderTimeout = "proxy read timeout before headers"
	SyncWorkerTimeout  = "worker timeout (sync worker)"
	BlockedLoopTimeout = "blocked event loop → worker timeout"
	WorkerRecycled     = "worker recycled"
	GraceTooShort      = "graceful window too short"
	NoGracefulShutdown = "no graceful shutdown"
	LivenessKill       = "liveness probe killed the container"
	PodDisrupted       = "pod ended by the cluster"
	RoutedLate         = "routed to a stopping pod"
	DeployGap          = "nothing listens (restart or deploy)"
	WorkerKilled       = "worker killed"
	MemoryKillWorker   = "memory kill (worker)"
	MemoryKillAll      = "memory kill (container)"
	Overloaded         = "load refused by the app"
	EdgeFull           = "edge out of connections"
	LeftOut            = "every server marked down by the edge"
	HTTPFailure        = "error status before the first event"

	NotPropagated = "disconnect not propagated"

	// Not the app's doing.

	InjectedFault = "injected fault"
	SelfInflicted = "self-inflicted by the harness"
	BusyMachine   = "machine too busy to judge"
	ConnectionCut = "connection cut, side unknown"
	NoAnswer      = "no response head, side unknown"
	TooMuch       = "answer over our size limit"
)
