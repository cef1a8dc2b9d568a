package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"

	"github.com/streamproof/streamproof/harness/plural"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// The sentences of what package verdict found, one for each kind of fact.

// A sentence words a fact of one kind.
type sentence func(f *record.Fact) string

// plain is a sentence without figures.
func plain(text string) sentence { return func(*record.Fact) string { return text } }

// Say puts a fact into words; "" for none. A kind that it does not know, of a newer
// version, is shown as programmers see it.
func Say(f *record.Fact) string {
	if f == nil || f.Kind == "" {
		return ""
	}
	if say := sentenceOf(f.Kind); say != nil {
		return say(f)
	}
	return f.String()
}

// sentenceOf is nil where there is none.
func sentenceOf(k record.FactKind) sentence {
	for _, table := range tables {
		if say := table[k]; say != nil {
			return say
		}
	}
	return nil
}

// tables are filled when the package begins, since sentences use one another.
var tables []map[record.FactKind]sentence

func init() {
	tables = []map[record.FactKind]sentence{
		saidByAll, saidOfSettings, saidOfCompose, saidOfStreams, saidOfExpectations, saidOfFaults, saidOfLoad, saidOfAnswers,
		saidOfTime, saidOfOne, saidOfNext,
		saidOfCauses, saidOfAnswer, saidOfAsked, saidOfDelay, saidOfEnds, saidOfCommon, saidOfComparisons,
	}
}

var saidByAll = map[record.FactKind]sentence{
	record.FactQuoted: func(f *record.Fact) string { return f.Text },
}

var saidOfStreams = map[record.FactKind]sentence{
	verdict.FactBroke: func(f *record.Fact) string {
		return fmt.Sprintf("%s: %s (first: #%d%s)", nOf(f, "stream"), counts(f.Counts), f.Stream, after(", ",
			inside(f, 0)))
	},
	verdict.FactFirst: func(f *record.Fact) string {
		return fmt.Sprintf("%s (first: #%d%s)", nOf(f, "stream"), f.Stream, after(", ", inside(f, 0)))
	},
	verdict.FactJudged:    func(f *record.Fact) string { return count(f.N, "stream") },
	verdict.FactOutcomes:  func(f *record.Fact) string { return count(f.N, "stream") + ": " + counts(f.Counts) },
	verdict.FactUntouched: func(f *record.Fact) string { return count(f.N, "stream") + " that no fault touched" },
	verdict.FactBut:       func(f *record.Fact) string { return inside(f, 0) + ", but " + inside(f, 1) },
	verdict.FactButSilent: func(f *record.Fact) string {
		return inside(f, 0) + ", but " + inside(f, 1) + ", so the silence may not be the app's"
	},
	verdict.FactOnePart: func(f *record.Fact) string {
		return fmt.Sprintf("%s (part %d of %d; %d of them say so)", inside(f, 0), f.N, f.Of, f.Need)
	},
	verdict.FactAllParts: func(f *record.Fact) string {
		return fmt.Sprintf("%s (the first of %d parts; all of them pass)", inside(f, 0), f.Of)
	},
}

var saidOfExpectations = map[record.FactKind]sentence{
	verdict.FactBeforeFault: func(f *record.Fact) string { return "failed before the fault: " + inside(f, 0) },
	verdict.FactBaseline:    func(f *record.Fact) string { return count(f.N, "stream") + " before the fault" },
	verdict.FactNoBaseline:  plain("no stream before the fault could be judged"),
	verdict.FactControl:     func(f *record.Fact) string { return nOf(f, "control stream") + " complete" },
	verdict.FactNoControl: func(f *record.Fact) string {
		return "none of " + count(f.Of, "control stream") + " was complete, and at least 1 must be"
	},
	verdict.FactSeen: func(f *record.Fact) string { return nOf(f, "stream") },
	verdict.FactNonePaced: func(f *record.Fact) string {
		return "need >= 1 complete stream that is known to have been written in pieces, saw 0 of " + thousands(f.Of)
	},
	verdict.FactNoneCompressed: func(f *record.Fact) string {
		return "need >= 1 compressed answer, saw 0 of " + thousands(f.Of)
	},
	verdict.FactNoneCut: func(f *record.Fact) string {
		return "need >= 1 slow client that was cut off, saw 0 of " + thousands(f.Of)
	},
	verdict.FactNoCompressor: plain("gzip was asked for, and neither the app nor the edge compresses what the " +
		"app sends"),
	verdict.FactNoneServed: func(f *record.Fact) string {
		return "need >= 1 complete stream, saw 0: all " + thousands(f.N) + " were refused"
	},
	verdict.FactNoneRefused: func(f *record.Fact) string {
		return fmt.Sprintf("need >= 1 stream that was refused, saw 0: all %s were served, so the limit was not "+
			"reached", thousands(f.N))
	},
	verdict.FactRefusals: func(f *record.Fact) string {
		return fmt.Sprintf("%s refused with a status, %s served", count(f.N, "stream"), thousands(f.Of-f.N))
	},
	verdict.FactRecycled: func(f *record.Fact) string {
		return fmt.Sprintf("pid %d of %s ended at %s", f.N, f.Name, short(f.Took))
	},
	verdict.FactNotOurs: func(f *record.Fact) string {
		what := map[string]string{"process ends": "its processes end", "memory": "its memory"}[f.Name]
		return "streamproof did not start the app and cannot see " + cmp.Or(what, "what it does")
	},
	verdict.FactNoneRecycled: func(f *record.Fact) string {
		return fmt.Sprintf("need >= 1 process of the app that ends while streams are open; %s ended at all",
			thousands(f.N))
	},
	verdict.FactTogether: func(f *record.Fact) string { return count(f.N, "stream") + " of one process at once" },
	verdict.FactFewTogether: func(f *record.Fact) string {
		return fmt.Sprintf("need >= %s of one process at once, saw %d", count(f.Need, "stream"), f.N)
	},
	verdict.FactRepeated: func(f *record.Fact) string {
		return count(f.N, "stream") + " began after another one was complete"
	},
	verdict.FactNoneRepeated: func(f *record.Fact) string {
		return "need >= 1 stream that begins after another one was complete, saw 0 of " + thousands(f.Of)
	},
	verdict.FactSlowClients: func(f *record.Fact) string {
		return fmt.Sprintf("streams of slow clients took %s, others %s (median)", timeAt(f, 0), timeAt(f, 1))
	},
	verdict.FactNoneSlow: func(f *record.Fact) string {
		return fmt.Sprintf("need streams of slow clients to take %d times as long as others; they took %s, others %s",
			f.Need, timeAt(f, 0), timeAt(f, 1))
	},
	verdict.FactSilence: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s without content for %s or more", count(f.N, "stream"), were(f.N), short(f.Bound))
	},
	verdict.FactNoSilence: func(f *record.Fact) string {
		return fmt.Sprintf("need >= 1 stream without content for %s, longest silence was %s", short(f.Bound),
			short(f.Took))
	},
	verdict.FactNoPause: func(f *record.Fact) string {
		return fmt.Sprintf("the app cannot be asked to pause for %s, and its longest silence was %s", short(f.Bound),
			short(f.Took))
	},
	verdict.FactNoneLeft: plain("need >= 1 stream that streamproof hung up on, saw 0"),
	verdict.FactNoLedger: func(f *record.Fact) string {
		return "hung up on " + count(f.N, "stream") + ", and the app keeps no account of what it did then"
	},
	verdict.FactNoAccount: func(f *record.Fact) string {
		return fmt.Sprintf("hung up on %s; need >= 1 account of what the server did then, have 0", count(f.N, "stream"))
	},
	verdict.FactNoStarts: func(f *record.Fact) string {
		return fmt.Sprintf("sent %s again, and the app does not say how often it began to work on each",
			count(f.N, "request"))
	},
	verdict.FactAccounts: func(f *record.Fact) string {
		return fmt.Sprintf("hung up on %s, have the server's account of %s", count(f.Of, "stream"), thousands(f.N))
	},
}

