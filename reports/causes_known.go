package reports

import "github.com/streamproof/streamproof/harness/diagnose"

// A causeDoc is a cause in words.
type causeDoc struct {
	line  string            // what happens, one sentence
	alike map[string]string // what tells a cause apart that looks the same, about that other one
}

// causeDocs are by the name of the cause; they render harness/diagnose/README.md.
var causeDocs = map[string]causeDoc{
	// The answer itself.
	diagnose.SilentTruncation: {"The app ends its answer properly, but without its final event, as if all had " +
		"been sent.", map[string]string{
		diagnose.LaunderedByEdge: "there the app died, and its death is in a log or the same answer is cut " +
			"when the app is asked directly",
	}},
	diagnose.AppError: {"The code that produces the answer raises an exception after status 200, and the server " +
		"cuts the connection.", map[string]string{
		diagnose.OutlivesResources: "there every answer ends at the same early event",
		diagnose.WorkerKilled:      "there all streams of the process end at once",
	}},
	diagnose.OutlivesResources: {"The handler closes what the answer is read from (a session, a file, a client) " +
		"before the answer is written.", map[string]string{
		diagnose.AppError: "there the place varies, and no message says that something was closed",
	}},
	diagnose.LaunderedByEdge: {"The app's answer was cut, and the proxy ends it properly: the client sees " +
		"success.", map[string]string{
		diagnose.SilentTruncation: "ask the app directly",
		diagnose.LaunderedByApp:   "there the app's own server ends the answer properly",
	}},
	diagnose.LaunderedByApp: {"The answer raised an exception, and a middleware or handler of the app ended it " +
		"properly.", map[string]string{
		diagnose.LaunderedByEdge: "that one needs a proxy; this one is there when the app is asked directly",
	}},
	diagnose.CutInFrame: {"The answer ends properly in the middle of an event.", map[string]string{
		diagnose.SilentTruncation: "there the last event is whole",
	}},
	diagnose.InBandError: {line: "The server says in the answer that it failed, after status 200."},
	diagnose.ErrorThenTerminal: {"The server says that it failed, and then sends the final event of a success " +
		"anyway.", map[string]string{
		diagnose.InBandError: "there nothing claims success",
	}},
	diagnose.TerminalTwice: {line: "One answer has more than one final event."},
	diagnose.OpenAfterAnswer: {"The answer is complete, and neither the body nor the connection is " +
		"ended.", map[string]string{
		diagnose.MissingTerminal: "there the final event is missing",
	}},
	diagnose.MissingTerminal: {"All content was sent, then neither the final event nor the end of the body " +
		"comes.", map[string]string{
		diagnose.StallInApp: "there content is missing, too",
	}},
	diagnose.CutAfterAnswer: {line: "The answer is complete, and the connection is then cut instead of ended. " +
		"Most clients do not notice."},
	diagnose.EndsByClose: {"The body has no length and no chunks, so that its end cannot be told from a " +
		"cut.", map[string]string{
		diagnose.SilentTruncation: "there the framing proves that the server meant to end",
	}},
	diagnose.LengthLie: {"The body is shorter or longer than its Content-Length.", map[string]string{
		diagnose.AppError: "look in the app's log for the server's complaint",
	}},
	diagnose.Spliced: {"A second HTTP response stands inside the body, such as the error page of a worker that " +
		"timed out.", map[string]string{
		diagnose.BrokenFraming: "there the bytes are no response",
	}},
	diagnose.BrokenFraming: {line: "Bytes stand where HTTP/1.1 wants a chunk header or a chunk's end."},
	diagnose.LostEvent: {"An event in the middle of the answer is missing: the numbers jump.", map[string]string{
		diagnose.ReorderedEvents: "there it comes later",
	}},
	diagnose.DuplicatedEvent: {line: "An event comes twice, often after a retry that begins anew."},
	diagnose.ReorderedEvents: {"Events change places: several writers serve one stream.", map[string]string{
		diagnose.LostEvent: "there the event never comes",
	}},
	diagnose.ForeignEvent:   {line: "An event belongs to somebody else's answer."},
	diagnose.CorruptContent: {line: "Bytes inside the events are not what the server's checksum or grammar says."},
	diagnose.TerminalNotSent: {"The answer says that it is over, but the sentinel that clients wait for is not " +
		"sent.", map[string]string{
		diagnose.SilentTruncation: "there the answer does not say that it is over",
	}},
	diagnose.FieldPrefixTwice: {"Events are framed twice: data: data: {…}.", map[string]string{
		diagnose.WrongDialect: "look at the raw body",
	}},
	diagnose.EventsJoined: {line: "No blank line parts the events, so that clients take several for one."},
	diagnose.TerminalUnended: {"The final event has no blank line after it: clients that follow the standard " +
		"never see it.", map[string]string{
		diagnose.SilentTruncation: "there it is not sent at all",
	}},
	diagnose.UnframedError: {"The text of an error stands outside of any event, where clients ignore " +
		"it.", map[string]string{
		diagnose.InBandError: "there it is an event",
	}},
	diagnose.ErrorDocument: {"A JSON or HTML error comes with status 200 where a stream was asked " +
		"for.", map[string]string{
		diagnose.NotAStream: "that body says nothing of a failure",
	}},
	diagnose.FailureReason: {"The finish reason says that the answer failed; the sentinel of success " +
		"follows.", map[string]string{
		diagnose.ErrorThenTerminal: "there an event of its own says so",
	}},
	diagnose.SplitCharacters: {"Bytes are decoded to text piece by piece, and characters that were split become " +
		"U+FFFD.", map[string]string{
		diagnose.CorruptContent: "there other bytes are wrong, too",
	}},

	// The user's own settings.
	diagnose.TerminalTooBroad: {"The expression for the final event matches events that others " +
		"follow.", map[string]string{
		diagnose.TerminalTwice: "there the server does send two",
	}},
	diagnose.TerminalUnmatched: {"The expression for the final event matched nothing, although answers end " +
		"properly.", map[string]string{
		diagnose.SilentTruncation: "there some answers have it",
	}},
	diagnose.WrongDialect: {"The body does not parse in the dialect that was chosen.", map[string]string{
		diagnose.CorruptContent: "there most of it parses",
	}},
	diagnose.FormNotRead: {line: "The answer comes in a format that streamproof does not read, such as an unknown " +
		"compression."},
	diagnose.NotAStream: {line: "The answer is one document, and no stream."},
	diagnose.FeedTooSlow: {"A feed that is read for a fixed time sends fewer events than were asked " +
		"for.", map[string]string{
		diagnose.StallInApp: "there the limit on a gap is passed",
	}},
	diagnose.FeedEnded: {"A feed that should go on ended by itself.", map[string]string{
		diagnose.AbsoluteDeadline: "there all end at one age",
	}},
	diagnose.NeverEnds: {line: "The answer continues until our own limit: it is a feed."},

	// Redirects.
	diagnose.RedirectLoop:   {line: "Redirects lead to where they came from."},
	diagnose.RedirectedAway: {line: "A redirect leads to a host to which no load may be sent."},
	diagnose.BrokenRedirect: {line: "A redirect has no usable Location."},
	diagnose.NotFollowed:    {line: "A redirect came, and following is off."},

	// Delay.
	diagnose.StallInApp: {"The app falls silent for longer than the gap limit, and keeps the connection " +
		"open.", map[string]string{
		diagnose.HeldOnTheWay: "there the server's stamps show that it went on",
		diagnose.BlockedLoop:  "there all streams of the process are silent together",
	}},
	diagnose.HeldOnTheWay: {"The app sends in time, and a link or proxy holds the bytes.", map[string]string{
		diagnose.StallInApp: "ask the app directly",
	}},
	diagnose.SlowFirstEvent: {"The head comes in time, and the first event late.", map[string]string{
		diagnose.Queue: "there the wait grows with the position",
	}},
	diagnose.HeartbeatsOnly: {"Heartbeats go on although what produces the content has stopped.", map[string]string{
		diagnose.StallInApp: "there nothing comes at all",
	}},
	diagnose.UnfinishedEvent: {"The bytes of one event drip, and its end never comes.", map[string]string{
		diagnose.StallInApp: "there no bytes come",
	}},
	diagnose.BufferedByEdge: {"The proxy collects events and releases them in bursts.", map[string]string{
		diagnose.BufferedByApp: "ask the app directly",
	}},
	diagnose.GzipByEdge: {"The proxy compresses the stream, and the compressor collects events.", map[string]string{
		diagnose.BufferedByEdge: "ask without Accept-Encoding",
	}},
	diagnose.BufferedByApp: {"The app collects events and writes them in bursts.", map[string]string{
		diagnose.BufferedByEdge: "there it is gone when the app is asked directly",
	}},
	diagnose.GzipByApp: {"A middleware of the app compresses the stream, and the compressor collects " +
		"events.", map[string]string{
		diagnose.BufferedByApp: "ask without Accept-Encoding",
	}},
	diagnose.JoinedByApp: {"A middleware of the app reads the whole body first and sends it with a " +
		"Content-Length.", map[string]string{
		diagnose.BufferedByApp: "there is no Content-Length",
	}},
	diagnose.BufferedSomehow: {line: "Events come in bursts; nothing says which hop collects them."},
	diagnose.NoHeartbeat: {"Nothing at all is sent during a long silence, so that any idle timer on the way may " +
		"end the stream.", map[string]string{
		diagnose.StallInApp: "there the limit on a gap is passed",
	}},
	diagnose.BlockedLoop: {"Blocking work in an event loop stops all streams of the process for a " +
		"moment.", map[string]string{
		diagnose.StallInApp:  "there one stream is silent",
		diagnose.BusyMachine: "there the machine was out of CPU",
	}},
	diagnose.SerialisedLoop: {"Blocking work in an event loop serves one stream after the other.", map[string]string{
		diagnose.Queue: "there the streams are served several at a time",
	}},
	diagnose.ConcurrencyLimit: {"Never more than N streams are served at a time; the others " +
		"wait.", map[string]string{
		diagnose.ThreadPool: "there N is 40 a process",
	}},
	diagnose.Queue: {"The wait for the first event grows with the position in the queue.", map[string]string{
		diagnose.SlowFirstEvent: "there all wait about as long",
	}},
	diagnose.ThreadPool: {"Synchronous generators use up the pool of 40 threads that Starlette gives a " +
		"process.", map[string]string{
		diagnose.ConcurrencyLimit: "at another number than 40",
	}},

	// Timeouts and life cycle.
	diagnose.ProxyReadTimeout: {"The proxy gives up on an app that was silent for longer than its read " +
		"timeout.", map[string]string{
		diagnose.IdleTimeout:      "there another hop counts",
		diagnose.AbsoluteDeadline: "there streams that were not silent end, too",
	}},
	diagnose.IdleTimeout: {"A load balancer or firewall in front of the proxy ends streams that were silent for " +
		"one length of time.", map[string]string{
		diagnose.ProxyReadTimeout: "the proxy's log would say so",
	}},
	diagnose.IdleTimeoutInApp: {"The app ends its own answer after a silence of one length: a timeout towards " +
		"its model or database.", map[string]string{
		diagnose.ProxyReadTimeout: "there it is gone when the app is asked directly",
	}},
	diagnose.AbsoluteDeadline: {"All streams end at one age, whatever they send: a limit on the whole " +
		"request.", map[string]string{
		diagnose.ProxyReadTimeout:  "there a heartbeat helps",
		diagnose.SyncWorkerTimeout: "there the worker manager says so",
	}},
	diagnose.PayloadCap: {"All streams end at one number of bytes.", map[string]string{
		diagnose.AbsoluteDeadline: "there the age is the same",
	}},
	diagnose.CutByEdge: {"Streams are cut behind the proxy alone, and nothing says why.", map[string]string{
		diagnose.AppError: "there they are cut when the app is asked directly, too",
	}},
	diagnose.OneReplica: {"The streams of one replica go wrong, and no others.", map[string]string{
		diagnose.WorkerKilled: "there the process ended",
	}},
	diagnose.EdgeReloaded: {"The proxy was reloaded or stopped, and cut the streams in flight.", map[string]string{
		diagnose.WorkerKilled: "there a process of the app ended",
	}},
	diagnose.ProxyHeaderTimeout: {"The proxy gives up before the app has sent its head.", map[string]string{
		diagnose.SlowFirstEvent: "there the head came",
	}},
	diagnose.SyncWorkerTimeout: {"A synchronous worker is killed because one request took longer than its " +
		"timeout.", map[string]string{
		diagnose.BlockedLoopTimeout: "there the streams were silent before",
		diagnose.AbsoluteDeadline:   "there no worker ends",
	}},
	diagnose.BlockedLoopTimeout: {"Blocking work stops the heartbeat of a worker, and its manager kills it with " +
		"all its streams.", map[string]string{
		diagnose.SyncWorkerTimeout: "there each stream has a worker of its own",
	}},
	diagnose.WorkerRecycled: {"A worker that has served its number of requests is replaced, and its streams are " +
		"cut.", map[string]string{
		diagnose.BlockedLoopTimeout: "there nothing announces the end",
	}},
	diagnose.GraceTooShort: {"A stop or deploy gives streams less time than they take.", map[string]string{
		diagnose.WorkerKilled: "there nobody asked it to stop",
	}},
	diagnose.NoGracefulShutdown: {"The app dies at once when it is asked to stop.", map[string]string{
		diagnose.GraceTooShort: "there it goes on for a while",
	}},
	diagnose.LivenessKill: {"Kubernetes ends a container that does not answer its liveness probe, with all its " +
		"streams.", map[string]string{
		diagnose.GraceTooShort: "there somebody stopped the pod",
	}},
	diagnose.PodDisrupted: {"The cluster ends a pod of its own accord, with all its streams: for a pod of higher " +
		"priority, for a node that is short of memory or disk, or for a taint.", map[string]string{
		diagnose.GraceTooShort: "there somebody stopped the pod",
	}},
	diagnose.RoutedLate: {"A pod that has been told to stop gets new streams until its Service leaves it " +
		"out.", map[string]string{
		diagnose.DeployGap: "there no other replica is up",
	}},
	diagnose.DeployGap: {"During a restart or deploy nothing listens, and new streams are " +
		"refused.", map[string]string{
		diagnose.Overloaded: "there something answers",
	}},
	diagnose.WorkerKilled: {"A process ended without any message, and its streams with it.", map[string]string{
		diagnose.MemoryKillWorker: "there the kernel counted a kill",
		diagnose.GraceTooShort:    "there somebody asked it to stop",
	}},
	diagnose.MemoryKillWorker: {"The kernel killed a worker for memory; the container lives on.", map[string]string{
		diagnose.WorkerKilled: "a signal 9 without a kill that the kernel counted",
	}},
	diagnose.MemoryKillAll: {"The kernel killed the container's main process for memory.", map[string]string{
		diagnose.NoGracefulShutdown: "exit code 137 alone proves nothing",
	}},
	diagnose.Overloaded: {"The app answers 503 or 429: it has as many streams as it takes.", map[string]string{
		diagnose.EdgeFull: "there the proxy says so",
	}},
	diagnose.EdgeFull: {"The proxy has no connection left.", map[string]string{
		diagnose.Overloaded: "there the app answered",
	}},
	diagnose.LeftOut: {"The proxy tries no server of the app, since each has failed before, although they are well again.",
		map[string]string{
			diagnose.DeployGap:   "there nothing listens: the proxy's log says that connections are refused",
			diagnose.HTTPFailure: "there the app has answered",
		}},
	diagnose.HTTPFailure: {"An error status comes before the first event.", map[string]string{
		diagnose.Overloaded: "there the status is 429 or 503",
	}},

	// After the client has left.
	diagnose.NotPropagated: {line: "The server goes on producing an answer whose client has left."},

	// Not the app's doing.
	diagnose.InjectedFault: {line: "Our own fault did it: its name follows."},
	diagnose.SelfInflicted: {"A limit of the harness ended the stream.", map[string]string{
		diagnose.ProxyReadTimeout: "there the limit is another hop's",
	}},
	diagnose.BusyMachine: {"The machine had too little CPU or memory left for a judgement.", map[string]string{
		diagnose.BlockedLoop: "there the machine had CPU left",
	}},
	diagnose.ConnectionCut: {line: "The connection was cut, and nothing says by which side."},
	diagnose.NoAnswer:      {line: "No response head came, and nothing says why."},
	diagnose.TooMuch:       {line: "The answer is larger than the harness reads."},
}
