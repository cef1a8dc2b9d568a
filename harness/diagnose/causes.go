package diagnose

import "strings"

// A Known is a cause as it is documented: what it is, and not how it was found in a
// run.
type Known struct {
	// Name is the one of [verdict.Cause]. Some causes have more behind it: "injected
	// fault: " and the fault's name.
	Name string
	// ID is the identifier of the taxonomy in verdict.json, a letter for the family and
	// a number: "B9". Several causes may share one; "X" is outside of the families.
	ID    string
	Layer string  // where it usually sits
	Line  string  // what happens, one sentence
	Alike []Alike // what it is mistaken for

	remedy remedy // what to do; empty where the rule itself says it, from what it saw
}

// An Alike is a cause that looks the same at first sight.
type Alike struct {
	Cause string // its name
	Tell  string // what tells it apart, about this other cause: "there the app died"
}

// A family is the causes of one kind, as a chapter of README.md.
type family struct {
	title  string
	causes []Known
}

// docURL is where the causes are described.
const docURL = "https://github.com/streamproof/streamproof/blob/main/harness/diagnose/README.md"

// Lookup returns the cause of that name, as it stands in [verdict.Cause].
func Lookup(name string) (Known, bool) {
	if strings.HasPrefix(name, InjectedFault+":") {
		name = InjectedFault
	}
	for _, f := range families {
		for _, k := range f.causes {
			if k.Name == name {
				return k, true
			}
		}
	}
	return Known{}, false
}

// idOf is the identifier of a cause; one that is not in the table is outside of the
// families.
func idOf(name string) string {
	if k, ok := Lookup(name); ok {
		return k.ID
	}
	return "X"
}

// Link is where the cause of that name is described; "" for one that is not.
func Link(name string) string {
	k, ok := Lookup(name)
	if !ok {
		return ""
	}
	return docURL + "#" + k.anchor()
}