var saidOfFaults = map[record.FactKind]sentence{
	verdict.FactNeverStruck: func(f *record.Fact) string {
		return "the fault never struck" + after(": ", insideAll(f))
	},
	verdict.FactNoTrace: func(f *record.Fact) string {
		return fmt.Sprintf("struck at %s, but left no trace%s", short(f.Took), after(": ", insideAll(f)))
	},
	verdict.FactPartNeverStruck: func(f *record.Fact) string {
		return f.Name + " never struck" + after(": ", insideAll(f))
	},
	verdict.FactPartNoTrace: func(f *record.Fact) string {
		return f.Name + " struck, but left no trace" + after(": ", insideAll(f))
	},
	verdict.FactStruck: func(f *record.Fact) string {
		return "struck at " + short(f.Took) + after(": ", insideAll(f))
	},
	verdict.FactFewInBody: func(f *record.Fact) string {
		return fmt.Sprintf("need >= %s in their body when the fault struck, saw %d", count(f.Need, "stream"), f.N)
	},
	verdict.FactMet: func(f *record.Fact) string {
		return "the fault met " + count(f.N, "stream") + " in their body"
	},
	verdict.FactInBody: func(f *record.Fact) string {
		return count(f.N, "stream") + " in their body when the fault struck"
	},
	verdict.FactNoneNew: plain("need >= 1 new stream after the fault, saw 0"),
	verdict.FactEndedEarly: func(f *record.Fact) string {
		return fmt.Sprintf("the run ended %s after the fault, before the %s that recovery may take; none of %s "+
			"had recovered by then",
			short(f.Took), short(f.Bound), count(f.N, "new stream"))
	},
	verdict.FactNeverRecovered: func(f *record.Fact) string {
		return "none of " + count(f.N, "new stream") + " recovered"
	},
	verdict.FactAskedLate: func(f *record.Fact) string {
		return fmt.Sprintf("no new stream was sent in the first %s after the fault, limit %s", short(f.Took),
			short(f.Bound))
	},
	verdict.FactRecovered: func(f *record.Fact) string {
		down := ""
		if len(f.Times) > 0 {
			down = fmt.Sprintf(" (and %s in which the fault or its platform kept it down)", timeAt(f, 0))
		}
		return fmt.Sprintf("new streams recovered after %s%s, limit %s", short(f.Took), down, short(f.Bound))
	},
}

var saidOfLoad = map[record.FactKind]sentence{
	verdict.FactLinksSlow: func(f *record.Fact) string {
		return fmt.Sprintf("our own links added %s to the first event (p50, limit %s) and %s to a gap (p99, limit %s)",
			timeAt(f, 0), timeAt(f, 1), timeAt(f, 2), timeAt(f, 3))
	},
	verdict.FactLinks: func(f *record.Fact) string {
		return fmt.Sprintf("added %s to the first event (p50), %s to a gap (p99)", timeAt(f, 0), timeAt(f, 2))
	},
	verdict.FactLoadShort: func(f *record.Fact) string {
		return fmt.Sprintf("need >= %s started, saw %s of %s asked", count(f.Need, cmp.Or(f.Name, "stream")), thousands(f.N),
			thousands(f.Of))
	},
	verdict.FactLoad: func(f *record.Fact) string {
		of := cmp.Or(f.Name, "stream")
		if f.N > f.Of { // a load with a duration
			return fmt.Sprintf("%s started, at least %s were asked for", count(f.N, of), thousands(f.Of))
		}
		return nOf(f, of) + " started"
	},
	verdict.FactWorkers: func(f *record.Fact) string {
		return fmt.Sprintf("%s sent %s; their clocks agree with ours within %s", count(f.N, "load worker"),
			count(f.Of, "stream"), short(f.Bound))
	},
	verdict.FactWorkersAmiss: func(f *record.Fact) string { return strings.Join(sayAll(f.About), "; ") },
	verdict.FactPodsLeft: func(f *record.Fact) string {
		if f.Text != "" {
			return "it was deleted, but whether its pods have gone is not known: " + f.Text
		}
		return fmt.Sprintf("it was deleted, but %s %s left: that is so where a node has gone", count(f.N, "pod"), are(f.N))
	},
	verdict.FactWorkerLost: func(f *record.Fact) string {
		s := f.Name + " " + lostBy[record.Agreement(f.Place)]
		if f.Of > 0 {
			s += fmt.Sprintf(": it had started %s, and the outcome of %s is not known", count(f.Of, "stream"), thousands(f.N))
		}
		if f.Text != "" {
			s += " (" + f.Text + ")"
		}
		return s
	},
	verdict.FactWorkerLate: func(f *record.Fact) string {
		if record.Agreement(f.Place) == record.OnReady {
			return f.Name + " was not ready in time"
		}
		return fmt.Sprintf("%s began its share %s late", f.Name, f.Text)
	},
	verdict.FactWorkerDisagrees: workerDiffers,
	verdict.FactWorkerBroken: func(f *record.Fact) string {
		return fmt.Sprintf("%s could not send its share: %s", f.Name, f.Text)
	},
	verdict.FactLagged: func(f *record.Fact) string {
		return fmt.Sprintf("need <= %.0f %% late starts and a reading lag below %s (p99), saw %s of %s and %s",
			100*f.Share, short(f.Bound), thousands(f.N), thousands(f.Of), short(f.Took))
	},
	verdict.FactKeptUp: func(f *record.Fact) string {
		return fmt.Sprintf("%s, lag p99 %s, clock %s", count(f.N, "late start"), short(f.Took), cmp.Or(f.Name,
			"unknown"))
	},
	verdict.FactNoReadings: func(f *record.Fact) string {
		return "need the app's memory before and after the load, have " + count(f.N, "reading")
	},
	verdict.FactGrew: func(f *record.Fact) string {
		return fmt.Sprintf("%s grew from %d to %d MiB over %s", f.Name, f.Bytes>>20, f.More>>20, count(f.Of, "stream"))
	},
	verdict.FactMemory: func(f *record.Fact) string {
		return fmt.Sprintf("%s: %d MiB, then %d MiB after %s", f.Name, f.Bytes>>20, f.More>>20, count(f.Of, "stream"))
	},
	verdict.FactUnending: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s still sending when our limit on their life ended them, and none ended by "+
			"itself: does this feed end?",
			nOf(f, "stream"), were(f.N))
	},
	verdict.FactUncounted: func(f *record.Fact) string {
		return fmt.Sprintf("the number at %s never increases by 1 in %s, so it counts no events", f.Place, nOf(f,
			"complete stream"))
	},
	verdict.FactUnnumbered: func(f *record.Fact) string {
		return fmt.Sprintf("need a number at %s in >= 2 events of each complete stream, saw that in %s of %s",
			f.Place, thousands(f.N), thousands(f.Of))
	},
	verdict.FactNumbered: func(f *record.Fact) string {
		return count(f.N, "complete stream") + ", numbered without a gap"
	},
	verdict.FactNotEchoed: func(f *record.Fact) string {
		return fmt.Sprintf("need the request's ID at %s in >= 1 event of each complete stream, saw that in %s of %s",
			f.Place, thousands(f.N), thousands(f.Of))
	},
	verdict.FactOwned: func(f *record.Fact) string {
		if f.N == 1 {
			return "1 complete stream has its own request's ID and no other"
		}
		return thousands(f.N) + " complete streams have their own request's ID and no other"
	},
	verdict.FactHarness: func(f *record.Fact) string { return "streamproof itself failed" + after(": ", f.Text) },
	verdict.FactUnable:  func(f *record.Fact) string { return "not possible here" + after(": ", f.Text) },
	verdict.FactOver:    plain("the scenario ran to its end"),
	verdict.FactInterrupted: func(f *record.Fact) string {
		return "the run was interrupted after " + count(f.N, "stream")
	},
	verdict.FactTorn: func(f *record.Fact) string {
		torn := ""
		if f.Bytes > 0 {
			torn = fmt.Sprintf(" (%s at its end are damaged)", size(f.Bytes))
		}
		return fmt.Sprintf("the record ends before the run does%s, after %s", torn, count(f.N, "stream"))
	},
	verdict.FactFew: func(f *record.Fact) string {
		return fmt.Sprintf("need >= %s, saw %s of %s started", count(f.Need, "judged stream"), thousands(f.N),
			thousands(f.Of))
	},
	verdict.FactEnough: func(f *record.Fact) string { return nOf(f, "stream") },
	verdict.FactSum:    func(f *record.Fact) string { return count(f.N, "stream") },
	verdict.FactLost: func(f *record.Fact) string {
		return fmt.Sprintf("%s started, %s have an outcome: the record lost %s", count(f.Of, "stream"),
			thousands(f.N), thousands(f.Of-f.N))
	},
}

