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
	for _, s := range sayings {
		if gs := v.take(func(g *verdict.Graded) bool { return s.holds(v, g) }); len(gs) > 0 {
			f := s.tell(v, gs)
			fs = append(fs, f)
			v.explain(f)
		}
	}
	return fs
}

// sayings are what a server may say, in the order of their turns: for which streams
// each holds, and what it tells of them.
var sayings = []struct {
	holds func(*view, *verdict.Graded) bool
	tell  func(*view, []*verdict.Graded) *finding
}{
	{holdsGaveUp, (*view).gaveUp},
	{holdsTooFew, (*view).tooFew},
	{holdsErrorThen, (*view).errorThenTerminal},
	{holdsInBand, (*view).inBandError},
	{holdsTwice, (*view).terminalTwice},
	{holdsRagged, (*view).cutAfterAnswer},
	{holdsOpen, (*view).openAfterAnswer},
}

func holdsGaveUp(_ *view, g *verdict.Graded) bool {
	return g.Content.Failing && g.Content.Errors == 1 && g.Grade.Outcome == verdict.FailedClean
}

func (v *view) gaveUp(gs []*verdict.Graded) *finding {
	return found(FailureReason, layerApp, certain, gs).
		tell(fact{Kind: FactFailureReason, N: len(gs), About: []fact{reasons(gs)}}).
		see(say(gs[0]), thenTerminal(gs), tightest(gs)).show(v.lastWord(gs[0])).
		not("complete", fact{Kind: NotSentinel}).
		mend(fact{Kind: MendFailureReason})
}

func holdsErrorThen(_ *view, g *verdict.Graded) bool {
	return g.Grade.Has(verdict.ErrorThen) && g.Grade.Outcome == verdict.FailedClean
}

func (v *view) errorThenTerminal(gs []*verdict.Graded) *finding {
	return found(ErrorThenTerminal, layerApp, certain, gs).
		tell(fact{Kind: FactErrorThenTerminal, N: len(gs)}).
		see(say(gs[0])).show(v.lastWord(gs[0])).
		not("complete", fact{Kind: NotErrorFirst}).
		mend(fact{Kind: MendReturnAfterError})
}

func holdsInBand(_ *view, g *verdict.Graded) bool {
	return g.Content.Errors > 0 && g.Grade.Outcome == verdict.FailedClean
}

func (v *view) inBandError(gs []*verdict.Graded) *finding {
	return found(InBandError, layerApp, certain, gs).
		tell(fact{Kind: FactInBandError, N: len(gs)}).
		see(say(gs[0]), tightest(gs)).show(v.lastWord(gs[0])).
		not("truncation", fact{Kind: NotWholeByError}).
		mend(fact{Kind: MendInBandError})
}

func holdsTwice(v *view, g *verdict.Graded) bool {
	return v.flagged(g, verdict.Repeated) && g.Grade.Outcome == verdict.Complete
}

func (v *view) terminalTwice(gs []*verdict.Graded) *finding {
	c := &gs[0].Content
	return found(TerminalTwice, layerApp, certain, gs).
		tell(fact{Kind: FactTerminalTwice, N: len(gs)}).
		see(fact{Kind: FactTerminals, Stream: gs[0].Seq, N: c.Terminals, Of: c.AfterTerminal}).
		mend(fact{Kind: MendTerminalOnce})
}

func holdsRagged(v *view, g *verdict.Graded) bool {
	return v.flagged(g, verdict.Ragged) && g.Grade.Outcome == verdict.Complete && !g.Struck
}

func (v *view) cutAfterAnswer(gs []*verdict.Graded) *finding {
	w := &gs[0].Wire
	return found(CutAfterAnswer, layerApp, likely, gs).
		tell(fact{Kind: FactCutAfterTerminal, N: len(gs)}).
		see(fact{Kind: FactAfterTerminal, Stream: gs[0].Seq, Name: string(w.Close), Place: string(w.Where)}).
		mend(fact{Kind: MendLetEnd})
}

func holdsOpen(v *view, g *verdict.Graded) bool {
	return g.Grade.Has(verdict.Lingering) && (v.minds(verdict.Lingering) || g.Grade.Outcome != verdict.Complete) &&
		!g.Struck
}

func (v *view) openAfterAnswer(gs []*verdict.Graded) *finding {
	w := &gs[0].Wire
	return found(OpenAfterAnswer, layerApp, certain, gs).
		tell(fact{Kind: FactLeftOpen, N: len(gs)}).
		see(fact{Kind: FactOpenFor, Stream: gs[0].Seq, Took: max(w.Lingered, 0)}).
		notIf(w.Framing == record.CloseDelimited, "keep-alive", fact{Kind: NotKeepAlive}).
		mend(fact{Kind: MendReturn})
}

func holdsTooFew(_ *view, g *verdict.Graded) bool {
	return g.Grade.Ending == verdict.FeedRead && g.Grade.Outcome == verdict.Stalled && !g.Struck
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