// families are all causes that this package names.
var families = []family{
	{"The answer itself", []Known{
		{SilentTruncation, "A3", layerApp,
			"The app ends its answer properly, but without its final event, as if all had been sent.",
			[]Alike{{LaunderedByEdge,
				"there the app died, and its death is in a log or the same answer is cut when the app is asked directly"}},
			remedy{app: fixEnd}},
		{AppError, "A2", layerApp,
			"The code that produces the answer raises an exception after status 200, and the server cuts the connection.",
			[]Alike{
				{OutlivesResources, "there every answer ends at the same early event"},
				{WorkerKilled, "there all streams of the process end at once"},
			}, remedy{app: fixRaised}},
		{OutlivesResources, "A1", layerApp,
			"The handler closes what the answer is read from (a session, a file, a client) before the answer is written.",
			[]Alike{{AppError, "there the place varies, and no message says that something was closed"}},
			remedy{app: fixResources}},
		{LaunderedByEdge, "B9", layerEdge,
			"The app's answer was cut, and the proxy ends it properly: the client sees success.",
			[]Alike{
				{SilentTruncation, "ask the app directly"},
				{LaunderedByApp, "there the app's own server ends the answer properly"},
			}, remedy{edge: edgeHonest}},
		{LaunderedByApp, "A4", layerApp,
			"The answer raised an exception, and a middleware or handler of the app ended it properly.",
			[]Alike{{LaunderedByEdge, "that one needs a proxy; this one is there when the app is asked directly"}},
			remedy{app: fixSwallowed}},
		{CutInFrame, "J5", layerApp, "The answer ends properly in the middle of an event.",
			[]Alike{{SilentTruncation, "there the last event is whole"}}, remedy{app: fixEnd}},
		{InBandError, "A5", layerApp,
			"The server says in the answer that it failed, after status 200.", nil, remedy{}},
		{ErrorThenTerminal, "A5", layerApp,
			"The server says that it failed, and then sends the final event of a success all the same.",
			[]Alike{{InBandError, "there nothing claims success"}}, remedy{}},
		{TerminalTwice, "J2", layerApp, "One answer has more than one final event.", nil, remedy{}},
		{OpenAfterAnswer, "X", layerApp, "The answer is complete, and neither the body nor the connection is ended.",
			[]Alike{{MissingTerminal, "there the final event is missing"}}, remedy{}},
		{MissingTerminal, "X", layerApp,
			"All content was sent, then neither the final event nor the end of the body comes.",
			[]Alike{{StallInApp, "there content is missing, too"}}, remedy{app: fixEnd}},
		{CutAfterAnswer, "X", layerApp,
			"The answer is complete, and the connection is then cut instead of ended. Most clients do not notice.",
			nil, remedy{}},
		{EndsByClose, "B8", layerApp,
			"The body has no length and no chunks, so that its end cannot be told from a cut.",
			[]Alike{{SilentTruncation, "there the framing proves that the server meant to end"}},
			remedy{edge: edgeHonest}},
		{LengthLie, "A7", layerApp, "The body is shorter or longer than its Content-Length.",
			[]Alike{{AppError, "look in the app's log for the server's complaint"}}, remedy{app: fixLength}},
		{Spliced, "A8", layerApp,
			"A second HTTP response stands inside the body, such as the error page of a worker that timed out.",
			[]Alike{{BrokenFraming, "there the bytes are no response"}}, remedy{}},
		{BrokenFraming, "A8", layerApp,
			"Bytes stand where HTTP/1.1 wants a chunk header or a chunk's end.", nil, remedy{}},
		{LostEvent, "X", layerApp, "An event in the middle of the answer is missing: the numbers jump.",
			[]Alike{{ReorderedEvents, "there it comes later"}}, remedy{}},
		{DuplicatedEvent, "J2", layerApp,
			"An event comes twice, often after a retry that begins anew.", nil, remedy{}},
		{ReorderedEvents, "X", layerApp, "Events change places: several writers serve one stream.",
			[]Alike{{LostEvent, "there the event never comes"}}, remedy{}},
		{ForeignEvent, "N18", layerApp, "An event belongs to somebody else's answer.", nil, remedy{}},
		{CorruptContent, "X", layerApp,
			"Bytes inside the events are not what the server's checksum or grammar says.", nil, remedy{}},
		{TerminalNotSent, "X", layerApp,
			"The answer says that it is over, but the sentinel that clients wait for is not sent.",
			[]Alike{{SilentTruncation, "there the answer does not say that it is over"}}, remedy{}},
		{FieldPrefixTwice, "X", layerApp, "Events are framed twice: data: data: {…}.",
			[]Alike{{WrongDialect, "look at the raw body"}}, remedy{}},
		{EventsJoined, "X", layerApp,
			"No blank line parts the events, so that clients take several for one.", nil, remedy{}},
		{TerminalUnended, "J5", layerApp,
			"The final event has no blank line after it: clients that follow the standard never see it.",
			[]Alike{{SilentTruncation, "there it is not sent at all"}}, remedy{}},
		{UnframedError, "A5", layerApp, "The text of an error stands outside of any event, where clients ignore it.",
			[]Alike{{InBandError, "there it is an event"}}, remedy{}},
		{ErrorDocument, "A5", layerApp, "A JSON or HTML error comes with status 200 where a stream was asked for.",
			[]Alike{{NotAStream, "that body says nothing of a failure"}}, remedy{}},
		{FailureReason, "A5", layerApp,
			"The finish reason says that the answer failed; the sentinel of success follows.",
			[]Alike{{ErrorThenTerminal, "there an event of its own says so"}}, remedy{}},
		{SplitCharacters, "X", layerApp,
			"Bytes are decoded to text piece by piece, and characters that were split become U+FFFD.",
			[]Alike{{CorruptContent, "there other bytes are wrong, too"}}, remedy{}},
	}},
	{"The user's own settings", []Known{
		{TerminalTooBroad, "X", layerHarness, "The expression for the final event matches events that others follow.",
			[]Alike{{TerminalTwice, "there the server does send two"}}, remedy{}},
		{TerminalUnmatched, "X", layerHarness,
			"The expression for the final event matched nothing, although answers end properly.",
			[]Alike{{SilentTruncation, "there some answers have it"}}, remedy{}},
		{WrongDialect, "X", layerHarness, "The body does not parse in the dialect that was chosen.",
			[]Alike{{CorruptContent, "there most of it parses"}}, remedy{}},
		{FormNotRead, "X", layerHarness,
			"The answer comes in a form that streamproof does not read, such as an unknown compression.", nil, remedy{}},
		{NotAStream, "X", layerApp, "The answer is one document, and no stream.", nil, remedy{}},
		{FeedTooSlow, "X", layerApp, "A feed that is read for a fixed time sends fewer events than were asked for.",
			[]Alike{{StallInApp, "there the limit on a gap is passed"}}, remedy{}},
		{FeedEnded, "X", layerApp, "A feed that should go on ended by itself.",
			[]Alike{{AbsoluteDeadline, "there all end at one age"}}, remedy{}},
		{NeverEnds, "X", layerHarness, "The answer continues until our own limit: it is a feed.", nil, remedy{}},
	}},
	{"Redirects", []Known{
		{RedirectLoop, "X", layerApp, "Redirects lead to where they came from.", nil, remedy{}},
		{RedirectedAway, "X", layerHarness,
			"A redirect leads to a host to which no load may be sent.", nil, remedy{}},
		{BrokenRedirect, "X", layerApp, "A redirect has no usable Location.", nil, remedy{}},
		{NotFollowed, "X", layerHarness, "A redirect came, and following is off.", nil, remedy{}},
	}},
	{"Delay", []Known{
		{StallInApp, "A6", layerApp,
			"The app falls silent for longer than the gap limit, and keeps the connection open.",
			[]Alike{
				{HeldOnTheWay, "there the server's stamps show that it went on"},
				{BlockedLoop, "there all streams of the process are silent together"},
			}, remedy{app: fixStall}},
		{HeldOnTheWay, "X", layerNetwork, "The app sends in time, and a link or proxy holds the bytes.",
			[]Alike{{StallInApp, "ask the app directly"}}, remedy{edge: edgeUnbuffered}},
		{SlowFirstEvent, "X", layerApp, "The head comes in time, and the first event late.",
			[]Alike{{Queue, "there the wait grows with the position"}}, remedy{app: fixFirst}},
		{HeartbeatsOnly, "X", layerApp, "Heartbeats go on although what produces the content has stopped.",
			[]Alike{{StallInApp, "there nothing comes at all"}}, remedy{app: fixProducer}},
		{UnfinishedEvent, "X", layerApp, "The bytes of one event drip, and its end never comes.",
			[]Alike{{StallInApp, "there no bytes come"}}, remedy{}},
		{BufferedByEdge, "B1", layerEdge, "The proxy collects events and releases them in bursts.",
			[]Alike{{BufferedByApp, "ask the app directly"}}, remedy{edge: edgeUnbuffered}},
		{GzipByEdge, "B2", layerEdge, "The proxy compresses the stream, and the compressor collects events.",
			[]Alike{{BufferedByEdge, "ask without Accept-Encoding"}}, remedy{edge: edgeUncompressed}},
		{BufferedByApp, "B", layerApp, "The app collects events and writes them in bursts.",
			[]Alike{{BufferedByEdge, "there it is gone when the app is asked directly"}}, remedy{app: fixFlush}},
		{GzipByApp, "B5", layerApp,
			"A middleware of the app compresses the stream, and the compressor collects events.",
			[]Alike{{BufferedByApp, "ask without Accept-Encoding"}}, remedy{app: fixCompression}},
		{JoinedByApp, "B6", layerApp,
			"A middleware of the app reads the whole body first and sends it with a Content-Length.",
			[]Alike{{BufferedByApp, "there is no Content-Length"}}, remedy{app: fixFlush}},
		{BufferedSomehow, "B", layerApp,
			"Events come in bursts; nothing says which hop collects them.", nil, remedy{}},
		{NoHeartbeat, "D7", layerApp,
			"Nothing at all is sent during a long silence, so that any idle timer on the way may end the stream.",
			[]Alike{{StallInApp, "there the limit on a gap is passed"}}, remedy{app: fixHeartbeat}},
		{BlockedLoop, "F1", layerApp, "Blocking work in an event loop stops all streams of the process for a moment.",
			[]Alike{
				{StallInApp, "there one stream is silent"},
				{BusyMachine, "there the machine was out of CPU"},
			}, remedy{app: fixBlocked}},
		{SerialisedLoop, "F3", layerApp, "Blocking work in an event loop serves one stream after the other.",
			[]Alike{{Queue, "there the streams are served several at a time"}}, remedy{app: fixBlocked}},
		{ConcurrencyLimit, "H", layerApp, "Never more than N streams are served at a time; the others wait.",
			[]Alike{{ThreadPool, "there N is 40 a process"}},
			remedy{edge: edgeConnections, app: fixLimit, either: true}},
		{Queue, "X", layerApp, "The wait for the first event grows with the position in the queue.",
			[]Alike{{SlowFirstEvent, "there all wait about as long"}}, remedy{app: fixLimit}},
		{ThreadPool, "F2", layerApp,
			"Synchronous generators use up the pool of 40 threads that Starlette gives a process.",
			[]Alike{{ConcurrencyLimit, "at another number than 40"}}, remedy{app: fixPool}},
	}},
	{"Timeouts and life cycle", []Known{
		{ProxyReadTimeout, "D1", layerEdge,
			"The proxy gives up on an app that was silent for longer than its read timeout.",
			[]Alike{
				{IdleTimeout, "there another hop counts"},
				{AbsoluteDeadline, "there streams that were not silent end, too"},
			}, remedy{edge: edgeIdle, app: fixHeartbeat}},
		{IdleTimeout, "D4", layerNetwork,
			"A load balancer or firewall in front of the proxy ends streams that were silent for one length of time.",
			[]Alike{{ProxyReadTimeout, "the proxy's log would say so"}}, remedy{edge: edgeIdle, app: fixHeartbeat}},
		{IdleTimeoutInApp, "X", layerApp,
			"The app ends its own answer after a silence of one length: a timeout towards its model or database.",
			[]Alike{{ProxyReadTimeout, "there it is gone when the app is asked directly"}}, remedy{app: fixOwnIdle}},
		{AbsoluteDeadline, "D5", layerEdge,
			"All streams end at one age, whatever they send: a limit on the whole request.",
			[]Alike{
				{ProxyReadTimeout, "there a heartbeat helps"},
				{SyncWorkerTimeout, "there the worker manager says so"},
			}, remedy{edge: edgeDeadline, app: fixDeadline, either: true}},
		{PayloadCap, "H6", layerEdge, "All streams end at one number of bytes.",
			[]Alike{{AbsoluteDeadline, "there the age is the same"}},
			remedy{edge: edgeCap, app: fixCap, either: true}},
		{CutByEdge, "X", layerEdge, "Streams are cut behind the proxy alone, and nothing says why.",
			[]Alike{{AppError, "there they are cut when the app is asked directly, too"}}, remedy{edge: edgeCutter}},
		{OneReplica, "X", layerApp, "The streams of one replica go wrong, and no others.",
			[]Alike{{WorkerKilled, "there the process ended"}}, remedy{}},
		{EdgeReloaded, "E10", layerEdge, "The proxy was reloaded or stopped, and cut the streams in flight.",
			[]Alike{{WorkerKilled, "there a process of the app ended"}}, remedy{edge: edgeReload}},
		{ProxyHeaderTimeout, "D2", layerEdge, "The proxy gives up before the app has sent its head.",
			[]Alike{{SlowFirstEvent, "there the head came"}}, remedy{edge: edgeHeader, app: fixFirst}},
		{SyncWorkerTimeout, "E1", layerManager,
			"A synchronous worker is killed because one request took longer than its timeout.",
			[]Alike{
				{BlockedLoopTimeout, "there the streams were silent before"},
				{AbsoluteDeadline, "there no worker ends"},
			}, remedy{app: fixWorkerTimeout}},
		{BlockedLoopTimeout, "E2", layerManager,
			"Blocking work stops the heartbeat of a worker, and its manager kills it with all its streams.",
			[]Alike{{SyncWorkerTimeout, "there each stream has a worker of its own"}}, remedy{app: fixBlocked}},
		{WorkerRecycled, "E3", layerManager,
			"A worker that has served its number of requests is replaced, and its streams are cut.",
			[]Alike{{BlockedLoopTimeout, "there nothing announces the end"}}, remedy{app: fixRecycled}},
		{GraceTooShort, "E4", layerManager, "A stop or deploy gives streams less time than they take.",
			[]Alike{{WorkerKilled, "there nobody asked it to stop"}}, remedy{app: fixGrace}},
		{NoGracefulShutdown, "E4", layerApp, "The app dies at once when it is asked to stop.",
			[]Alike{{GraceTooShort, "there it goes on for a while"}}, remedy{app: fixNoShutdown}},
		{DeployGap, "E6", layerApp, "During a restart or deploy nothing listens, and new streams are refused.",
			[]Alike{{Overloaded, "there something answers"}}, remedy{}},
		{WorkerKilled, "E7", layerManager, "A process ended without any message, and its streams with it.",
			[]Alike{
				{MemoryKillWorker, "there the kernel counted a kill"},
				{GraceTooShort, "there somebody asked it to stop"},
			}, remedy{}},
		{MemoryKillWorker, "E9", layerKernel, "The kernel killed a worker for memory; the container lives on.",
			[]Alike{{WorkerKilled, "a signal 9 without a kill that the kernel counted"}}, remedy{app: fixMemory}},
		{MemoryKillAll, "E9", layerKernel, "The kernel killed the container's main process for memory.",
			[]Alike{{NoGracefulShutdown, "exit code 137 alone proves nothing"}}, remedy{app: fixMemory}},
		{Overloaded, "H4", layerApp, "The app answers 503 or 429: it has as many streams as it takes.",
			[]Alike{{EdgeFull, "there the proxy says so"}}, remedy{}},
		{EdgeFull, "H1", layerEdge, "The proxy has no connection left.",
			[]Alike{{Overloaded, "there the app answered"}}, remedy{edge: edgeConnections}},
		{HTTPFailure, "X", layerApp, "An error status comes before the first event.",
			[]Alike{{Overloaded, "there the status is 429 or 503"}}, remedy{}},
	}},
	{"After the client has left", []Known{
		{NotPropagated, "G1", layerApp,
			"The server goes on producing an answer whose client has left.", nil, remedy{edge: edgeAbort, app: fixLeak}},
	}},
	{"Not the app's doing", []Known{
		{InjectedFault, "X", layerNetwork, "Our own fault did it: its name follows.", nil, remedy{}},
		{SelfInflicted, "D6", layerHarness, "A limit of the harness ended the stream.",
			[]Alike{{ProxyReadTimeout, "there the limit is another hop's"}}, remedy{}},
		{BusyMachine, "X", layerHarness, "The machine had too little CPU or memory left for a judgement.",
			[]Alike{{BlockedLoop, "there the machine had CPU left"}}, remedy{}},
		{ConnectionCut, "X", layerNetwork, "The connection was cut, and nothing says by which side.", nil, remedy{}},
		{NoAnswer, "X", layerNetwork, "No response head came, and nothing says why.", nil, remedy{}},
		{TooMuch, "D6", layerApp, "The answer is larger than the harness reads.", nil, remedy{}},
	}},
}