var saidOfAnswers = map[record.FactKind]sentence{
	verdict.FactUnproved: func(f *record.Fact) string {
		has := "streams have no proof that they are complete"
		if f.N == 1 {
			has = "stream has no proof that it is complete"
		}
		return fmt.Sprintf("%s complete %s: plain text whose end nothing declares%s", thousands(f.N), has, inside(f, 0))
	},
	verdict.FactNoAnswer: func(f *record.Fact) string {
		return "; asked directly before the load, the app did not answer either: " + f.Text
	},
	verdict.FactAnew: func(f *record.Fact) string {
		return fmt.Sprintf(", and the app answers differently each time (asked directly %s before the load)",
			count(f.N, "time"))
	},
	verdict.FactDiffers: func(f *record.Fact) string {
		return fmt.Sprintf(", and they differ from the app's answers before the load (%s, alike %d of %s)",
			size(f.Bytes), f.N, count(f.Of, "time"))
	},
	verdict.FactAgainstPlain: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s compared with the answer in one piece (%s)", count(f.N, "stream"), were(f.N),
			size(f.Bytes))
	},
	verdict.FactAgainst: func(f *record.Fact) string {
		l := f.About[0]
		return fmt.Sprintf("%s %s compared with the app's own answer (%s, alike %d of %s when asked directly "+
			"before the load); "+
			"an end that the app cuts off every time would not show", count(f.N, "stream"), were(f.N), size(l.Bytes),
			l.N, count(l.Of, "time"))
	},
	verdict.FactLearned: func(f *record.Fact) string {
		return fmt.Sprintf("nothing declares how the text ends: a stream counts as complete if it equals what "+
			"the app answered when asked directly before the load "+
			"(%s, alike %d of %s), so an end that the app cuts off every time would not show", size(f.Bytes), f.N,
			count(f.Of, "time"))
	},
	verdict.FactNoPlain:      plain("nothing says how to ask the app for its answer in one piece"),
	verdict.FactNoneBoth:     plain("need >= 1 answer asked both ways, saw 0"),
	verdict.FactSame:         func(f *record.Fact) string { return count(f.N, "answer") + " alike both ways" },
	verdict.FactCompareError: func(f *record.Fact) string { return ofRequest(f) + f.Text },
	verdict.FactBothCut: func(f *record.Fact) string {
		return ofRequest(f) + fmt.Sprintf("streamed: %s; in one piece: %s: both are cut, so look at worker "+
			"timeouts and restarts, not at streaming", inside(f, 0), inside(f, 1))
	},
	verdict.FactStreamCut: func(f *record.Fact) string {
		return ofRequest(f) + fmt.Sprintf("streamed: %s; in one piece, %s arrived: %s", inside(f, 0), size(f.More),
			lookAtStream)
	},
	verdict.FactPlainCut: func(f *record.Fact) string {
		return ofRequest(f) + fmt.Sprintf("in one piece: %s; streamed, %s arrived: only the answer in one piece "+
			"is cut", inside(f, 0), size(f.Bytes))
	},
	verdict.FactOtherDied: func(f *record.Fact) string {
		return fmt.Sprintf("streamproof killed one worker; %s (pid %d) ended %s later, and all %s were cut", f.Name, f.N,
			short(f.Took), count(f.Of, "stream"))
	},
	verdict.FactNoneLived: func(f *record.Fact) string {
		return fmt.Sprintf("streamproof killed one worker and all %s were cut; the other workers had %s, and nothing "+
			"says whether any of these streams was theirs", count(f.Of, "stream"), count(f.N, "connection"))
	},
	verdict.FactCompareLimit: func(f *record.Fact) string {
		return ofRequest(f) + "one of the two answers had not ended after " + short(f.Bound) +
			", when streamproof stopped waiting"
	},
	verdict.FactNoText: func(f *record.Fact) string { return ofRequest(f) + "no text was found in either answer" },
	verdict.FactNoPlainText: func(f *record.Fact) string {
		return ofRequest(f) + "no text was found in the answer in one piece"
	},
	verdict.FactStreamShort: func(f *record.Fact) string {
		return ofRequest(f) + fmt.Sprintf("the stream ends after %d of %s of the answer in one piece: %s",
			f.Bytes, bytesOf(f.More), lookAtStream)
	},
	verdict.FactPlainShort: func(f *record.Fact) string {
		return ofRequest(f) + fmt.Sprintf("the answer in one piece ends after %d of %s of the stream: "+
			"only the answer in one piece is cut", f.More, bytesOf(f.Bytes))
	},
	verdict.FactAltered: func(f *record.Fact) string {
		alike := ""
		if f.Of > 0 {
			alike = fmt.Sprintf(", the same in all of %s", count(f.Of, "comparison"))
		}
		return altered(f) + alike
	},
	verdict.FactAlteredAnew: func(f *record.Fact) string {
		return altered(f) + "; but the app answers differently each time, so that shows nothing"
	},
	verdict.FactLooseTerminal: func(f *record.Fact) string {
		return fmt.Sprintf("your --terminal matches events that others follow: %s, and so in %s; it proves no "+
			"answer complete", inside(f, 0), nOf(f, "stream"))
	},
	verdict.FactEvent: func(f *record.Fact) string {
		return fmt.Sprintf("event %d of %d in stream #%d", f.N, f.Of, f.Stream)
	},
	verdict.FactForm: func(f *record.Fact) string {
		switch {
		case f.Text == "":
			return f.Name
		case f.Name == string(stream.FormEncoded):
			return fmt.Sprintf("encoded as %q", f.Text)
		}
		return f.Name + " (" + f.Text + ")"
	},
	verdict.FactSomeUnread: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s %s, the others are read as %s (first: #%d)", nOf(f, "answer"), are(f.N), inside(f,
			0), f.Name, f.Stream)
	},
	verdict.FactUnread: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s %s, which streamproof does not read as %s: what they hold is not judged", nOf(f,
			"answer"), are(f.N), inside(f, 0), f.Name)
	},
	verdict.FactUntrusted: plain("behind a certificate that this machine does not trust"),
	verdict.FactNotTrusted: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s %s: nothing is known of them", nOf(f, "answer"), are(f.N), inside(f, 0))
	},
	verdict.FactUnclosed: func(f *record.Fact) string {
		have := "have their"
		if f.N == 1 {
			have = "has its"
		}
		return fmt.Sprintf("%s %s last event but left a %s open; no answer of this run closes it, so it is "+
			"assumed to be the server's habit", count(f.N, "answer"), have, f.Name)
	},
	verdict.FactObjectives: insideAll,
	verdict.FactObjectiveMet: func(f *record.Fact) string {
		return fmt.Sprintf("%s is %s (%s)", f.Name, f.Text, f.Place)
	},
	verdict.FactObjectiveMissed: func(f *record.Fact) string {
		return fmt.Sprintf("%s is %s, and should be %s", f.Name, f.Text, f.Place)
	},
	verdict.FactUnmeasured: func(f *record.Fact) string { return f.Name + " was not measured" },
	verdict.FactNoValue:    func(f *record.Fact) string { return "no complete stream has a value for " + f.Name },
	verdict.FactFewValues: func(f *record.Fact) string {
		of := f.Counts[0]
		return fmt.Sprintf("%s is %s (%s), but %s cannot show it: %s would", f.Name, f.Text, f.Place, count(of.N,
			of.Name),
			thousands(f.Need))
	},
	verdict.FactHopSplits: func(f *record.Fact) string {
		return fmt.Sprintf("%s, and none of %s asked directly does: a hop decodes the body piece by piece",
			damaged(f), thousands(f.About[1].N))
	},
	verdict.FactAppSplits: func(f *record.Fact) string {
		return nOf(f, "answer") + " hold U+FFFD side by side, and so do answers asked directly: no hop adds it"
	},
	verdict.FactSplits: func(f *record.Fact) string {
		return damaged(f) + ": their own text, or characters that were split before they were decoded"
	},
	verdict.FactSplit: func(f *record.Fact) string { return "in " + count(f.N, "event") },
	verdict.FactSentAway: func(f *record.Fact) string {
		return fmt.Sprintf("%s %s redirected to %s, a host that load may not go to (%s)", nOf(f, "stream"),
			were(f.N), f.Name, inside(f, 0))
	},
	verdict.FactRedirected: func(f *record.Fact) string { return nOf(f, "stream") + " " + were(f.N) + " redirected" },
	verdict.FactRedirectCost: func(f *record.Fact) string {
		took := ""
		if f.Stream > 0 {
			took = fmt.Sprintf(" (%s of stream %d)", short(f.Took), f.Stream)
		}
		return fmt.Sprintf("%s %s redirected first, %s: the time to the first event includes that%s", count(f.N,
			"stream"), were(f.N), inside(f, 0), took)
	},
	verdict.FactProduced: produced,
	verdict.FactRedirect: func(f *record.Fact) string { return fmt.Sprintf("%d to %s", f.N, f.Text) },
}

