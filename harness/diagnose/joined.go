package diagnose

import (
	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// joinedDoubt is for an app that was asked directly, alone or not, and whose events
// came in one piece: it may join them and hand the answer to its server at once. How an
// app paces its answers is its own affair, so that nobody is blamed; that a client sees
// nothing until all is there should be known.
func joinedDoubt(s *verdict.Scope) []verdict.Doubt {
	if !s.Run.AppAlone(s.Scenario.ID) {
		return nil
	}
	var joined []*verdict.Graded
	whole := 0
	for i := range s.Streams {
		g := &s.Streams[i]
		if g.Hop != appHop || g.Grade.Outcome != verdict.Complete || !g.Untouched() {
			continue
		}
		if whole++; g.Grade.Held == nil && s.InOnePiece(g) {
			joined = append(joined, g)
		}
	}
	if len(joined) == 0 || 2*len(joined) < whole {
		return nil
	}
	p := verdict.PacingOf(joined[0].Stream)
	return []verdict.Doubt{{
		About: "events come one by one",
		Fact: &record.Fact{Kind: FactJoinedByApp, N: len(joined), Of: whole, Stream: joined[0].Seq,
			About: []record.Fact{p.Fact(joined[0].Stream)}},
		Next: &record.Fact{Kind: NextLogYields},
	}}
}
