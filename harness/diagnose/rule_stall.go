package diagnose

import (
	"net/url"
	"strconv"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/stream"
	"github.com/streamproof/streamproof/harness/verdict"
)

// stalled explains streams that fell silent: at the end of their answer, in the
// app, or on the way.
type stalled struct{}

func (stalled) match(v *view) []*finding {
	var fs []*finding
	if gs := v.take(v.answered); len(gs) > 0 {
		f := found(MissingTerminal, layerApp, likely, gs).
			tell(fact{Kind: FactAllButEnd, N: len(gs)}).
			see(fact{Kind: FactWholeThenSilent, Stream: gs[0].Seq, N: gs[0].Contents, Took: gs[0].MaxGap}).
			show(v.lastWord(gs[0])).
			not(StallInApp, fact{Kind: NotOnlyTerminal})
		fs = append(fs, f)
		v.explain(f)
	}
	held := v.take(func(g *verdict.Graded) bool { return v.silent(g) && emittedInSilence(g) })
	if len(held) > 0 {
		f := found(HeldOnTheWay, layerNetwork, certain, held).
			tell(fact{Kind: FactWrittenMeanwhile, N: len(held)}).
			see(heldLine(held[0])).show(v.accessLine(held[0])).
			not(StallInApp, fact{Kind: NotStampedMeanwhile}).
			settle(v.peel(fact{Kind: WhyWhichHolds}))
		fs = append(fs, f)
		v.explain(f)
	}
	if gs := v.take(v.silent); len(gs) > 0 {
		fs = append(fs, v.inApp(gs)...)
	}
	return fs
}

func (v *view) silent(g *verdict.Graded) bool {
	return g.Grade.Outcome == verdict.Stalled && g.Headers != record.Never || v.flagged(g, verdict.Gappy) &&
		!lateOnly(g)
}

// lateOnly holds for streams whose longest silence is the one before the first
// event.
func lateOnly(g *verdict.Graded) bool {
	return g.First != record.Never && g.MaxGapAt < g.First && g.MaxGapAt+g.MaxGap <= g.First
}

// answered reports whether a stalled stream had all the content of an answer.
func (v *view) answered(g *verdict.Graded) bool {
	if g.Grade.Outcome != verdict.Stalled || g.Contents == 0 || g.Content.Terminals > 0 {
		return false
	}
	return g.Contents == v.wholeAnswer()
}

// wholeAnswer is how many content events an answer of this scenario has: what
// most complete streams had, or what our own origin was asked for. 0 if nobody
// knows.
func (v *view) wholeAnswer() int {
	count := make(map[int]int)
	best := 0
	for i := range v.Streams {
		g := &v.Streams[i]
		if g.Grade.Outcome != verdict.Complete {
			continue
		}
		count[g.Contents]++
		if count[g.Contents] > count[best] {
			best = g.Contents
		}
	}
	if best > 0 || v.Run.Plan.Dialect != "origin" {
		return best
	}
	if u, err := url.Parse(v.Run.Plan.Request.URL); err == nil {
		if n, err := strconv.Atoi(u.Query().Get("events")); err == nil {
			return n
		}
	}
	return originEvents
}

// originEvents is the origin's default number of events.
const originEvents = 20

// emittedInSilence reports whether the server wrote events while the client saw
// nothing: the event that ended the silence was written well before its end.
func emittedInSilence(g *verdict.Graded) bool {
	before, after, ok := aroundSilence(g)
	if !ok {
		return false
	}
	gap := time.Duration(after.Emit - before.Emit)
	return gap < g.MaxGap/2
}

// aroundSilence returns the stamped events on both sides of the longest silence.
func aroundSilence(g *verdict.Graded) (before, after record.Mark, ok bool) {
	for m := range g.Marks() {
		if m.Kind != stream.Content || m.Emit == 0 {
			continue
		}
		if m.At <= g.MaxGapAt {
			before = m
			continue
		}
		return before, m, before.Emit != 0
	}
	return before, after, false
}

func heldLine(g *verdict.Graded) fact {
	before, after, _ := aroundSilence(g)
	return fact{Kind: FactHeldLine, Stream: g.Seq, Times: []time.Duration{g.MaxGap, g.MaxGapAt,
		time.Duration(after.Emit - before.Emit)}}
}

// inApp is left when nothing shows that the bytes were on their way.
func (v *view) inApp(gs []*verdict.Graded) []*finding {
	confidence := likely
	stamped := 0
	for _, g := range gs {
		if _, _, ok := aroundSilence(g); ok {
			stamped++
		}
	}
	if stamped == len(gs) {
		confidence = certain
	}
	f := found(StallInApp, layerApp, confidence, gs).
		tell(fact{Kind: FactFellSilent, N: len(gs)}).
		see(fact{Kind: FactSilentLine, Stream: gs[0].Seq, Took: gs[0].MaxGap, N: gs[0].Contents, Of: gs[0].Heartbeats}).
		see(tightest(gs)).show(v.lastWord(gs[0]), v.accessLine(gs[0])).
		notIf(stamped == len(gs), HeldOnTheWay, fact{Kind: NotStampedSilent}).
		notIf(v.Active == record.Never, "our own faults", fact{Kind: NotFaultActive}).
		notIf(v.othersFlow(gs), "a dead network", fact{Kind: NotDeadNetwork})
	if v.stoppedAsOne(gs) {
		f.Confidence = possible // the loop may be blocked: see there
		f.settle(v.rerun("--ramp 2s", WhyByItself))
	}
	f = v.orPool(f)
	if v.edge.known || v.appSpeaks() || stamped == len(gs) {
		return one(f)
	}
	f.Confidence = possible
	f.settle(v.peel(fact{Kind: WhyFallsSilent}))
	return one(f.or(HeldOnTheWay, fact{Kind: MayBeHeld}))
}

// stoppedAsOne reports whether a blocked loop would explain the silence as well.
func (v *view) stoppedAsOne(gs []*verdict.Graded) bool {
	for worker, ws := range byWorker(gs) {
		if f := v.sharedGap(worker, ws); f != nil {
			return true
		}
	}
	return false
}

// othersFlow reports whether any stream outside of gs had events in the first
// one's silence.
func (v *view) othersFlow(gs []*verdict.Graded) bool {
	in := make(map[*verdict.Graded]bool, len(gs))
	for _, g := range gs {
		in[g] = true
	}
	for i := range v.Streams {
		if g := &v.Streams[i]; !in[g] && speaksWithin(g, gs[0].MaxGapAt, gs[0].MaxGapAt+gs[0].MaxGap) {
			return true
		}
	}
	return false
}
