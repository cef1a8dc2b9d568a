package reports

import (
	"cmp"
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfAsked are the sentences of how it was asked, and what turned it away.
var saidOfAsked = map[record.FactKind]sentence{
	// Of rule_mistaken.go.
	diagnose.FactDocument: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s answered with status %d and one document of type %s, not with a stream",
			count(f.N, "request"), were(f.N), f.Need, f.Text)
	},
	diagnose.FactErrorDocument: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s answered with status %d and an error document where a stream was asked for: %s",
			count(f.N, "request"), were(f.N), f.Need, f.Text)
	},
	diagnose.FactTypeAndBytes: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: Content-Type %s, %s", f.Stream, f.Text, bytesOf(f.Bytes))
	},
	diagnose.NotBegun: plain("the body is whole by its own type; no event was ever begun"),
	diagnose.MendAskForStream: plain("ask for a stream: the right path and method, \"stream\": true in the " +
		"body, Accept: text/event-stream; if the text above is an error, let the app send it with status 4xx or 5xx"),
	diagnose.FactBegins: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d begins: %s", f.Stream, f.Text)
	},
	diagnose.FactLooksLike: func(f *record.Fact) string {
		return fmt.Sprintf("not one event of %s could be read as %s; the body looks like %s",
			count(f.N, "stream"), f.Name, f.Text)
	},
	diagnose.FactContentType: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: Content-Type %s", f.Stream, f.Text)
	},
	diagnose.NotFromFirstByte: plain("nothing could be read from the first byte on, on all streams alike"),
	diagnose.FactAllEndAlike:  func(f *record.Fact) string { return "all streams end " + endAlike(f) },
	diagnose.FactMostEndAlike: func(f *record.Fact) string {
		return "most streams end " + endAlike(f) + ", as complete responses would"
	},
	diagnose.FactTerminalUnmatched: func(f *record.Fact) string {
		return fmt.Sprintf("the terminal expression matched no event of any stream; %s: %s", inside(f, 0), f.Text)
	},
	diagnose.FactLastEventOf: func(f *record.Fact) string {
		return fmt.Sprintf("last event of %s: %s", count(f.N, "stream"), f.Text)
	},
	diagnose.MayStopShort: plain("the app may as well stop short after that event each time"),
	diagnose.MendNameTheEnd: plain("no expression that we know matches the last event of every answer and no " +
		"other: if the answer has an end, let the app send an event for it, and name that with --terminal"),
	diagnose.FactTerminalTooBroad: func(f *record.Fact) string {
		return fmt.Sprintf("the terminal expression matches events that others follow, on %s: a cut after such "+
			"an event would look like the end", count(f.N, "stream"))
	},
	diagnose.FactMatchesEarly: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: it matches event %d of %d", f.Stream, f.N, f.Of)
	},
	diagnose.NotTwoTerminals: plain("content follows the event, and on most streams"),
	diagnose.MendExpression: plain("give an expression that only the last event meets; where there is no such " +
		"event, let the app send one"),
	diagnose.NotReadAtAll: plain("not one event of any stream could be read, from the first byte on"),
	diagnose.MendIdentity: plain("ask for the answer without that encoding: --header 'Accept-Encoding: identity'"),
	diagnose.MendNoDialect: plain("streamproof has no dialect for it; ask for server-sent events or NDJSON, or " +
		"test an endpoint of the same app that sends them"),
	diagnose.FactNeverEnds: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s still sending when our limit on the life of a stream ended them, and no "+
			"answer of the run came to an end: does this feed end?", count(f.N, "stream"), were(f.N))
	},
	diagnose.FactUntilLimit: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s in %.1f s, the last %.2f s before the limit",
			f.Stream, count(f.N, "event"), f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.NotStalledAtLimit: plain("events came until the limit"),
	diagnose.MendEndless: plain("for a feed without an end: --endless 10s,5 (stream.endless: {for: 10s, events: " +
		"5}); for an answer that is longer: raise limits.total"),
	diagnose.FactTerminalNotSent: func(f *record.Fact) string {
		return fmt.Sprintf("%s say that they are over, and the terminal of %s never comes: nothing was cut",
			count(f.N, "answer"), f.Name)
	},
	diagnose.NotLastWord:    plain("a cut would not wait for the last word of the answer"),
	diagnose.NotReasonGiven: plain("the answer gives the reason for its end"),
	diagnose.FactReasonGiven: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: the answer ended for the reason %q", f.Stream, f.Text)
	},
	diagnose.MendDone: plain("end the answer with a line that has \"done\": true; or, if this server has no " +
		"such line, read it by its reason: --dialect ndjson-generic --terminal 'json .done_reason exists'"),
	diagnose.MendSentinel: plain("send data: [DONE] after the last chunk; or, if this API has no such sentinel, " +
		"read it by its reason: --terminal 'json .choices[0].finish_reason exists'"),
	diagnose.FactFinishedOpen: func(f *record.Fact) string {
		return fmt.Sprintf("%s say that they are over, and then neither the terminal of %s nor the end of the "+
			"response comes", count(f.N, "answer"), f.Name)
	},
	diagnose.FactOpenAfter: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: open and silent for %.2f s after that", f.Stream, f.Took.Seconds())
	},
	diagnose.NotOnlyTerminal: plain("nothing was left to send but the terminal"),

	// Of rule_redirect.go.
	diagnose.FactRedirectLoop: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s sent from one place to the next and got no answer: after %d redirects %d to %s",
			count(f.N, "stream"), were(f.N), f.Of, f.Need, f.Text)
	},
	diagnose.NotAnswerBegun: plain("no answer was begun"),
	diagnose.MendRedirectLoop: plain("a login page in the way: send the credentials (--header 'Authorization: " +
		"Bearer ${TOKEN}', or Cookie); http to https behind an edge: let the edge send X-Forwarded-Proto and the " +
		"app trust it; a slash at the end: ask for the path that the app knows"),
	diagnose.FactRedirectedAway: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s redirected to host %s, to which load may not go",
			count(f.N, "stream"), were(f.N), f.Name)
	},
	diagnose.FactNoLocation: func(f *record.Fact) string {
		return fmt.Sprintf("%s got status %d with no Location that can be followed", count(f.N, "stream"), f.Need)
	},
	diagnose.MendLocation: plain("send the Location of the stream, or no redirect"),
	diagnose.FactNotFollowed: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s redirected (%d to %s), and redirects are not followed in this run",
			count(f.N, "stream"), were(f.N), f.Need, f.Text)
	},
	diagnose.FactRedirectLine: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d, redirect %d of %d, after %.3f s: %d to %s",
			f.Stream, f.N, f.Of, f.Took.Seconds(), f.Need, f.Text)
	},

	// Of rule_self.go.
	diagnose.FactOurLimit: func(f *record.Fact) string {
		return fmt.Sprintf("our own total limit%s ended %s that were still receiving",
			inside(f, 0), count(f.N, "stream"))
	},
	diagnose.FactWithinGap:    plain("the last content of each came within the gap limit of its end"),
	diagnose.NotSilentAtLimit: plain("content was flowing when we hung up"),
	diagnose.MendTotalLimit: plain("raise the total limit above the longest stream: --total-limit 10m, or " +
		"limits.total in the file"),
	diagnose.FactNoDescriptors: func(f *record.Fact) string {
		return fmt.Sprintf("this machine ran out of descriptors or ports for %s", count(f.N, "stream"))
	},
	diagnose.MendDescriptors: plain("ulimit -n 65536, or a lower number of streams"),
	diagnose.FactTooMuch: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent more than our limit on %s", count(f.N, "stream"), f.Name)
	},
	diagnose.MendEventSize: plain("bound the size of one event; or raise our limit if such answers are right"),

	// Of rule_refused.go.
	diagnose.FactNoHeadInTime: func(f *record.Fact) string {
		return fmt.Sprintf("%s gave up on %s before the app sent a response head", f.Name, count(f.N, "request"))
	},
	diagnose.NotHead: plain("no response head had come"),
	diagnose.FactNothingListened: func(f *record.Fact) string {
		return fmt.Sprintf("nothing listened when %s came: the app was restarting, had crashed or was never there",
			count(f.N, "stream"))
	},
	diagnose.NotBegunAtAll: plain("these never began"),
	diagnose.MendStartFirst: plain("start the new instance before the old one stops listening; keep a second " +
		"replica; preStop: sleep 10"),
	diagnose.FactTurnedAway: func(f *record.Fact) string {
		return fmt.Sprintf("the app turned %s away with status %d", count(f.N, "stream"), f.Need)
	},
	diagnose.NotCutRefused: plain("these were refused clearly, before any data"),
	diagnose.MendShedding: plain("intended shedding: have clients honour Retry-After, and set policy sheds: " +
		"true; else raise the cap or add workers"),
	diagnose.FactEdgeFull: func(f *record.Fact) string {
		return fmt.Sprintf("%s had no connections left for %s", f.Name, count(f.N, "stream"))
	},
	diagnose.FactLeftOut: func(f *record.Fact) string {
		s := fmt.Sprintf("%s itself answered %s: it had marked every server of the app as down after earlier failures, and "+
			"tried none", f.Name, count(f.N, "stream"))
		if f.Took > 0 {
			s += "; the last one came " + short(f.Took) + " after the fault was over"
		}
		return s
	},
	diagnose.FactEdgePage: func(f *record.Fact) string {
		return fmt.Sprintf("%s itself answered %s with status %d: it did not pass them on to the app", f.Name,
			count(f.N, "stream"), f.Need)
	},
	diagnose.FactEdgeAnswered: func(f *record.Fact) string {
		return fmt.Sprintf("%s itself answered %s with status %d: it had got no answer from the app",
			f.Name, count(f.N, "stream"), f.Need)
	},
	diagnose.FactServerField: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: Server: %s; complete responses name another", f.Stream, f.Name)
	},
	diagnose.NotAnsweredByApp: plain("the app did not answer these"),
	diagnose.MayNotListen:     plain("nothing may have listened for a moment"),
	diagnose.WhyWhichRefuses:  plain("which hop refuses"),
	diagnose.FactErrorStatus: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s answered with status %d", count(f.N, "stream"), were(f.N), f.Need)
	},
	diagnose.MendCheckRequest: plain("check path, method, headers and body of the request (curl -v the same " +
		"URL); then look the request up in the app's log by its X-Request-ID"),
	diagnose.FactNoHead: func(f *record.Fact) string {
		return fmt.Sprintf("%s got no response head: %s", count(f.N, "stream"), f.Name)
	},
	diagnose.MendLookForAccepts: plain("look in the app's and the edge's logs for accepts that failed at that " +
		"moment (backlog, descriptors, restarts); streamproof diagnose enters the chain at each hop"),
	diagnose.FactStoodWithoutHead: func(f *record.Fact) string {
		return fmt.Sprintf("the connection stood %.2f s without a head", f.Took.Seconds())
	},

	// Of refusal.go.
	diagnose.FactServerSays: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d, the server says: %s", f.Stream, f.Text)
	},

	// Of what was asked, with names in it.
	diagnose.MendGuessedDialect: func(f *record.Fact) string {
		return "read the answers in the dialect " + f.Name + ": add --dialect " + f.Name + inside(f, 0)
	},
	diagnose.MendDialect: func(f *record.Fact) string {
		return "read the answers in another dialect: add --dialect " + f.Name + after(" --terminal ", shellWord(f.Text)) +
			inside(f, 0)
	},
	diagnose.FactNeedsTerminal: plain(", and say with --terminal which event is the last one of a complete response"),
	diagnose.NextOneAnswer:     func(f *record.Fact) string { return "look at one answer: " + inside(f, 0) },
	diagnose.FactMatchesEnds: func(f *record.Fact) string {
		return "in every answer that ended by itself, this matches the last event and no other: " + f.Text
	},
	diagnose.FactLastEvent: func(f *record.Fact) string { return "last event: " + f.Text },
	diagnose.MendIfItEnds: func(f *record.Fact) string {
		return "if that event ends the answer: --terminal " + shellWord(f.Text) + "; if not, let the app send one that does"
	},
	diagnose.MendTerminal: func(f *record.Fact) string {
		return "name the last event: add --terminal " + shellWord(f.Text)
	},
	diagnose.MendAllowHost: func(f *record.Fact) string {
		return "if it is yours, add --allow-host " + shellWord(f.Name) + " (allow_hosts in the file); if it is the name of " +
			"a service inside, let the app redirect to a path, or build the URL from the Host header"
	},
	diagnose.MendFollow: func(f *record.Fact) string {
		return "leave --no-follow (stream.no_follow) out, or ask for it at once: --path " + shellWord(f.Text)
	},
	diagnose.MendKeepAlive: func(f *record.Fact) string {
		return "look into the log of " + f.Name + " at that time. If it reuses connections to the app: let the app " +
			"keep idle ones longer than " + f.Name + " does (gunicorn --keep-alive 75), else it sends a request " +
			"into one " +
			"that the app is closing"
	},
	diagnose.MendPassOn: func(f *record.Fact) string {
		return inside(f, 0) + "; or let " + f.Name + " pass it on: the location that serves " + cmp.Or(f.Text, "/") +
			" needs a proxy_pass to the app, for this method too"
	},
	diagnose.MendUpstreamName: func(f *record.Fact) string {
		return "correct the name of the app in the configuration of " + f.Name + ", or the resolver that it asks"
	},
	diagnose.FactClientLeft: func(f *record.Fact) string {
		return fmt.Sprintf("%s logged for %s that its client closed the connection, and streamproof did not: something "+
			"between the two, as a load balancer or a proxy, ended them", f.Name, count(f.N, "stream"))
	},
	diagnose.NotBehindEdge: plain("the log of the edge does not say that the app broke off"),
	diagnose.MendEdgeLimit: func(f *record.Fact) string {
		return "change the limit or the rule in the configuration of " + f.Name +
			" that turned these away (nginx: limit_req, limit_conn), or send fewer streams at once"
	},
	diagnose.MendWayToApp: func(f *record.Fact) string {
		return "check the address of the app in the configuration of " + f.Name +
			", and the network and firewalls between them; if the app was overloaded, it did not accept connections"
	},
	diagnose.FactError: func(f *record.Fact) string { return "error: " + f.Text },
	diagnose.FactLimit: func(f *record.Fact) string { return " of " + f.Name },
}
