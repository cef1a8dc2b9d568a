package diagnose

import (
	"fmt"
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
			say("%d streams never completed an event that had begun, while its bytes went on coming", len(gs)).
			not(HeartbeatsOnly, "the bytes belong to an event").
			or(HeldOnTheWay, "a slow link or hop may pass the bytes on one by one").
			mend("write each event, with the blank line that ends it, in one write; bound the wait for the rest of it, and "+
				"send an error event when the time is over").
			settle(v.peel("does the app complete the event when asked directly?")))
		v.explain(fs[0])
	}
	if gs := v.take(func(g *verdict.Graded) bool { return idles(g) && g.Heartbeats > 0 }); len(gs) > 0 {
		fs = append(fs, v.keptAlive(HeartbeatsOnly, gs).
			say("%d streams got heartbeats and no more content: whoever produces the answer has stopped, and the heartbeats "+
				"go on without it", len(gs)).
			not(StallInApp, "bytes went on coming all the time").
			notIf(v.Active == record.Never, "our own faults", "none was active").
			settle(v.rerun("--progress-limit 10m")+"   # does the answer go on after all?"))
	}
	return fs
}

func (v *view) keptAlive(name string, gs []*verdict.Graded) *finding {
	f := found(name, layerApp, likely, gs).see(idleLine(gs[0])).show(v.lastWord(gs[0]), v.accessLine(gs[0]))
	if longest := v.longestThought(); longest > 0 {
		f.see(fmt.Sprintf("the longest time without content in an answer that came whole is %.2f s", longest.Seconds()))
	}
	return f
}

// idles reports whether a stalled stream was ended although bytes were coming.
func idles(g *verdict.Graded) bool {
	return g.Grade.Ending == verdict.NoProgress || g.Grade.Outcome == verdict.Stalled && g.Limit == record.FirstLimit &&
		g.Headers != record.Never
}

func idleLine(g *verdict.Graded) string {
	from := max(lastContent(g), startOf(g))
	return fmt.Sprintf("stream %d: %d content events, then in %.2f s %d heartbeats, and %d bytes of an event at its end",
		g.Seq, g.Contents, (g.End - from).Seconds(), g.Heartbeats, g.Partial)
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
