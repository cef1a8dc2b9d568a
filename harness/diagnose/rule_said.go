package diagnose

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// said explains streams by what the server itself said about their end. The
// client alone can tell.
type said struct{}

func (said) match(v *view) []*finding {
	var fs []*finding
	add := func(gs []*verdict.Graded, make func() *finding) {
		if len(gs) > 0 {
			fs = append(fs, make())
			v.explain(fs[len(fs)-1])
		}
	}
	gaveUp := v.take(func(g *verdict.Graded) bool {
		return g.Content.Failing && g.Content.Errors == 1 && g.Grade.Outcome == verdict.FailedClean
	})
	add(gaveUp, func() *finding {
		return found(FailureReason, layerApp, certain, gaveUp).
			say("%d answers ended for a reason that says that they failed: %s", len(gaveUp), reasons(gaveUp)).
			see(say(gaveUp[0]), thenTerminal(gaveUp), tightest(gaveUp)).show(v.lastWord(gaveUp[0])).
			not("complete", "the sentinel that follows such a reason ends the stream, not the answer; a client that looks for "+
				"it alone takes the failure for success").
			mend("look in the log of the model server for why it gave the requests up (a deadline, preemption, a lost " +
				"client); let clients check the reason before the sentinel")
	})
	few := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Ending == verdict.FeedRead && g.Grade.Outcome == verdict.Stalled && !g.Struck
	})
	add(few, func() *finding { return v.tooFew(few) })
	both := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Has(verdict.ErrorThen) && g.Grade.Outcome == verdict.FailedClean
	})
	add(both, func() *finding {
		return found(ErrorThenTerminal, layerApp, certain, both).
			say("%d streams reported an error and then sent the terminal of success", len(both)).
			see(say(both[0])).show(v.lastWord(both[0])).
			not("complete", "the error came first; a client that looks for the terminal alone takes it for success").
			mend("return after the error event: send the terminal ([DONE]) on the success path only")
	})
	inBand := v.take(func(g *verdict.Graded) bool {
		return g.Content.Errors > 0 && g.Grade.Outcome == verdict.FailedClean
	})
	add(inBand, func() *finding {
		return found(InBandError, layerApp, certain, inBand).
			say("the server reported an error in band, after status 200, on %d streams", len(inBand)).
			see(say(inBand[0]), tightest(inBand)).show(v.lastWord(inBand[0])).
			not("truncation", "the error event says that the answer is not whole").
			mend("find the error in the app's log by its X-Request-ID; count in-band errors in the client, status codes do " +
				"not show them")
	})
	twice := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Repeated) && g.Grade.Outcome == verdict.Complete
	})
	add(twice, func() *finding {
		return found(TerminalTwice, layerApp, certain, twice).
			say("%d streams sent their terminal more than once", len(twice)).
			see(fmt.Sprintf("stream %d: %d terminals, %d events after the first", twice[0].Seq, twice[0].Content.Terminals,
				twice[0].Content.AfterTerminal)).
			mend("send the terminal in one place only: the generator or the framework around it, not both")
	})
	ragged := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Ragged) && g.Grade.Outcome == verdict.Complete && !g.Struck
	})
	add(ragged, func() *finding {
		return found(CutAfterAnswer, layerApp, likely, ragged).
			say("%d streams were cut between their terminal and the end of the body", len(ragged)).
			see(fmt.Sprintf("stream %d: %s %s after the terminal", ragged[0].Seq, ragged[0].Wire.Close, ragged[0].Wire.Where)).
			mend("let the response end by itself: do not close the connection or exit after the last event")
	})
	open := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Has(verdict.Lingering) && (v.minds(verdict.Lingering) || g.Grade.Outcome != verdict.Complete) &&
			!g.Struck
	})
	add(open, func() *finding {
		return found(OpenAfterAnswer, layerApp, certain, open).
			say("%d streams sent their terminal and left the connection open", len(open)).
			see(fmt.Sprintf("stream %d: open for %.2f s after its terminal", open[0].Seq,
				max(open[0].Wire.Lingered, 0).Seconds())).
			notIf(open[0].Wire.Framing == record.CloseDelimited, "keep-alive",
				"the close ends this body, so the client still waits").
			mend("end the response after the terminal: return from the generator")
	})
	return fs
}

// tooFew is for a feed that brought fewer events than were asked for, and no
// silence that would count.
func (v *view) tooFew(gs []*verdict.Graded) *finding {
	g := gs[0]
	f := found(FeedTooSlow, layerApp, likely, gs).
		say("%d streams of the feed brought fewer events than the %d in %.0f s that are asked for", len(gs),
			max(1, v.Scenario.Policy.FeedEvents), v.Scenario.Policy.Feed.Seconds()).
		see(fmt.Sprintf("stream %d: %d events and %d heartbeats, longest wait for an event %.2f s", g.Seq,
			g.Contents, g.Heartbeats, g.ProgressGap.Seconds())).show(v.lastWord(g)).
		mend("look at what produces the events; or ask for what the feed promises: --endless TIME,N")
	if g.Contents == 0 && g.Heartbeats > 0 {
		f.Cause.Cause = HeartbeatsOnly
		f.mend("heartbeats alone hide a producer that died: end the stream, or send an error event, where the producer " +
			"is gone")
	}
	return f
}

// reasons lists the reasons for the end, with their counts.
func reasons(gs []*verdict.Graded) string {
	n := map[string]int{}
	for _, g := range gs {
		n[g.Content.Reason]++
	}
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%q on %d", reason, n[reason]))
	}
	return strings.Join(parts, ", ")
}

// thenTerminal says how many of some failed streams sent the terminal all the
// same.
func thenTerminal(gs []*verdict.Graded) string {
	n := 0
	for _, g := range gs {
		if g.Content.Terminals > 0 {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d streams sent the terminal behind it", n, len(gs))
}
