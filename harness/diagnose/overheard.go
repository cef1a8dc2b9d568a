package diagnose

import (
	"github.com/streamproof/streamproof/harness/logline"
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// overheard explains ends that no rule has a word for by what the logs say in words
// that nobody taught us: the app finished what clients did not get, or it wrote a
// line of its own at each of the ends and nowhere else.
func (v *view) overheard(gs []*verdict.Graded) *finding {
	if p := v.produced(gs); p != nil && p.lost {
		return v.lostOnTheWay(gs, p)
	}
	c, ok := v.ownWords(gs)
	if !ok {
		return nil
	}
	return found(AppError, layerApp, likely, gs).
		say("the app ended %d answers itself: at %d of these ends it wrote a line that it writes nowhere else", len(gs),
			c.bad).
		show(c.cited()).see(say(gs[0]), shape(gs), v.neighbours(gs)).
		notIf(v.noExit(gs), "worker killed", "no process exited").
		mend("find the line in the app's code and see why it ends the answer there; send an error event before the end, so " +
			"that clients can tell")
}

// lostOnTheWay is for answers that the app finished.
func (v *view) lostOnTheWay(gs []*verdict.Graded, p *production) *finding {
	name, layer := ConnectionCut, layerNetwork
	if v.edge.passed(gs[0]) {
		name, layer = CutByEdge, layerEdge
	}
	return found(name, layer, likely, gs).
		say("%d answers were lost between the app, which finished them, and the client", len(gs)).
		see(p.fact().Fact()).see(say(gs[0]), shape(gs)).show(v.accessLine(gs[0])).
		not(AppError, "the app says that it finished these answers").
		mend("look at what stands between: its timeouts, its limits on size and age, and its restarts").
		settle(v.peel("where between the app and the client answers are lost"))
}

// ownWords is the line of the app's own that goes with nearly all of the ends. A
// line that only answers to a closed connection says nothing of who closed it.
func (v *view) ownWords(gs []*verdict.Graded) (companion, bool) {
	for _, c := range v.companions(gs) {
		_, access := logline.ParseAccess(c.log.Kind, c.first.line.Text)
		if c.strong && c.log.Kind == record.AppLog && 10*c.bad >= 9*c.badOf && !access && !logline.Reacts(c.first.line.Text) {
			return c, true
		}
	}
	return companion{}, false
}
