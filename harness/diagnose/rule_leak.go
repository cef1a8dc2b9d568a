package diagnose

import (
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
		tell(fact{Kind: FactWentOnProducing, N: len(gs)}).
		see(v.ledgerLines(gs, 4)...).show(v.lastWord(gs[0])).
		notIf(v.othersStopped(), "a hop that keeps the connection", fact{Kind: NotNoticed}))
}

func (v *view) ledgerLines(gs []*verdict.Graded, n int) []fact {
	leaked := make(map[uint64]bool)
	for _, g := range gs {
		leaked[g.Seq] = true
	}
	var out []fact
	for _, l := range v.Ledgers {
		if !leaked[l.Stream] || len(out) == n {
			continue
		}
		stop := fact{Kind: FactStillGoing}
		if l.StopAt != record.Never {
			stop = fact{Kind: FactStoppedLater, Took: l.StopAt - l.LeftAt}
		}
		out = append(out, fact{Kind: FactLedgerLine, Stream: l.Stream, Took: l.LeftAt, N: l.Produced,
			About: []fact{stop}})
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
