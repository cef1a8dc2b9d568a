package diagnose

// Names of causes, as they stand in [verdict.Cause]. They are part of the
// published format: other packages, tests and users' scripts compare them, so a
// name is never changed, only added. The comment gives the identifier of the
// failure taxonomy; "X" marks causes outside of it.
const (
	// The answer itself.

	SilentTruncation  = "silent truncation by the app"     // A3: clean end, no terminal, nothing between us and the app to blame
	AppError          = "application error mid-stream"     // A2: the generator raised
	OutlivesResources = "stream outlives its resources"    // A1: the handler closed what the generator needs
	LaunderedByEdge   = "truncation laundered by the edge" // B9: an upstream death became a clean end
	LaunderedByApp    = "truncation laundered by the app"  // A4: a middleware ended the body after an exception
	CutInFrame        = "response cut inside a frame"      // J5: the bytes end in the middle of an event
	InBandError       = "in-band error"                    // A5: the server said that it failed, after status 200
	ErrorThenTerminal = "error followed by the terminal"   // A5: and then sent the sentinel of success as well
	TerminalTwice     = "terminal sent twice"              // J2: more than one end to one answer
	OpenAfterAnswer   = "connection left open after the answer"
	MissingTerminal   = "terminal missing, connection left open"
	CutAfterAnswer    = "connection cut after the answer"
	EndsByClose       = "body delimited by the close"            // B8: no end can be told from a cut
	LengthLie         = "content-length does not match the body" // A7
	Spliced           = "second response spliced into the body"  // A8
	BrokenFraming     = "broken framing"
	LostEvent         = "event lost"
	DuplicatedEvent   = "event duplicated"
	ReorderedEvents   = "events reordered"
	ForeignEvent      = "foreign event" // N18: content of another stream
	CorruptContent    = "content corrupted"
	TerminalNotSent   = "terminal never sent" // the answer says that it is over, its sentinel lacks

	FieldPrefixTwice = "field prefix sent twice"                  // X: data: data: {…}
	EventsJoined     = "no blank line between events"             // X: several events in one block
	TerminalUnended  = "terminal lacks its blank line"            // J5: the last event is never dispatched
	UnframedError    = "error text outside of any event"          // A5: clients ignore or drop it
	ErrorDocument    = "error document behind status 200"         // A5: where a stream was asked for
	FailureReason    = "finish reason says that it failed"        // A5: abort, error, then the sentinel all the same
	SplitCharacters  = "characters split before they are decoded" // X: U+FFFD side by side

	// The user's own mistakes.

	TerminalTooBroad = "terminal matches events that others follow: is --terminal right?"
	FormNotRead      = "answer in a form that streamproof does not read"
	FeedTooSlow      = "too few events in the feed"
	FeedEnded        = "the feed ended"
	NeverEnds        = "the answer never ends: is it a feed?"

	TerminalUnmatched = "terminal never matched: is --terminal right?"
	WrongDialect      = "body does not parse: is --dialect right?"
	NotAStream        = "not a stream"

	// Redirects.

	RedirectLoop   = "redirect loop"
	RedirectedAway = "redirect to a host that is not allowed"
	BrokenRedirect = "redirect without a usable location"
	NotFollowed    = "redirect not followed"

	// Delay.

	StallInApp       = "stall in the app"
	HeldOnTheWay     = "stall on the way" // emitted in time, held by a link or hop
	SlowFirstEvent   = "slow first event"
	HeartbeatsOnly   = "heartbeats without content"          // X: they hide that the producer has stopped
	UnfinishedEvent  = "event never completed"               // X: its bytes drip and its end never comes
	BufferedByEdge   = "buffering by the edge"               // B1
	GzipByEdge       = "buffering by the edge (compression)" // B2
	BufferedByApp    = "buffering by the app"
	GzipByApp        = "buffering by the app (compression)" // B5
	JoinedByApp      = "buffering by the app (joined body)" // B6
	BufferedSomehow  = "buffering, hop unknown"
	NoHeartbeat      = "no heartbeat during silence"        // D7
	BlockedLoop      = "blocked event loop"                 // F1
	SerialisedLoop   = "serialised by a blocked event loop" // F3: one stream at a time, all others get nothing meanwhile
	ConcurrencyLimit = "limit of concurrent streams"        // H: never more than N at a time, whoever sets N
	Queue            = "queue in front of the app"          // X: waiting grows with the position
	ThreadPool       = "thread pool exhausted (40)"         // F2

	// Timeouts and life cycle.

	ProxyReadTimeout   = "proxy read timeout"                  // D1
	IdleTimeout        = "idle timeout before the edge"        // D4
	IdleTimeoutInApp   = "idle timeout in the app"             // X: the app ends its answer after a silence of one length
	AbsoluteDeadline   = "absolute deadline"                   // D5, N8: all end at one age, whatever flows
	PayloadCap         = "payload size cap"                    // H6, N20: all end at one number of bytes
	CutByEdge          = "answer cut short by the edge"        // X: only behind it, and nothing says why
	OneReplica         = "one replica fails"                   // X: all of one, none of the others
	EdgeReloaded       = "edge reloaded under its streams"     // E10
	ProxyHeaderTimeout = "proxy read timeout before headers"   // D2
	SyncWorkerTimeout  = "worker timeout (sync worker)"        // E1
	BlockedLoopTimeout = "blocked event loop → worker timeout" // E2
	WorkerRecycled     = "worker recycled"                     // E3
	GraceTooShort      = "graceful window too short"           // E4
	NoGracefulShutdown = "no graceful shutdown"                // E4: dies at once on SIGTERM
	DeployGap          = "nothing listens (restart or deploy)" // E6
	WorkerKilled       = "worker killed"                       // E7
	MemoryKillWorker   = "memory kill (worker)"                // E9
	MemoryKillAll      = "memory kill (container)"             // E9
	Overloaded         = "load refused by the app"             // H4, H5
	EdgeFull           = "edge out of connections"             // H1
	HTTPFailure        = "error status before the first event"

	// Beyond the client.

	NotPropagated = "disconnect not propagated" // G1

	// Not the app's doing.

	InjectedFault = "injected fault" // X: followed by ": " and the fault's name
	SelfInflicted = "self-inflicted by the harness"
	BusyMachine   = "machine too busy to judge"
	ConnectionCut = "connection cut, side unknown"
	NoAnswer      = "no response head, side unknown"
	TooMuch       = "answer over our size limit"
)
