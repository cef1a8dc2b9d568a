package diagnose

import (
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// idling names streams that are kept alive without going on: heartbeats whose
// producer has died, and events that are never completed.
type idling struct{}

func (idling) match(v *view) []*finding {
	var fs []*finding
	if gs := v.take(func(g *verdict.Graded) bool { return idles(g) && g.Partial > 0 }); len(gs) > 0 {
		fs = append(fs, v.keptAlive(UnfinishedEvent, gs).
			tell(fact{Kind: FactEventOpen, N: len(gs)}).
			not(HeartbeatsOnly, fact{Kind: NotHeartbeats}).
			or(HeldOnTheWay, fact{Kind: MaySlowLink}).
			mend(fact{Kind: MendWholeEvent}).
			settle(v.peel(fact{Kind: WhyCompleted})))
		v.explain(fs[0])
	}
	if gs := v.take(func(g *verdict.Graded) bool { return idles(g) && g.Heartbeats > 0 }); len(gs) > 0 {
		fs = append(fs, v.keptAlive(HeartbeatsOnly, gs).
			tell(fact{Kind: FactHeartbeatsOnly, N: len(gs)}).
			not(StallInApp, fact{Kind: NotBytesStopped}).
			notIf(v.Active == record.Never, "our own faults", fact{Kind: NotFaultActive}).
			settle(v.rerun("--progress-limit 10m", WhyGoesOn)))
	}
	return fs
}

func (v *view) keptAlive(name string, gs []*verdict.Graded) *finding {
	f := found(name, layerApp, likely, gs).see(idleLine(gs[0])).show(v.lastWord(gs[0]), v.accessLine(gs[0]))
	if longest := v.longestThought(); longest > 0 {
		f.see(fact{Kind: FactLongestThought, Took: longest})
	}
	return f
}

// idles reports whether a stalled stream was ended although bytes were coming.
func idles(g *verdict.Graded) bool {
	return g.Grade.Ending == verdict.NoProgress || g.Grade.Outcome == verdict.Stalled && g.Limit == record.FirstLimit &&
		g.Headers != record.Never
}

func idleLine(g *verdict.Graded) fact {
	from := max(lastContent(g), startOf(g))
	return fact{Kind: FactKeptAlive, Stream: g.Seq, N: g.Contents, Took: g.End - from, Of: g.Heartbeats,
		Bytes: int64(g.Partial)}
}

// longestThought is the longest time without content in a complete response, 0 where
// none came whole.
func (v *view) longestThought() (longest time.Duration) {
	for i := range v.Streams {
		if g := &v.Streams[i]; g.Grade.Outcome == verdict.Complete {
			longest = max(longest, g.ProgressGap)
		}
	}
	return longest
}
