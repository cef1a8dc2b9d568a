package diagnose

import (
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// resources (A1) explains streams whose generator found its resources closed: no
// event or always the same few, on all streams alike.
type resources struct{}

func (resources) match(v *view) []*finding {
	said := v.near(v.take(hardlyBegan), v.closedOf())
	gs := said
	if len(said) == 0 {
		gs = v.take(endedAtOnce)
	}
	dead := len(v.matchDeaths(gs, diedByKill, diedByExit, diedByTerm, diedByTimeout, diedByMemory)) > 0
	if len(gs) == 0 || dead {
		return nil
	}
	f := found(OutlivesResources, layerApp, certain, gs).
		tell(fact{Kind: FactEndedAtHead, N: len(gs)}).
		show(cite(v.tags[closedResource], 3)...).show(cite(v.tags[exception], 1)...).see(framingLine(gs[0])).
		notIf(len(said) > 0, "application error mid-stream",
			fact{Kind: NotRaisedOtherwise})
	switch {
	case len(said) > 0:
		return one(f)
	case v.appSpeaks() || !v.nobodyLives():
		return nil // the log would have said so; or only some streams die so early
	}
	f.Confidence = possible
	return one(f.settle(fact{Kind: NextLogOneStream, About: []fact{v.rerun("--streams 1")}}))
}

// closedOf are the lines that say that something was closed, but those that only answer to
// a connection which somebody else closed.
func (v *view) closedOf() []hit {
	return slices.DeleteFunc(slices.Clone(v.tags[closedResource]), func(h hit) bool { return logline.Reacts(h.line.Text) })
}

// hardlyBegan holds for streams that were answered with success, and ended with
// at most one event.
func hardlyBegan(g *verdict.Graded) bool {
	short := g.Grade.Outcome == verdict.Aborted || g.Grade.Outcome == verdict.Truncated
	return short && !g.Struck && g.Contents <= 1 && g.Status >= 200 && g.Status < 300
}

// endedAtOnce holds for those that ended right behind their head, or behind that
// event. A body that we could not read, or that ended after a wait as a timer
// would have it, shows no such thing.
func endedAtOnce(g *verdict.Graded) bool {
	read := g.Content.Form == stream.FormUnknown && g.Content.Leftover == ""
	return hardlyBegan(g) && read && g.Headers != record.Never && g.End-max(g.Headers, g.Last) <= behindHead
}

// behindHead is how long after its head, or its one event, a stream may end to have
// ended by itself at once. Timers are longer.
const behindHead = 250 * time.Millisecond

// nobodyLives reports whether no stream got further than one event.
func (v *view) nobodyLives() bool {
	for i := range v.Streams {
		if v.Streams[i].Contents > 1 {
			return false
		}
	}
	return true
}
