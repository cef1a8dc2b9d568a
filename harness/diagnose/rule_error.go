package diagnose

import (
	"cmp"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// appError (A2) explains single cuts by an exception, each with its own.
type appError struct{}

func (appError) match(v *view) []*finding {
	ms := v.matchDeaths(v.with(verdict.Aborted), diedByException)
	if len(ms) > 0 {
		return one(v.raised(gradedOf(ms), likelyOnly(ms, certain)).show(causesOfDeath(ms, 6)...).
			show(cite(v.tags[upstreamClosed], 2)...))
	}
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.Partial == 0 && v.edge.passed(g)
	})
	gs = v.near(gs, v.brokeOff())
	if len(gs) > 0 {
		if f := v.overheard(gs); f != nil {
			return one(f.show(cite(v.brokeOff(), 2)...))
		}
	}
	if len(gs) == 0 || v.appSpeaks() || v.together(gs) {
		return nil // the app's log would show the exception; or a process ended with all of them
	}
	return one(v.raised(gs, likely).show(cite(v.brokeOff(), 3)...).settle(v.keepAppLog()))
}

func (v *view) raised(gs []*verdict.Graded, confidence string) *finding {
	return found(AppError, layerApp, confidence, gs).
		tell(fact{Kind: FactAppRaised, N: len(gs)}).
		see(tightest(gs)).
		notIf(v.noExit(gs), "worker killed", fact{Kind: NotExited}).
		notIf(v.edgeSpeaks() && len(v.tags[upstreamTimeout]) == 0, "proxy read timeout",
			fact{Kind: NotTimedOut})
}

func (v *view) died(gs []*verdict.Graded) bool {
	return len(v.matchDeaths(gs, diedByKill, diedByExit, diedByMemory)) > 0
}

// lengthLie (A7) explains bodies shorter than they declared.
type lengthLie struct{}

func (lengthLie) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return g.Grade.Outcome == verdict.Aborted && g.Wire.Framing == record.Length && !g.Struck &&
			g.Wire.Close == record.CloseFIN
	})
	if len(gs) == 0 || len(v.matchDeaths(gs, diedByException)) > 0 && len(v.tags[lengthMismatch]) == 0 {
		return nil
	}
	confidence := likely
	if len(v.tags[lengthMismatch]) > 0 {
		confidence = certain
	}
	return one(found(LengthLie, layerApp, confidence, gs).
		tell(fact{Kind: FactShortOfLength, N: len(gs)}).
		see(fact{Kind: FactLengthAndBytes, Stream: gs[0].Seq, Text: cmp.Or(gs[0].Header["Content-Length"],
			"unknown"), Bytes: gs[0].Bytes}).
		show(cite(v.tags[lengthMismatch], 3)...).
		notIf(v.noExit(gs), "worker killed", fact{Kind: NotExited}))
}
