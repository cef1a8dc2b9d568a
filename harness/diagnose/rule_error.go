package diagnose

import (
	"cmp"
	"fmt"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

// appError (A2) explains single cuts by an exception, each with its own.
type appError struct{}

func (appError) match(v *view) []*finding {
	ms := v.matchDeaths(v.with(verdict.Aborted), diedByException)
	if len(ms) > 0 {
		return one(v.raised(gradedOf(ms), certain).show(causesOfDeath(ms, 6)...).show(cite(v.tags[upstreamClosed], 2)...))
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
	if len(gs) == 0 || v.appSpeaks() {
		return nil // the app's log would show the exception
	}
	return one(v.raised(gs, likely).show(cite(v.brokeOff(), 3)...).settle(v.keepAppLog()))
}

func (v *view) raised(gs []*verdict.Graded, confidence string) *finding {
	return found(AppError, layerApp, confidence, gs).
		say("the app raised mid-stream and its server cut %d connections", len(gs)).
		see(tightest(gs)).
		notIf(v.noExit(gs), "worker killed", "no process exited").
		notIf(v.edgeSpeaks() && len(v.tags[upstreamTimeout]) == 0, "proxy read timeout",
			"no timeout in the edge's error log").
		mend(v.fix(fixRaised))
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
		say("%d responses declared a Content-Length and ended before it", len(gs)).
		see(fmt.Sprintf("stream %d: Content-Length %s, %d bytes came", gs[0].Seq,
			cmp.Or(gs[0].Header["Content-Length"], "unknown"), gs[0].Bytes)).
		show(cite(v.tags[lengthMismatch], 3)...).
		notIf(v.noExit(gs), "worker killed", "no process exited").
		mend("never set Content-Length on a stream; a middleware that changes bodies must drop it"))
}
