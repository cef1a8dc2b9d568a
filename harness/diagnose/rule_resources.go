package diagnose

import (
	"time"

	"github.com/streamproof/streamproof/harness/verdict"
)

// resources (A1) explains streams whose generator found its resources closed: no
// event or always the same few, on all streams alike.
type resources struct{}

func (resources) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return (g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated) && !g.Struck && g.Contents <= 1 && g.Status < 400
	})
	if len(gs) == 0 {
		return nil
	}
	f := found(OutlivesResources, "A1", layerApp, certain, gs).
		say("%d streams ended at once after their head, with at most one event: what the generator reads was closed before it ran", len(gs)).
		see(cite(v.tags[closedResource], 3)...).see(cite(v.tags[exception], 1)...).see(framingLine(gs[0])).
		notIf(len(v.tags[closedResource]) > 0, "application error mid-stream", "the exception says that a resource was closed, and all streams end at the same event").
		mend(v.fix(fixResources))
	switch {
	case len(v.tags[closedResource]) > 0:
		return one(f)
	case measureOf(gs, silenceOf).center >= time.Second:
		return nil // it did not end at once
	case v.appSpeaks() || !v.nobodyLives() || len(v.matchDeaths(gs, diedByKill, diedByExit, diedByTerm, diedByTimeout, diedByMemory)) > 0:
		return nil // the log would have said so; or only some streams die so early
	}
	f.Confidence = possible
	return one(f.settle("keep the app's log and run one stream: " + v.rerun("--streams 1")))
}

// nobodyLives reports whether no stream got further than one event.
func (v *view) nobodyLives() bool {
	for i := range v.Streams {
		if v.Streams[i].Contents > 1 {
			return false
		}
	}
	return true
}