const lookAtStream = "the answer in one piece is whole, so look at how the stream is handled, in the app and by " +
	"proxies that buffer"

var saidOfTime = map[record.FactKind]sentence{
	verdict.FactMost: func(f *record.Fact) string {
		return fmt.Sprintf("all of %s took at most %s, limit %s", count(f.N, "stream"), short(f.Took), short(f.Bound))
	},
	verdict.FactLeast: func(f *record.Fact) string {
		return fmt.Sprintf("all of %s took at least %s, limit %s", count(f.N, "stream"), short(f.Took), short(f.Bound))
	},
	verdict.FactFewForP95: func(f *record.Fact) string {
		return fmt.Sprintf("need >= %s for p95, saw %d; the slowest took %s, limit %s", count(f.Need,
			"complete stream"), f.N, short(f.Took), short(f.Bound))
	},
	verdict.FactP95: func(f *record.Fact) string {
		return fmt.Sprintf("p95 is %s, limit %s", short(f.Took), short(f.Bound))
	},
	verdict.FactLargest: func(f *record.Fact) string {
		return fmt.Sprintf("the longest gap is %s, limit %s", short(f.Took), short(f.Bound))
	},
	verdict.FactNoSolo: plain("the stream that was sent alone before the load did not complete: there is " +
		"nothing to compare the load with"),
	verdict.FactMeasured: measured,
	verdict.FactUnequal: func(f *record.Fact) string {
		return "answers take unequal times alone as well: " + inside(f, 0)
	},
	verdict.FactCrowd: func(f *record.Fact) string {
		return fmt.Sprintf("%s%s %s; %s", nOf(f, "stream"), after(" at ", f.Place), waited(f), inside(f, 0))
	},
	verdict.FactUnordered: func(f *record.Fact) string {
		return inside(f, 0) + ", and nothing shows that they waited for one another: answers may take unequal " +
			"times by themselves"
	},
	verdict.FactGenerator: plain("the load generator did not keep up"),
	verdict.FactPressed: func(f *record.Fact) string {
		return "our own fault pressed memory on " + f.Name + " at that time"
	},
	verdict.FactWayLost: plain("the connection to the cluster broke off"),
	verdict.FactStarved: starved,
	verdict.FactBusy:    func(f *record.Fact) string { return fmt.Sprintf("%.0f %% busy", 100*f.Share) },
	verdict.FactAsItself: func(f *record.Fact) string {
		return inside(f, 0) + "; asked directly, would the app do the same?"
	},
	verdict.FactLeftToEdge: func(f *record.Fact) string {
		return "the app leaves it to the edge not to buffer, and nothing says that yours does: behind nginx " +
			"with its defaults, " +
			strings.Replace(inside(f, 0), " (", " are held back (", 1)
	},
	verdict.FactFate: func(f *record.Fact) string {
		by := ""
		if f.Place != "" {
			by = " (" + f.Place + ")"
		}
		others := f.About[0]
		return fmt.Sprintf("%s of %s%s went wrong, %d of %d of the others (by chance: %s)", nOf(f, "stream"), f.Name,
			by, others.N, others.Of, chance(f.Share))
	},
}

