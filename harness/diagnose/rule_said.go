package diagnose

import (
	"maps"
	"slices"

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
			tell(fact{Kind: FactFailureReason, N: len(gaveUp), About: []fact{reasons(gaveUp)}}).
			see(say(gaveUp[0]), thenTerminal(gaveUp), tightest(gaveUp)).show(v.lastWord(gaveUp[0])).
			not("complete", fact{Kind: NotSentinel}).
			mend(fact{Kind: MendFailureReason})
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
			tell(fact{Kind: FactErrorThenTerminal, N: len(both)}).
			see(say(both[0])).show(v.lastWord(both[0])).
			not("complete", fact{Kind: NotErrorFirst}).
			mend(fact{Kind: MendReturnAfterError})
	})
	inBand := v.take(func(g *verdict.Graded) bool {
		return g.Content.Errors > 0 && g.Grade.Outcome == verdict.FailedClean
	})
	add(inBand, func() *finding {
		return found(InBandError, layerApp, certain, inBand).
			tell(fact{Kind: FactInBandError, N: len(inBand)}).
			see(say(inBand[0]), tightest(inBand)).show(v.lastWord(inBand[0])).
			not("truncation", fact{Kind: NotWholeByError}).
			mend(fact{Kind: MendInBandError})
	})
	twice := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Repeated) && g.Grade.Outcome == verdict.Complete
	})
	add(twice, func() *finding {
		return found(TerminalTwice, layerApp, certain, twice).
			tell(fact{Kind: FactTerminalTwice, N: len(twice)}).
			see(fact{Kind: FactTerminals, Stream: twice[0].Seq, N: twice[0].Content.Terminals,
				Of: twice[0].Content.AfterTerminal}).
			mend(fact{Kind: MendTerminalOnce})
	})
	ragged := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Ragged) && g.Grade.Outcome == verdict.Complete && !g.Struck
	})
	add(ragged, func() *finding {
		return found(CutAfterAnswer, layerApp, likely, ragged).
			tell(fact{Kind: FactCutAfterTerminal, N: len(ragged)}).
			see(fact{Kind: FactAfterTerminal, Stream: ragged[0].Seq, Name: string(ragged[0].Wire.Close),
				Place: string(ragged[0].Wire.Where)}).
			mend(fact{Kind: MendLetEnd})
	})
	open := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Has(verdict.Lingering) && (v.minds(verdict.Lingering) || g.Grade.Outcome != verdict.Complete) &&
			!g.Struck
	})
	add(open, func() *finding {
		return found(OpenAfterAnswer, layerApp, certain, open).
			tell(fact{Kind: FactLeftOpen, N: len(open)}).
			see(fact{Kind: FactOpenFor, Stream: open[0].Seq, Took: max(open[0].Wire.Lingered, 0)}).
			notIf(open[0].Wire.Framing == record.CloseDelimited, "keep-alive",
				fact{Kind: NotKeepAlive}).
			mend(fact{Kind: MendReturn})
	})
	return fs
}

// tooFew is for a feed that brought fewer events than were asked for, and no
// silence that would count.
func (v *view) tooFew(gs []*verdict.Graded) *finding {
	g := gs[0]
	f := found(FeedTooSlow, layerApp, likely, gs).
		tell(fact{Kind: FactFewEvents, N: len(gs), Need: max(1, v.Scenario.Policy.FeedEvents),
			Took: v.Scenario.Policy.Feed}).
		see(fact{Kind: FactFeedLine, Stream: g.Seq, N: g.Contents, Of: g.Heartbeats,
			Took: g.ProgressGap}).show(v.lastWord(g)).
		mend(fact{Kind: MendFeed})
	if g.Contents == 0 && g.Heartbeats > 0 {
		f.Cause.Cause = HeartbeatsOnly
	}
	return f
}

// reasons lists the reasons for the end, with their counts.
func reasons(gs []*verdict.Graded) fact {
	n := map[string]int{}
	for _, g := range gs {
		n[g.Content.Reason]++
	}
	f := fact{Kind: FactReasons}
	for _, reason := range slices.Sorted(maps.Keys(n)) {
		f.Counts = append(f.Counts, record.Count{Name: reason, N: n[reason]})
	}
	return f
}

// thenTerminal says how many of some failed streams sent the terminal all the
// same.
func thenTerminal(gs []*verdict.Graded) fact {
	n := 0
	for _, g := range gs {
		if g.Content.Terminals > 0 {
			n++
		}
	}
	if n == 0 {
		return fact{}
	}
	return fact{Kind: FactTerminalBehind, N: n, Of: len(gs)}
}
