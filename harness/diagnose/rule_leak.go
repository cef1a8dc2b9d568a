package diagnose

import (
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// leak (G1) explains servers that go on after the client has left. The server's
// own account proves it.
type leak struct{}

func (leak) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return g.Grade.Has(verdict.Leaked) })
	if len(gs) == 0 {
		return nil
	}
	return one(found(NotPropagated, layerApp, certain, gs).
		say("the server went on producing for %d clients that had hung up", len(gs)).
		see(v.ledgerLines(gs, 4)).show(v.lastWord(gs[0])).
		notIf(v.othersStopped(), "a hop that keeps the connection", "the server noticed other hang-ups on the same road").
		mend(v.fix(fixLeak)))
}

func (v *view) ledgerLines(gs []*verdict.Graded, n int) []string {
	leaked := make(map[uint64]bool)
	for _, g := range gs {
		leaked[g.Seq] = true
	}
	var out []string
	for _, l := range v.Ledgers {
		if !leaked[l.Stream] || len(out) == n {
			continue
		}
		stop := "still going on when asked"
		if l.StopAt != record.Never {
			stop = fmt.Sprintf("stopped %.2f s later", (l.StopAt - l.LeftAt).Seconds())
		}
		out = append(out, fmt.Sprintf("stream %d: client left at %.3f s, server %s, after %d events", l.Stream,
			l.LeftAt.Seconds(), stop, l.Produced))
	}
	return out
}

func (v *view) othersStopped() bool {
	for i := range v.Streams {
		g := &v.Streams[i]
		if g.Limit != record.CancelledByUs || g.Grade.Has(verdict.Leaked) {
			continue
		}
		for _, l := range v.Ledgers {
			if l.Stream == g.Seq {
				return true
			}
		}
	}
	return false
}