var saidOfOne = map[record.FactKind]sentence{
	verdict.FactFirstEvent:   func(f *record.Fact) string { return "first event after " + short(f.Took) },
	verdict.FactNoFirstEvent: plain("no first event"),
	verdict.FactSilentFor:    func(f *record.Fact) string { return "silent for " + short(f.Took) },
	verdict.FactLeftOpen:     func(f *record.Fact) string { return "left open for " + short(f.Took) },
	verdict.FactWritten: func(f *record.Fact) string {
		return fmt.Sprintf("written over %s, arrived within %s", timeAt(f, 0), timeAt(f, 1))
	},
	verdict.FactNoContent: plain("no content arrived"),
	verdict.FactOnePiece: func(f *record.Fact) string {
		what := size(f.Bytes)
		if f.N > 1 {
			what = count(f.N, "event") + ", " + what
		}
		return fmt.Sprintf("everything (%s) arrived in one piece %s after the request", what, short(f.Took))
	},
	verdict.FactInstants: func(f *record.Fact) string {
		each := size(f.Bytes)
		if f.More > 0 {
			each = fmt.Sprintf("about %d KiB", f.More>>10)
		}
		return fmt.Sprintf("%s arrived at %s, %s at each, the first %s after the request", count(f.N, "event"),
			count(f.Of, "instant"), each, short(f.Took))
	},
	verdict.FactReference: func(f *record.Fact) string {
		where := "asked directly"
		if f.Place != "" {
			where = "in " + f.Place
		}
		return fmt.Sprintf("%s, %s brought %s at a time, %s apart, from %s after the request on",
			where, count(f.N, "stream"), amount(f.Share, f.Name), timeAt(f, 0), timeAt(f, 1))
	},
	verdict.FactPacing: func(f *record.Fact) string {
		return fmt.Sprintf("%s at %s, the first %s after the request", count(f.N, "event"), count(f.Of, "instant"),
			short(f.Took))
	},
	verdict.FactLargerPieces: func(f *record.Fact) string {
		than, reference := "the server wrote them in", ""
		if len(f.About) > 0 {
			than, reference = "those they are compared with", " ("+inside(f, 0)+")"
		}
		return fmt.Sprintf("%s to %s arrived in larger pieces than %s, but not so much larger that a buffer is "+
			"certain%s", nOf(f, "stream"), f.Place, than, reference)
	},
	verdict.FactHeldSo: func(f *record.Fact) string { return inside(f, 0) + after("; ", inside(f, 1)) },
	verdict.FactNoFirst: func(f *record.Fact) string {
		return fmt.Sprintf("no content event%s after the request (--first-event)%s", within(" within ", f.Bound),
			inside(f, 0))
	},
	verdict.FactStalled: func(f *record.Fact) string {
		return fmt.Sprintf("stalled after %s: no byte%s (--gap-limit)", count(f.N, "content event"), within(" for ",
			f.Bound))
	},
	verdict.FactNoProgress: func(f *record.Fact) string {
		return fmt.Sprintf("no progress after %s: none came%s (--progress-limit)%s", count(f.N, "content event"),
			within(" for ", f.Bound), inside(f, 0))
	},
	verdict.FactIdled: func(f *record.Fact) string {
		return fmt.Sprintf("no progress after %s: none came for %s, until our total limit%s (--total-limit)%s",
			count(f.N, "content event"), short(f.Took), within(" of ", f.Bound), inside(f, 0))
	},
	verdict.FactNotOver: func(f *record.Fact) string {
		return fmt.Sprintf("not over within our %s limit%s, after %s", f.Name, within(" of ", f.Bound), count(f.N,
			"content event"))
	},
	verdict.FactOnly: func(f *record.Fact) string {
		unfinished := fmt.Sprintf("%s of an unfinished event", size(f.Bytes))
		switch {
		case f.Bytes > 0 && f.N > 0:
			return fmt.Sprintf(", only %s and %s", count(f.N, "heartbeat"), unfinished)
		case f.Bytes > 0:
			return ", only " + unfinished
		case f.N > 0:
			return ", only " + count(f.N, "heartbeat")
		}
		return ", only " + count(f.Of, "event") + " without any of the answer"
	},
	verdict.FactBadBytes:   func(f *record.Fact) string { return cmp.Or(f.Text, "bytes after the end of the body") },
	verdict.FactTooLarge:   func(f *record.Fact) string { return "over our limit on " + f.Name },
	verdict.FactStatus:     func(f *record.Fact) string { return fmt.Sprintf("status %d", f.N) + behind(f) },
	verdict.FactNoRedirect: func(f *record.Fact) string { return fmt.Sprintf("status %d, which is no answer", f.N) },
	verdict.FactNoLocation: func(f *record.Fact) string { return fmt.Sprintf("status %d without a Location", f.N) },
	verdict.FactBadLocation: func(f *record.Fact) string {
		return fmt.Sprintf("status %d with a Location that is no http URL: %q", f.N, f.Text)
	},
	verdict.FactRedirectLoop: func(f *record.Fact) string {
		return fmt.Sprintf("redirect loop: %s, then again %s", count(f.N, "redirect"), inside(f, 0))
	},
	verdict.FactManyRedirects: func(f *record.Fact) string {
		return fmt.Sprintf("more than %s, the last one %s", count(f.N, "redirect"), inside(f, 0))
	},
	verdict.FactHostNotAllowed: func(f *record.Fact) string {
		return fmt.Sprintf("redirect %s: load may not go to host %s (--allow-host)", inside(f, 0), f.Name)
	},
	verdict.FactNotFollowed: func(f *record.Fact) string {
		return fmt.Sprintf("redirect %s, not followed (--no-follow)", inside(f, 0))
	},
	verdict.FactSaidError: func(f *record.Fact) string { return "in-band error: " + cmp.Or(f.Text, "no text") },
	verdict.FactNoHead: func(f *record.Fact) string {
		return fmt.Sprintf("no response headers within our %s limit", f.Name)
	},
	verdict.FactRefused: func(f *record.Fact) string { return f.Name + after(": ", f.Text) + behind(f) },
	verdict.FactEnded: func(f *record.Fact) string {
		where := ""
		if f.Place != "" {
			where = " (" + f.Place + ")"
		}
		return fmt.Sprintf("%s after %s%s%s", f.Name, count(f.N, "content event"), where,
			after(": ", cmp.Or(f.Text, inside(f, 0))))
	},
	verdict.FactNothingProves: plain("the terminal expression matches events that others follow, so nothing " +
		"proves that the " +
		"answer is whole"),
	verdict.FactStillOpen: func(f *record.Fact) string {
		others := ""
		if f.N > 0 {
			others = fmt.Sprintf("; %s of this run close theirs", count(f.N, "other answer"))
		}
		return fmt.Sprintf("the terminal came while a %s was open%s", f.Name, others)
	},
	verdict.FactFeedShort: func(f *record.Fact) string {
		return fmt.Sprintf("%s in %s, at least %s must come", count(f.N, "event"), short(f.Took), thousands(f.Need))
	},
	verdict.FactFeedEnded: func(f *record.Fact) string {
		return fmt.Sprintf("the feed ended after %s and %s, it was to be read for %s", short(f.Took), count(f.N,
			"event"), short(f.Bound))
	},
}

