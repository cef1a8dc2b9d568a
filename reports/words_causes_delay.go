package reports

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/diagnose"
	"github.com/streamproof/streamproof/harness/record"
)

// saidOfDelay are the sentences of delay.
var saidOfDelay = map[record.FactKind]sentence{
	// Of rule_crowd.go.
	diagnose.FactWorkBeforeFirst: func(f *record.Fact) string {
		return fmt.Sprintf("%s waited for one another: the work before the first event takes %s and is done "+
			"for one stream at a time, and open streams get nothing meanwhile: it blocks the event loop",
			count(f.N, "stream"), precisely(f.Took))
	},
	diagnose.NotSlowAlone: func(f *record.Fact) string {
		return fmt.Sprintf("alone, its first event comes after %s", precisely(f.Took))
	},
	diagnose.FactSilentTogether: func(f *record.Fact) string {
		return fmt.Sprintf("%s fell silent together, for up to %s, though no stream alone is silent for longer "+
			"than %s: something blocks the event loop that serves them",
			count(f.N, "stream"), precisely(f.Took), precisely(f.Bound))
	},
	diagnose.FactSilentEither: func(f *record.Fact) string {
		return fmt.Sprintf("%s fell silent together, for up to %s, though no stream alone is silent for longer "+
			"than %s: the app's process stopped answering, or what all of them wait for paused",
			count(f.N, "stream"), precisely(f.Took), precisely(f.Bound))
	},
	diagnose.FactSilentBehind: func(f *record.Fact) string {
		return fmt.Sprintf("%s fell silent together, for up to %s, though no stream alone is silent for longer "+
			"than %s: the app answered another request meanwhile, so that what they wait for paused",
			count(f.N, "stream"), precisely(f.Took), precisely(f.Bound))
	},
	diagnose.FactAnsweredIn: plain(": the app answered this request in the common silence"),
	diagnose.FactHeadIn: func(f *record.Fact) string {
		return fmt.Sprintf("the head of stream %d came at %.3f s, in the common silence", f.Stream, f.Took.Seconds())
	},
	diagnose.FactOthersRan: func(f *record.Fact) string {
		return fmt.Sprintf("%s of other processes of the app went on meanwhile: what all processes share did not pause",
			count(f.N, "stream"))
	},
	diagnose.FactNoHeadIn: func(f *record.Fact) string {
		return fmt.Sprintf("%s that came meanwhile got no response head before the silence was over; it usually comes "+
			"after %s, long before the first event", count(f.N, "request"), precisely(f.Took))
	},
	diagnose.FactNoHeartbeatsIn: func(f *record.Fact) string {
		return fmt.Sprintf("the app sends a heartbeat after at most %s without an event, and sent none in %s",
			precisely(f.Took), precisely(f.Bound))
	},
	diagnose.FactWholeCore: func(f *record.Fact) string {
		return fmt.Sprintf("the app took %.0f %% of a core over %s of the silence, and less than half of that "+
			"at other times",
			100*f.Share, precisely(f.Bound))
	},
	diagnose.FactPausedEither: func(f *record.Fact) string {
		return fmt.Sprintf("all %s of one process paused together for %.2f s and %s: the app's process stopped "+
			"answering, or what all of them wait for paused", count(f.N, "stream"), f.Took.Seconds(), inside(f, 0))
	},
	diagnose.NotBlockedAnswered: plain("the app answered another request in the common silence"),
	diagnose.MaySharedPause: plain("what all streams wait for, such as a model server, a GPU or a database, may have " +
		"paused"),
	diagnose.NextAskMeanwhile: plain("while the streams run, ask the app once a second for a path that needs no model, " +
		"such as its health check, and keep the app's log with the time of each answer: one that comes in the silence " +
		"shows that the app's process was running"),
	diagnose.FactOpenSilent: func(f *record.Fact) string {
		return fmt.Sprintf("%d of %d open streams silent from %.3f s to %.3f s",
			f.N, f.Of, f.Times[0].Seconds(), f.Times[1].Seconds())
	},
	diagnose.MaySameEvent: plain("they stood at the same event: something behind the app may answer all of them " +
		"later under load"),
	diagnose.FactHeldUntilEnd: func(f *record.Fact) string {
		return fmt.Sprintf("%s that had begun together were served one after the other: the code that makes an "+
			"answer holds the event loop until it has ended", count(f.N, "stream"))
	},
	diagnose.NotForty:     plain("one at a time, not forty"),
	diagnose.MayOneWorker: plain("a server with one worker or a lock serves one at a time, too"),
	diagnose.FactPoolInBody: func(f *record.Fact) string {
		return fmt.Sprintf("%s that had begun got nothing while about %d others went on: sync generators share "+
			"40 threads a process, event by event", count(f.N, "stream"), f.Need)
	},
	diagnose.FactAboutWent: func(f *record.Fact) string {
		return fmt.Sprintf("about %d went on for %.0f %% of the time in which others got nothing", f.N, 100*f.Share)
	},
	diagnose.NotBlockedMeanwhile: plain("the others went on meanwhile"),
	diagnose.MayOtherLimit:       plain("another limit that applies to each event may be as large"),
	diagnose.FactPoolTaken: func(f *record.Fact) string {
		return fmt.Sprintf("%s waited while %d others held all 40 threads of the pool: sync generators share "+
			"40 threads a process", count(f.N, "stream"), f.Need)
	},
	diagnose.FactExactly: func(f *record.Fact) string {
		return fmt.Sprintf("exactly %d for %.0f %% of the time in which others waited; at most %s open at "+
			"once, %s waiting", f.N, 100*f.Share, count(f.Of, "answer"), count(f.Need, "request"))
	},
	diagnose.NotBlockedOpen: plain("streams that had begun went on while the others waited"),
	diagnose.FactProcessesServed: func(f *record.Fact) string {
		return fmt.Sprintf("%s served them: each one stream at a time", count(f.N, "process"))
	},
	diagnose.MayAnyio: plain("anyio's pool has 40 threads a process"),
	diagnose.FactLimitReached: func(f *record.Fact) string {
		return fmt.Sprintf("%s waited for a first event while the app's log says that one of its limits was reached",
			count(f.N, "stream"))
	},
	diagnose.FactQueuedAtEdge: func(f *record.Fact) string {
		return fmt.Sprintf(": %d of %d that waited did so in a queue of %s, this one for %.2f s",
			f.N, f.Of, f.Name, f.Took.Seconds())
	},
	diagnose.NotQueuedAtEdge: func(f *record.Fact) string {
		return fmt.Sprintf("the log of %s has no wait in its queues for %d of them", f.Name, f.N)
	},
	diagnose.MayEdgeQueue: plain("an edge that lets only so many requests through at a time (maxconn of " +
		"HAProxy) lets the others wait, too"),
	diagnose.FactGunicorn: plain("the server is gunicorn: a sync worker serves one stream at a time, a gthread " +
		"worker as many as --threads"),
	diagnose.FactWaitress: plain("the server is waitress, with 4 threads unless --threads says otherwise"),
	diagnose.FactJavaExecutor: plain("in Java the executor or connector of the server sets it: its number of " +
		"handler threads"),
	diagnose.FactPHPChildren: plain("in PHP-FPM pm.max_children sets it"),
	diagnose.FactPumaThreads: plain("in Puma workers times threads set it"),
	diagnose.FactThreadsRose: func(f *record.Fact) string {
		return fmt.Sprintf("pid %d of %s rose to %s and no further", f.N, f.Name, count(f.Of, "thread"))
	},
	diagnose.FactServedAtOnce: func(f *record.Fact) string {
		return fmt.Sprintf("asked directly, the app served %s at once and none waited", count(f.N, "stream"))
	},
	diagnose.MayBeHeldUp: plain("something on the way may hold them up"),

	// Of rule_delay.go.
	diagnose.FactAskedEncoding: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d asked with Accept-Encoding: %s", f.Stream, f.Name)
	},
	diagnose.FactOtherSide: plain("the other side of the edge may collect events"),
	diagnose.FactEdgeWindow: func(f *record.Fact) string {
		return fmt.Sprintf("%s compresses %s (%s) and holds their events in its window",
			f.Name, count(f.N, "stream"), f.Text)
	},
	diagnose.FactAppCompresses: func(f *record.Fact) string {
		return fmt.Sprintf("the app compresses %s (%s) and holds their events in its window",
			count(f.N, "stream"), f.Text)
	},
	diagnose.NotEdgeCompresses: plain("the app, asked directly, compresses them by itself"),
	diagnose.FactBurstsCompressed: func(f *record.Fact) string {
		return fmt.Sprintf("%s are compressed (%s) and arrive in bursts", count(f.N, "stream"), f.Text)
	},
	diagnose.FactAppJoined: func(f *record.Fact) string {
		return fmt.Sprintf("%s came as one body with a Content-Length: something in the app joined them first",
			count(f.N, "stream"))
	},
	diagnose.FactLengthDeclared: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: Content-Length %s, head after %.2f s", f.Stream, f.Text, f.Took.Seconds())
	},
	diagnose.NotBufferKnowsLength: plain("an edge that buffers a stream knows no length to declare"),
	diagnose.FactHeadHeld: func(f *record.Fact) string {
		return fmt.Sprintf("the edge had the app's head after %.3f s, the client after %.3f s",
			f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.FactAppCollects: func(f *record.Fact) string {
		return fmt.Sprintf("the app collects the events of %s before it writes them", count(f.N, "stream"))
	},
	diagnose.FactOneBody: func(f *record.Fact) string {
		return fmt.Sprintf("%s came as one body with a Content-Length, all at once: something in the app "+
			"joined the events, or it does not stream", count(f.N, "stream"))
	},
	diagnose.NextLogYieldsHead: plain("log when each event is yielded, and compare with the time of the head"),
	diagnose.FactBurstsNoEdge: func(f *record.Fact) string {
		return fmt.Sprintf("%s arrived in bursts; the app collects their events, or an edge that does not show "+
			"(%s). Asked directly, would it do the same?", count(f.N, "stream"), inside(f, 0))
	},
	diagnose.FactBursts: func(f *record.Fact) string {
		return fmt.Sprintf("%s arrived in bursts; an edge or the app collects their events. Asked directly, "+
			"would the app do the same?", count(f.N, "stream"))
	},
	diagnose.WhyWholeChain: plain("compares the app with the whole chain"),
	diagnose.NotNoEdge:     plain("no edge stood in the way"),
	diagnose.NotBuffering:  plain("it does not buffer, or passed the head on as soon as it had it"),
	diagnose.FactEdgeCollects: func(f *record.Fact) string {
		return fmt.Sprintf("%s collects the events of %s before it passes them on", f.Name, count(f.N, "stream"))
	},
	diagnose.WhyLiveDirectly: plain("is the app live when asked directly?"),
	diagnose.FactFirstLate: func(f *record.Fact) string {
		return fmt.Sprintf("the first event of %s came late", count(f.N, "stream"))
	},
	diagnose.NotBuffered: plain("what followed came event by event"),
	diagnose.FactTravelled: func(f *record.Fact) string {
		return fmt.Sprintf("the server wrote it %.3f s before it arrived", f.Took.Seconds())
	},
	diagnose.FactNoEventAfterHead: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: head after %.3f s, and no content event until we ended it after %.3f s",
			f.Stream, f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.FactHeadThenEvent: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: head after %.3f s, first event after %.3f s",
			f.Stream, f.Took.Seconds(), f.Bound.Seconds())
	},

	// Of rule_loop.go.
	diagnose.FactWentOnTogether: plain("went on together"),
	diagnose.FactStillSilent:    plain("were still silent when we gave up"),
	diagnose.FactPausedTogether: func(f *record.Fact) string {
		return fmt.Sprintf("all %s of one process paused together for %.2f s and %s: something blocked its "+
			"event loop", count(f.N, "stream"), f.Took.Seconds(), inside(f, 0))
	},
	diagnose.FactCommonSilence: func(f *record.Fact) string {
		return fmt.Sprintf("common silence from %.3f s to %.3f s", f.Took.Seconds(), f.Bound.Seconds())
	},
	diagnose.FactStoodAt: func(f *record.Fact) string {
		return fmt.Sprintf("the streams stood at %s when it began", inside(f, 0))
	},
	diagnose.NotUnrelated: plain("unrelated streams paused at the same moment, at different events"),
	diagnose.FactFellTogether: func(f *record.Fact) string {
		return fmt.Sprintf("all %s of one process fell silent together for %.2f s, heartbeats too, and %s: as "+
			"when something blocks its event loop", count(f.N, "stream"), f.Took.Seconds(), inside(f, 0))
	},
	diagnose.FactStoodAlone: func(f *record.Fact) string {
		return fmt.Sprintf("the streams stood at %s when it began; no other stream of the process had a byte "+
			"meanwhile", inside(f, 0))
	},
	diagnose.FactEventRange: func(f *record.Fact) string {
		return fmt.Sprintf("events %d to %d", f.N, f.Of)
	},
	diagnose.FactStaircase: func(f *record.Fact) string {
		return fmt.Sprintf("%s that had begun together were served one after the other: a generator without a "+
			"real await holds the loop", count(f.N, "stream"))
	},
	diagnose.FactFirstEvents: func(f *record.Fact) string {
		return fmt.Sprintf("first events at %.3f s, %.3f s, %.3f s …, each after the end of another stream",
			f.Times[0].Seconds(), f.Times[1].Seconds(), f.Times[2].Seconds())
	},

	// Of rule_pool.go.
	diagnose.FactPoolHeld: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s held up while all 40 threads of the pool were taken, by %s: sync generators "+
			"share 40 threads a process", count(f.N, "stream"), were(f.N), count(f.Need, "stream"))
	},
	diagnose.FactPoolServed: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s held up while about %.0f of %d were served at a time: sync generators share "+
			"40 threads a process", count(f.N, "stream"), were(f.N), f.Share, f.Need)
	},
	diagnose.FactLittle: func(f *record.Fact) string {
		return fmt.Sprintf("throughput as of %.0f at a time (Little's law: rate × service time)", f.Share)
	},
	diagnose.MayPool: func(f *record.Fact) string {
		return fmt.Sprintf("%s a process were open: sync generators would have shared 40 threads",
			count(f.N, "stream"))
	},
	diagnose.FactKnee: func(f *record.Fact) string {
		return fmt.Sprintf("knee at %d: peak of %s a process; %s seen",
			f.Need, count(f.N, "concurrent stream"), count(f.Of, "process"))
	},
	diagnose.NotAtOneMoment: plain("streams were held up one by one, not all at one moment"),
	diagnose.FactFullPool: func(f *record.Fact) string {
		return fmt.Sprintf("pid %d of %s rose to %s at %.3f s and no further: its own and a full pool "+
			"of %d", f.N, f.Name, count(f.Of, "thread"), f.Took.Seconds(), f.Need)
	},

	// Of rule_progress.go.
	diagnose.FactEventOpen: func(f *record.Fact) string {
		return fmt.Sprintf("%s never completed an event that had begun, while its bytes went on coming",
			count(f.N, "stream"))
	},
	diagnose.NotHeartbeats: plain("the bytes belong to an event"),
	diagnose.MaySlowLink:   plain("a slow link or hop may pass the bytes on one by one"),
	diagnose.MendWholeEvent: plain("write each event, with the blank line that ends it, in one write; bound the " +
		"wait for the rest of it, and send an error event when the time is over"),
	diagnose.WhyCompleted: plain("does the app complete the event when asked directly?"),
	diagnose.FactHeartbeatsOnly: func(f *record.Fact) string {
		return fmt.Sprintf("%s got heartbeats and no more content: whoever produces the answer has stopped, "+
			"and the heartbeats go on without it", count(f.N, "stream"))
	},
	diagnose.NotBytesStopped: plain("bytes went on coming all the time"),
	diagnose.NotFaultActive:  plain("none was active"),
	diagnose.FactLongestThought: func(f *record.Fact) string {
		return fmt.Sprintf("the longest time without content in an answer that came whole is %.2f s",
			f.Took.Seconds())
	},
	diagnose.FactKeptAlive: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s, then in %.2f s %s, and %s of an event at its end", f.Stream,
			count(f.N, "content event"), f.Took.Seconds(), count(f.Of, "heartbeat"), bytesOf(f.Bytes))
	},

	// Of rule_stall.go.
	diagnose.FactAllButEnd: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent the complete response, but neither a terminal nor an end", count(f.N, "stream"))
	},
	diagnose.FactWholeThenSilent: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: %s, as many as a complete answer has, then silence for "+
			"%.2f s", f.Stream, count(f.N, "content event"), f.Took.Seconds())
	},
	diagnose.FactWrittenMeanwhile: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s silent for the client while the server went on writing",
			count(f.N, "stream"), were(f.N))
	},
	diagnose.NotStampedMeanwhile: plain("the server's own stamps fall into the silence"),
	diagnose.WhyWhichHolds:       plain("which hop holds the bytes back"),
	diagnose.FactHeldLine: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: silent for %.2f s from %.3f s on, but its next event was written %.2f s "+
			"after the one before", f.Stream, f.Times[0].Seconds(), f.Times[1].Seconds(), f.Times[2].Seconds())
	},
	diagnose.FactFellSilent: func(f *record.Fact) string {
		return fmt.Sprintf("%s fell silent mid-answer", count(f.N, "stream"))
	},
	diagnose.FactSilentLine: func(f *record.Fact) string {
		return fmt.Sprintf("stream %d: silent for %.2f s after %s, %s",
			f.Stream, f.Took.Seconds(), count(f.N, "content event"), count(f.Of, "heartbeat"))
	},
	diagnose.NotStampedSilent: plain("the server's own stamps show the same silence"),
	diagnose.NotDeadNetwork:   plain("other streams flowed on the same road at that time"),
	diagnose.WhyFallsSilent:   plain("does the app fall silent when asked directly?"),
	diagnose.MayBeHeld:        plain("something on the way may hold the bytes"),

	// Of rule_busy.go.
	diagnose.MendMorePressed: plain("no action needed: the scenario presses memory; give the app more of it to " +
		"see the streams beside the killed process alone"),
	diagnose.MendQuiet: plain("repeat on a quiet machine, or with fewer streams"),
	diagnose.MayBeSo:   plain("the same timing on a quiet machine would be called so"),

	// Of waiting, and what to run.
	diagnose.FactWaitForAnswer: func(f *record.Fact) string {
		return fmt.Sprintf("%s had to wait: %s at a time; %s", count(f.N, "stream"), atMost(f.Need, "answer"),
			inside(f, 0))
	},
	diagnose.FactWaitForFirst: func(f *record.Fact) string {
		return fmt.Sprintf("%s had to wait: %s at a time; %s", count(f.N, "stream"), atMost(f.Need, "first event"),
			inside(f, 0))
	},
	diagnose.WhyOneEnds:      plain("a new one begins only when another has ended"),
	diagnose.WhyFlowOn:       plain("the others wait, while answers that have begun flow on"),
	diagnose.WhyNothingUntil: plain("the others, which have begun, get nothing until one has ended"),
	diagnose.WhyBelowKnee:    plain("below the knee all is well"),
	diagnose.WhyBelowTheKnee: plain("is all well below the knee?"),
	diagnose.WhyAtLimit:      plain("at the limit all is well"),
	diagnose.WhyFewStreams:   plain("is all well with few streams?"),
	diagnose.WhyUncompressed: plain("without compression"),
	diagnose.WhyOutOfStep:    plain("out of step: a blocked loop then stops them at different events, at one moment"),
	diagnose.WhyByItself:     plain("out of step, each stream falls silent by itself"),
	diagnose.WhyGoesOn:       plain("does the answer go on after all?"),
	diagnose.WhyShared:       plain("more streams show what they share"),
	diagnose.FactFarLater: func(f *record.Fact) string {
		return "the first event of " + count(f.N, "stream") + " came far later under load than alone"
	},
	diagnose.FactQueue: func(f *record.Fact) string {
		return count(f.N, "stream") + " stood in a queue: the later a request came, the longer it waited for " +
			"its first event"
	},
	diagnose.FactSteps: firstSteps,
	diagnose.FactStep:  func(f *record.Fact) string { return fmt.Sprintf("%d at %.2f s", f.N, f.Took.Seconds()) },
}
