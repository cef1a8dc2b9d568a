package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfAnswer are the sentences of the answer itself.
var saidOfAnswer = map[record.FactKind]sentence{
	// Of rule_content.go.
	diagnose.NotInjected: plain("none was injected"),
	diagnose.NotTCP:      plain("it loses and reorders nothing: somebody above it did"),
	diagnose.FactSpliced: func(f *record.Fact) string {
		return fmt.Sprintf("a second HTTP response stands inside the body of %s", count(f.N, "stream"))
	},
	diagnose.MendAsyncWorker: plain("use an asynchronous worker, or a timeout above the longest stream: " +
		"gunicorn -k uvicorn.workers.UvicornWorker --timeout 120"),
	diagnose.FactMoreThanLength: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent more than their Content-Length declares", count(f.N, "response"))
	},
	diagnose.FactBrokenFraming: func(f *record.Fact) string {
		return fmt.Sprintf("the framing of %s is broken", count(f.N, "response"))
	},
	diagnose.MendLetLibraryFrame: plain("let the HTTP library write chunks; look for code that writes to the " +
		"socket itself"),

	// Of rule_misframed.go.
	diagnose.NotCutBehindTerminal: plain("the response ended properly, right behind the terminal"),
	diagnose.FactSecondReply: func(f *record.Fact) string {
		return fmt.Sprintf("the app raised on %s, and its server wrote a second HTTP response into the body "+
			"that had begun", count(f.N, "stream"))
	},
	diagnose.FactLeftover: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d, bytes that are no event: %q", f.Stream, f.Text)
	},
	diagnose.FactSplitHeld: func(f *record.Fact) string {
		return fmt.Sprintf("%s hold U+FFFD side by side, as where somebody decodes a body piece by piece, and "+
			"a character lies in two pieces", count(f.N, "answer"))
	},
	diagnose.FactReplaced: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: U+FFFD in %s, side by side in %d", f.Stream, count(f.N, "event"), f.Of)
	},
	diagnose.MendDecoder: plain("decode with a decoder that keeps the rest of a piece " +
		"(codecs.getincrementaldecoder, TextDecoder with {stream: true}, StringDecoder), or pass bytes through as " +
		"they are"),
	diagnose.WhyNotToBlame: plain("an app that has none when it is asked directly is not to blame"),
	diagnose.FactDirectNone: func(f *record.Fact) string {
		return fmt.Sprintf("%s of the app asked directly hold none", count(f.N, "answer"))
	},
	diagnose.NotInText: plain("asked directly, it holds no U+FFFD"),
	diagnose.FactErrorText: func(f *record.Fact) string {
		return fmt.Sprintf("%s end with a text that is no event and reads like an error: clients drop it, and "+
			"see an answer that stops", count(f.N, "stream"))
	},
	diagnose.NotUnsaid: plain("the server did say why, only not as an event"),
	diagnose.MendErrorEvents: plain("send errors as events of the dialect once the head is out (data: " +
		"{\"error\": …} and a blank line), or cut the connection; look for the text in the logs of the app and of " +
		"the edge"),

	// Of rule_said.go.
	diagnose.FactFailureReason: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended for a reason that says that they failed: %s", count(f.N, "answer"), inside(f, 0))
	},
	diagnose.NotSentinel: plain("the sentinel that follows such a reason ends the stream, not the answer; a " +
		"client that looks for it alone takes the failure for success"),
	diagnose.MendFailureReason: plain("look in the log of the model server for why it gave the requests up (a " +
		"deadline, preemption, a lost client); let clients check the reason before the sentinel"),
	diagnose.FactErrorThenTerminal: func(f *record.Fact) string {
		return fmt.Sprintf("%s reported an error and then sent the terminal of success", count(f.N, "stream"))
	},
	diagnose.NotErrorFirst: plain("the error came first; a client that looks for the terminal alone takes it " +
		"for success"),
	diagnose.MendReturnAfterError: plain("return after the error event: send the terminal ([DONE]) on the " +
		"success path only"),
	diagnose.FactInBandError: func(f *record.Fact) string {
		return fmt.Sprintf("the server reported an error in band, after status 200, on %s", count(f.N, "stream"))
	},
	diagnose.NotWholeByError: plain("the error event says that the answer is not whole"),
	diagnose.MendInBandError: plain("find the error in the app's log by its X-Request-ID; count in-band errors " +
		"in the client, status codes do not show them"),
	diagnose.FactTerminalTwice: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent their terminal more than once", count(f.N, "stream"))
	},
	diagnose.FactTerminals: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s, %s after the first", f.Stream, count(f.N, "terminal"), count(f.Of, "event"))
	},
	diagnose.MendTerminalOnce: plain("send the terminal in one place only: the generator or the framework " +
		"around it, not both"),
	diagnose.FactCutAfterTerminal: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut between their terminal and the end of the body",
			count(f.N, "stream"), were(f.N))
	},
	diagnose.FactAfterTerminal: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s %s after the terminal", f.Stream, f.Name, f.Place)
	},
	diagnose.MendLetEnd: plain("let the response end by itself: do not close the connection or exit after the " +
		"last event"),
	diagnose.FactLeftOpen: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent their terminal and left the connection open", count(f.N, "stream"))
	},
	diagnose.FactOpenFor: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: open for %.2f s after its terminal", f.Stream, f.Took.Seconds())
	},
	diagnose.NotKeepAlive: plain("the close ends this body, so the client still waits"),
	diagnose.MendReturn:   plain("end the response after the terminal: return from the generator"),
	diagnose.FactFewEvents: func(f *record.Fact) string {
		return fmt.Sprintf("%s of the feed brought fewer events than the %d in %.0f s that are asked for",
			count(f.N, "stream"), f.Need, f.Took.Seconds())
	},
	diagnose.FactFeedLine: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s and %s, longest wait for an event %.2f s",
			f.Stream, count(f.N, "event"), count(f.Of, "heartbeat"), f.Took.Seconds())
	},
	diagnose.MendFeed: plain("look at what produces the events; or ask for what the feed promises: --endless " +
		"TIME,N"),
	diagnose.FactTerminalBehind: func(f *record.Fact) string {
		return fmt.Sprintf("%d of %s sent the terminal behind it", f.N, count(f.Of, "stream"))
	},

	// Of rule_resources.go.
	diagnose.FactEndedAtHead: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended at once after their head, with at most one event: what the generator "+
			"reads was closed before it ran", count(f.N, "stream"))
	},
	diagnose.NotRaisedOtherwise: plain("the exception says that a resource was closed, and all streams end at " +
		"the same event"),

	// Of rule_error.go.
	diagnose.FactAppRaised: func(f *record.Fact) string {
		return fmt.Sprintf("the app raised mid-stream and its server cut %s", count(f.N, "connection"))
	},
	diagnose.NotTimedOut: plain("no timeout in the edge's error log"),
	diagnose.FactShortOfLength: func(f *record.Fact) string {
		return fmt.Sprintf("%s declared a Content-Length and ended before it", count(f.N, "response"))
	},
	diagnose.FactLengthAndBytes: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: Content-Length %s, %s came", f.Stream, f.Text, bytesOf(f.Bytes))
	},

	// Of rule_trunc.go.
	diagnose.FactLaundered: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended like a success without their terminal: behind %s, %s, and it closed the "+
			"body properly", count(f.N, "stream"), f.Name, inside(f, 0))
	},
	diagnose.NotPrematurely: plain("no \"upstream prematurely closed\" line in its error log"),
	diagnose.NotByApp:       plain("something behind the edge died at the moment at which the streams ended"),
	diagnose.FactFraming: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: status %d, %s body, %s after %s",
			f.Stream, f.N, f.Name, f.Place, count(f.Of, "content event"))
	},
	diagnose.FactSwallowed: func(f *record.Fact) string {
		return fmt.Sprintf("the app raised on %s and its body ended cleanly anyway: a middleware or "+
			"handler swallowed it", count(f.N, "stream"))
	},
	diagnose.NotExitedThen: plain("no process exited at that time"),
	diagnose.NotHTTP11:     plain("its upstream is HTTP/1.1, where a cut stays a cut"),
	diagnose.FactEndsByClose: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s cut by our fault, and their body is delimited by the close alone: no client "+
			"can tell a cut from the end", count(f.N, "stream"), were(f.N))
	},
	diagnose.FactNoTerminal: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended cleanly without their terminal", count(f.N, "stream"))
	},
	diagnose.FactInsideFrame: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended cleanly, inside a frame", count(f.N, "stream"))
	},
	diagnose.FactInsidePacked: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended cleanly after their terminal, but inside the compressed data (%s): the compressor "+
			"was not closed, and clients report an error", count(f.N, "stream"), f.Name)
	},
	diagnose.FactFeedOver: func(f *record.Fact) string {
		return fmt.Sprintf("%s of a feed without an end ended cleanly, the first after %.1f s",
			count(f.N, "stream"), f.Took.Seconds())
	},
	diagnose.MendFeedOver: plain("find out who ends it (a bound on its life in the app or at the edge, a " +
		"restart, a producer that stops), and let clients reconnect with Last-Event-ID"),
	diagnose.NotDeath:   plain("no death behind the edge at that time, in the app's log or among its processes"),
	diagnose.WhyAppsOwn: plain("asks the app directly: a clean end there is the app's own"),
	diagnose.FactMaybeLaundered: func(f *record.Fact) string {
		return fmt.Sprintf("%d clean ends without a terminal may be cuts that an edge laundered", f.N)
	},
	diagnose.WhyEdgesDoing: plain("an answer that is cut there and ends cleanly behind the edge is the edge's " +
		"doing"),
	diagnose.MaySwallow: plain("a middleware or handler may have swallowed an exception and ended the body; the " +
		"app's log would show it"),
	diagnose.FactEdgeNoticed: func(f *record.Fact) string {
		return fmt.Sprintf("%s noticed that the app broke off %s, and ended them for the client as if they "+
			"were whole", f.Name, count(f.N, "answer"))
	},
	diagnose.NotAppsOwn: plain("the edge's log says that the app broke off"),
	diagnose.FactEdgeSilent: func(f *record.Fact) string {
		return fmt.Sprintf("%s ended cleanly without their terminal, and the edge has no word for it",
			count(f.N, "stream"))
	},

	// Of rule_content.go and rule_misframed.go, by table.
	diagnose.FactContent: func(f *record.Fact) string { return count(f.N, "stream") + ": " + f.Name },
	diagnose.MendLost: plain("number the events where they are made, and look for the hop or queue that drops " +
		"one (a bounded queue " +
		"must block, not drop)"),
	diagnose.MendDuplicated: plain("number the events and make retries resume after the last one sent, not from " +
		"the start"),
	diagnose.MendReordered: plain("write one stream's events from one goroutine or task only"),
	diagnose.MendForeign: plain("key fan-out and buffers by request, never by user or by process; look for " +
		"shared mutable state"),
	diagnose.MendCorrupt: plain("look for what writes these bytes (an error text, a page of a proxy, a print), " +
		"and compare the answer " +
		"at each hop: streamproof diagnose"),
	diagnose.FactPrefixTwice: func(f *record.Fact) string {
		return count(f.N, "stream") + " contain the prefix of a field twice, as in data: data: {…}: something frames " +
			"events that are already framed"
	},
	diagnose.MendFrameOnce: plain("frame events once: yield the data alone to what adds \"data: \" itself " +
		"(sse-starlette's " +
		"EventSourceResponse, a gateway), or whole events to a plain streaming response"),
	diagnose.FactJoined: func(f *record.Fact) string {
		return "the events of " + count(f.N, "stream") + " are not parted by a blank line, so that clients take " +
			"several " +
			"for one"
	},
	diagnose.MendPartEvents: plain("end each event with a blank line: data: …\\n\\n"),
	diagnose.FactTerminalOpen: func(f *record.Fact) string {
		return "the last event of " + count(f.N, "stream") + ", the terminal, has no blank line after it, which " +
			"ends an " +
			"event: clients that follow the standard never see it"
	},
	diagnose.MendEndTerminal: plain("end the last event like every other: data: [DONE]\\n\\n"),
	diagnose.MendOneWriter: plain("use an asynchronous worker, or a timeout above the longest stream; let one " +
		"writer alone end a response"),
	diagnose.FactReasons: reasons,
	diagnose.NextLogOneStream: func(f *record.Fact) string {
		return "keep the app's log and run one stream: " + inside(f, 0)
	},
	diagnose.MayCloseCut: func(f *record.Fact) string {
		return f.Name + " may have closed the body properly where the app's server cut it"
	},
	diagnose.MayHiddenHop: func(f *record.Fact) string {
		return "the exception reached the app's server, which cuts the connection then, so that a hop that does not " +
			"show may have closed the body properly: " + inside(f, 0)
	},
	diagnose.NotPassedAsCut: func(f *record.Fact) string { return f.Name + " passes a cut on as a cut" },
	diagnose.MayOnlyHidden: func(f *record.Fact) string {
		return "only if a hop that does not show stands in front: " + inside(f, 0)
	},
}