// inside words one of the facts that f is made of; "" where it is not there.
func inside(f *record.Fact, i int) string {
	if i >= len(f.About) {
		return ""
	}
	return Say(&f.About[i])
}

// insideAll words all of them.
func insideAll(f *record.Fact) string { return strings.Join(sayAll(f.About), "; ") }

// sayAll words facts; nil for none.
func sayAll(facts []record.Fact) (all []string) {
	for i := range facts {
		all = append(all, Say(&facts[i]))
	}
	return all
}

// after puts a mark before a text that is there.
func after(mark, text string) string {
	if text == "" {
		return ""
	}
	return mark + text
}

// within is a limit behind a word; nothing where an older run does not say it.
func within(word string, d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return word + short(d)
}

// timeAt words one of the times of f, from 0.
func timeAt(f *record.Fact, i int) string {
	if i >= len(f.Times) {
		return "?"
	}
	return short(f.Times[i])
}

// nOf reads "12 of 40 streams".
func nOf(f *record.Fact, noun string) string { return thousands(f.N) + " of " + count(f.Of, noun) }

func were(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// counts reads "10 truncated, 2 stalled".
func counts(cs []record.Count) string {
	var all []string
	for _, c := range cs {
		all = append(all, thousands(c.N)+" "+label(verdict.Outcome(c.Name)))
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}

// size reads "1 byte", "512 bytes", "64 KiB".
func size(n int64) string {
	if n < 10<<10 {
		return count(int(n), "byte")
	}
	return three(float64(n)/1024) + " KiB"
}

// amount is count for what may be no whole number.
func amount(x float64, noun string) string {
	if x == 1 {
		return "1 " + noun
	}
	return three(x) + " " + noun + "s"
}

func ofRequest(f *record.Fact) string { return "request " + f.Name + ": " }

func altered(f *record.Fact) string {
	return ofRequest(f) + fmt.Sprintf("%s streamed, %d in one piece, they differ from byte %d on", bytesOf(f.Bytes),
		f.More, f.N)
}

func damaged(f *record.Fact) string {
	hold := "hold"
	if f.N == 1 {
		hold = "holds"
	}
	return fmt.Sprintf("%s %s U+FFFD side by side (first: #%d, %s)", nOf(f, "answer"), hold, f.Stream, inside(f, 0))
}

// behind says after which redirect a stream failed, "" for none.
func behind(f *record.Fact) string { return after(", after redirect ", inside(f, 0)) }

// measured sets the times of a stream alone beside those under load, in the order of
// [verdict.Crowd.Measured].
func measured(f *record.Fact) string {
	if len(f.Times) < 6 {
		return fmt.Sprintf("first event %s alone, none under load", timeAt(f, 0))
	}
	text := fmt.Sprintf("first event %s alone; %s (p50), %s (p90), %s (max) under load", timeAt(f, 0), timeAt(f, 1),
		timeAt(f, 2), timeAt(f, 3))
	if f.Times[5] > 0 {
		text += fmt.Sprintf("; longest silence %s alone, %s under load", timeAt(f, 4), timeAt(f, 5))
	}
	return text
}

func waited(f *record.Fact) string {
	switch verdict.Pattern(f.Name) {
	case verdict.OneByOne:
		return "had to wait: one answer at a time"
	case verdict.StartsOneByOne, verdict.NothingMeanwhile:
		return "had to wait: one first event at a time"
	case verdict.AtMost:
		return fmt.Sprintf("had to wait: at most %s at a time", count(f.Need, "answer"))
	case verdict.StartsAtMost:
		return fmt.Sprintf("had to wait: at most %s at a time", count(f.Need, "first event"))
	case verdict.SilentTogether:
		return "fell silent together"
	}
	return "waited far longer than one stream alone"
}

func starved(f *record.Fact) string {
	percent := 100 * f.Share
	switch verdict.Thief(f.Name) {
	case verdict.CPUQuota, verdict.BusyDisk:
		return fmt.Sprintf("%s kept it from running for %.0f %% of the time", f.Name, percent)
	case verdict.NobodyWokeUs:
		return fmt.Sprintf("this machine ran nothing of ours for %.0f %% of the time", percent)
	}
	busy := f.About[0].Share
	return fmt.Sprintf("%s took %.0f %% of the CPU while the machine was %.0f %% busy", f.Name, percent, 100*busy)
}

func chance(p float64) string {
	switch {
	case p < 1e-4:
		return "less than 1 in 10,000"
	case p < 0.001:
		return fmt.Sprintf("1 in %.0f", 1/p)
	}
	return fmt.Sprintf("%.1f %%", 100*p)
}

// saidOfNext are what to do next.
var saidOfNext = map[record.FactKind]sentence{
	verdict.NextQuiet:       plain("repeat on a quiet machine, or with a load that this machine can carry"),
	verdict.NextQuietLonger: plain("repeat on a quiet machine, with longer answers"),
	verdict.NextBeforeFault: plain("send streams before the fault"),
	verdict.NextAfterFault:  plain("send streams after the fault"),
	verdict.NextLongerAnswer: plain("ask for a longer answer, and let the server stamp its events, or run the " +
		"same against the app alone"),
	verdict.NextLessTaken:    plain("let the clients read more slowly, or the answers be longer"),
	verdict.NextCompress:     plain("let the edge, or the app, compress event streams"),
	verdict.NextLowerLoad:    plain("lower the load until some streams are let in"),
	verdict.NextLimitReached: plain("send more streams at once, or lower the limit"),
	verdict.NextStartApp: plain("name a command or an image instead of a URL, so that streamproof starts " +
		"the app itself"),
	verdict.NextRecycleSooner: plain("let the app recycle its workers sooner, or send more streams"),
	verdict.NextMoreAtOnce:    plain("send more streams at once"),
	verdict.NextDuration:      plain("add duration: 3s to the load, so that streams follow one another"),
	verdict.NextLongerStreams: plain("use longer streams, so that the fault meets them in their body"),
	verdict.NextMoreOrLonger:  plain("use more or longer streams"),
	verdict.NextSpread: plain("let more streams start one after the other (--streams 20 --ramp 500ms): a worker may " +
		"take all that come at once"),
	verdict.NextStrikeLater: plain("let the fault wait until streams are in their body: when: {events: 1}"),
	verdict.NextPause:       plain("put {pause} into stream.path where the app is told how long to pause"),
	verdict.NextAskLonger:   plain("ask the app something that takes longer to answer"),
	verdict.NextHangUp:      plain("use longer streams, so that there is something to hang up on"),
	verdict.NextLedgerPath: plain("let the app answer GET /ledger?nonce=… with the outcome of a stream, and " +
		"name that path (app.ledger)"),
	verdict.NextLedger: plain("let the app keep a ledger, or log the end of each stream with its X-Request-ID"),
	verdict.NextUnbuffer: plain("send X-Accel-Buffering: no with every stream, or turn buffering off at " +
		"your edge; to have this judged name the edge (edge.form) or the scenario"),
	verdict.NextDirect: plain("run the same with --direct URL, the address of the app behind its edge, " +
		"or streamproof diagnose with it"),
	verdict.NextDirectScenario: plain("run streamproof diagnose, or the scenario direct as well"),
	verdict.NextFewer: func(f *record.Fact) string {
		if f.N == 0 {
			return "send fewer streams at once"
		}
		return fmt.Sprintf("send fewer streams at once: --streams %d", f.N)
	},
	verdict.NextLoadWorkers: plain("run it again; if that shows the same, use fewer load workers (--load-workers), " +
		"or the same version of streamproof for all of them"),
	verdict.NextReach: plain("let the pods connect to that address (network policies, firewall, DNS), or send the load " +
		"from this machine, without --fleet"),
	verdict.NextWorkersTrust: plain("name its certificate authority with --cacert FILE, which is sent to the pods: they " +
		"do not have those of this machine; or send the load from this machine, without --fleet"),
	verdict.NextRoom: plain("use more load workers (--load-workers), or raise the limit of open files where they run " +
		"(ulimit -n)"),
	verdict.NextNearer: plain("run streamproof near the cluster, on a network that answers evenly and at once: " +
		"the clocks are compared over it"),
	verdict.NextPodsLeft: func(f *record.Fact) string {
		return "kubectl" + after(" --context ", shellWord(f.Text)) + " delete pod -n " + shellWord(f.Place) +
			" -l job-name=" + shellWord(f.Name) + " --force"
	},
	verdict.NextLargerMachine: plain("lower the load, or use a larger machine"),
	verdict.NextLinux:         plain("run it on a stack that starts the app itself, on Linux"),
	verdict.NextEndless:       plain("read a feed without an end for a time: --endless 10s,5; or raise limits.total"),
	verdict.NextGrowingNumber: plain("name the place of a number that grows by 1 with each event"),
	verdict.NextPlaceOfNumber: plain("look at one event, and name the place where its number stands"),
	verdict.NextEcho: plain("let the app echo the header X-Request-ID there; or send the ID where the " +
		"app echoes it, with {nonce} in path, headers or body"),
	verdict.NextNotes:       plain("see the run's notes"),
	verdict.NextAgain:       func(f *record.Fact) string { return cmp.Or(f.Text, "run it again") },
	verdict.NextMoreStreams: plain("send more streams, or let them run to their end"),
	verdict.NextMoreForP95:  plain("send more streams"),
	verdict.NextDeclareEnd: plain("declare how the answer ends: a sentinel, its length or its SHA-256; or " +
		"set stream.plain_path, or send Content-Length"),
	verdict.NextDeclareProof: plain("set stream.plain_path, or declare a sentinel, a length or a SHA-256"),
	verdict.NextLetEnd:       plain("let the run go on to its end"),
	verdict.NextWhileOthers:  plain("run it again: new streams are sent while the others continue"),
	verdict.NextControl:      plain("let the control streams run to their end"),
	verdict.NextPlainPath:    plain("set stream.plain_path or stream.plain_body to what asks the app not to stream"),
	verdict.NextAskPlain:     plain("ask for the answer in one piece too"),
	verdict.NextTextDialect:  plain("use a dialect that knows where the text of an answer is"),
	verdict.NextTotalLimit:   plain("ask for shorter answers, or raise limits.total"),
	verdict.NextPlainForm: plain("let the app answer in one piece with plain text, or with JSON that holds " +
		"choices, message, response or text"),
	verdict.NextSameAnswer: plain("let the app answer alike each time (temperature 0, a fixed seed, a " +
		"question with one answer)"),
	verdict.NextSolo: plain("make one stream complete first"),
	verdict.NextRepeatMore: plain("repeat with more streams: one stream alone does not tell a slow answer " +
		"from a slow app"),
	verdict.NextReport:   plain("report this as a bug of streamproof, with the run folder"),
	verdict.NextDiagnose: plain("compare with the same answer from the app itself: streamproof diagnose"),
	verdict.NextTerminal: func(f *record.Fact) string {
		return "give an expression for the last event alone" + after(": --terminal ", shellWord(f.Text))
	},
	verdict.NextIdentity: plain("ask for the answer without that encoding: --header 'Accept-Encoding: identity'"),
	verdict.NextNoDialect: plain("streamproof has no dialect for it: ask for server-sent events or NDJSON, or " +
		"judge the same app behind an endpoint that sends them"),
	verdict.NextTrust: plain("trust its certificate authority with --cacert FILE, " +
		"or accept any certificate with --insecure"),
	verdict.NextCloseEvents: plain("send the closing events as well: strict clients may reject the answer"),
	verdict.NextObjectives:  plain("send more streams, until there are the values that each objective needs"),
	verdict.NextReadBy: func(f *record.Fact) string {
		return "read it with --dialect " + f.Name + after(" --terminal ", shellWord(f.Text))
	},
	verdict.NextAllowHost: func(f *record.Fact) string {
		return "add --allow-host " + shellWord(f.Name) + " if it is yours, or ask for where the stream is"
	},
	verdict.NextPath: func(f *record.Fact) string {
		return "ask for it at once, as clients that know it do: --path " + shellWord(f.Text)
	},
}

// shellWord is a text as a shell takes it for one word; "" for none.
func shellWord(text string) string {
	if text == "" {
		return ""
	}
	word, err := syntax.Quote(text, syntax.LangBash)
	if err != nil { // a NUL, which no argument can have
		return strconv.Quote(text)
	}
	return word
}

// Reason says in one clause what decided the grade of a stream; "" where nothing went
// wrong.
func Reason(g verdict.Grade) string { return Say(g.Fact) }

// Word fills the texts of a report from its facts: those that are empty, so that it may
// be called again. A report of [verdict.Judge] or diagnose has none before.
func Word(r *verdict.Report) {
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		wordScenario(s)
		if r.Judged {
			s.Why = cmp.Or(s.Why, whyOfScenario(s))
		}
	}
	if r.Judged {
		r.Why = cmp.Or(r.Why, whyOfReport(r))
	}
}

// worded is a copy of r with its texts.
func worded(r *verdict.Report) *verdict.Report {
	c := *r
	c.Scenarios = slices.Clone(r.Scenarios)
	for i := range c.Scenarios {
		s := &c.Scenarios[i]
		s.Checks, s.Doubts, s.Causes = slices.Clone(s.Checks), slices.Clone(s.Doubts), slices.Clone(s.Causes)
		s.Hops, s.Replicas, s.Warnings = slices.Clone(s.Hops), slices.Clone(s.Replicas), slices.Clone(s.Warnings)
		for j := range s.Causes {
			c := &s.Causes[j]
			c.Evidence, c.Candidates = slices.Clone(c.Evidence), slices.Clone(c.Candidates)
		}
		if s.Edge != nil {
			e := *s.Edge
			s.Edge = &e
		}
	}
	Word(&c)
	return &c
}

func wordScenario(s *verdict.ScenarioReport) {
	for i := range s.Checks {
		s.Checks[i].Why = cmp.Or(s.Checks[i].Why, Say(s.Checks[i].Fact))
	}
	for i := range s.Doubts {
		d := &s.Doubts[i]
		d.Why, d.Settle = cmp.Or(d.Why, Say(d.Fact)), cmp.Or(d.Settle, Say(d.Next))
	}
	for i := range s.Causes {
		wordCause(&s.Causes[i])
	}
	for i := range s.Warnings {
		wordWarning(&s.Warnings[i])
	}
	for i := range s.Hops {
		h := &s.Hops[i]
		if ending, framing := h.End(); h.Ending == "" {
			h.Ending = string(ending) + after(" (", string(framing)) + map[bool]string{true: ")"}[framing != ""]
		}
		if h.Wrong {
			h.Why = cmp.Or(h.Why, wrongAt(s.Hops[:i], h))
		}
	}
	for i := range s.Replicas {
		s.Replicas[i].Worse = cmp.Or(s.Replicas[i].Worse, Say(s.Replicas[i].Apart))
	}
	if s.Edge != nil {
		s.Edge.Summary = cmp.Or(s.Edge.Summary, edgeSummary(&s.Edge.EdgeProbe))
	}
}

func wordCause(c *verdict.Cause) {
	c.Summary = cmp.Or(c.Summary, Say(c.Fact))
	if len(c.RuledOut) == 0 {
		c.RuledOut = sayAll(c.Excluded)
	}
	for i := range c.Candidates {
		o := &c.Candidates[i]
		o.Why = cmp.Or(o.Why, Say(o.Fact))
	}
	c.Fix = cmp.Or(c.Fix, strings.Join(sayAll(c.Mend), "\n"))
	c.Settle = cmp.Or(c.Settle, Say(c.Next))
	for i := range c.Evidence {
		e := &c.Evidence[i]
		e.Text, e.Remark = cmp.Or(e.Text, Say(e.Fact)), cmp.Or(e.Remark, Say(e.Beside))
	}
}

// wrongAt says what is worse at a hop than one hop further in.
func wrongAt(inner []verdict.HopReport, h *verdict.HopReport) string {
	here := hopOutcomes(h)
	switch {
	case h.Squeezes:
		return "a client that asks for compression, as browsers do, has its events held back (" + h.Squeezed + ")"
	case len(inner) == 0:
		return here + ": it begins in the app"
	}
	last := &inner[len(inner)-1]
	return fmt.Sprintf("%s, while it was %s at %s", here, hopOutcomes(last), last.Name())
}

func hopOutcomes(h *verdict.HopReport) string {
	if h.Buffered > 0 {
		return fmt.Sprintf("%s (%s held back)", worstTally(h.Outcomes), thousands(h.Buffered))
	}
	return worstTally(h.Outcomes)
}

// worstTally is [tally], the worst outcome first.
func worstTally(n map[verdict.Outcome]int) string {
	var all []record.Count
	for _, o := range slices.Backward(outcomesIn(n)) {
		all = append(all, record.Count{Name: string(o), N: n[o]})
	}
	return counts(all)
}

// whyOfScenario is the first answer as bad as the verdict; of a pass, what was measured.
// Attempts and a quarantine are told before.
func whyOfScenario(s *verdict.ScenarioReport) string {
	note, why := settledNote(s), whyOfAttempt(s)
	if note == "" || why == "" {
		return note + why
	}
	return note + ": " + why
}

func whyOfAttempt(s *verdict.ScenarioReport) string {
	if len(s.Attempts) > 0 {
		return firstBad(s)
	}
	if s.Verdict == verdict.Pass {
		return whyPassed(s)
	}
	if c := s.Decided(); c != nil {
		return c.Why
	}
	return ""
}

// whyPassed says what was measured: the counts stand beside it.
func whyPassed(s *verdict.ScenarioReport) string {
	var parts []string
	if g := s.MainGroup(); g != nil {
		if g.TTFE != nil && g.TTFE.P50 != nil {
			parts = append(parts, "first event "+short(seconds(*g.TTFE.P50))+" (p50)")
		}
		if g.Gap != nil {
			parts = append(parts, "longest silence "+short(seconds(g.Gap.Max)))
		}
	}
	if s.Recovery != nil {
		parts = append(parts, "recovered in "+short(seconds(*s.Recovery)))
	}
	why := strings.Join(parts, ", ")
	if len(parts) == 0 {
		why = fmt.Sprintf("%s: %s", count(s.Started, "stream"), worstTally(s.Outcomes))
	}
	return why + after("; ", proven(s.Bound))
}

// whyOfReport is the report in one sentence.
func whyOfReport(r *verdict.Report) string {
	var of []string
	var first *verdict.ScenarioReport
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		if s.Counts() != r.Verdict {
			continue
		}
		if of = append(of, s.ID); first == nil {
			first = s
		}
	}
	switch {
	case len(r.Scenarios) == 0:
		return "no scenario was run"
	case r.Verdict == verdict.Pass:
		return fmt.Sprintf("%s%s; %s: %s", passed(len(of), first.ID, r), excusedLine(r), count(r.Started, "stream"),
			worstTally(r.Outcomes))
	case len(of) == 0 && excusedLine(r) != "":
		return "nothing was left to decide by" + excusedLine(r)
	case len(of) == 0:
		return fmt.Sprintf("nothing was judged: none of %s applies to this app (%s: %s)",
			count(len(r.Scenarios), "scenario"), r.Scenarios[0].ID, r.Scenarios[0].Why)
	}
	word := map[verdict.Verdict]string{verdict.Fail: "failed", verdict.Inconclusive: "could not be decided",
		verdict.Flaky: plural.Is(len(of)) + " flaky"}[r.Verdict]
	if len(r.Scenarios) == 1 {
		return fmt.Sprintf("%s %s: %s", first.ID, word, first.Why)
	}
	return fmt.Sprintf("%d of %s %s (%s); %s: %s", len(of), count(len(r.Scenarios), "scenario"), word,
		abbreviate(of), first.ID, first.Why)
}

// passed says how many scenarios passed, the first of which is first, and how many
// do not apply.
func passed(n int, first string, r *verdict.Report) string {
	aside := 0
	for _, s := range r.Scenarios {
		if s.Verdict == verdict.NotApplicable {
			aside++
		}
	}
	switch of := len(r.Scenarios); {
	case aside > 0:
		return fmt.Sprintf("%d of %d scenarios passed, %d not applicable to this app", n, of, aside)
	case n < of:
		return fmt.Sprintf("%d of %d scenarios passed", n, of)
	case n == 1:
		return first + " passed"
	}
	return fmt.Sprintf("all %d scenarios passed", n)
}

// abbreviate names at most four.
func abbreviate(ids []string) string {
	const most = 4
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
}
