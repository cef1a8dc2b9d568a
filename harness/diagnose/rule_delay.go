package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const fixBuffering = nginxUnbuffered

// buffering names the hop that collects events. Streams of one hop and one
// encoding have one cause; a probe that asks for compression may meet another.
type buffering struct{}

func (buffering) match(v *view) []*finding {
	var fs []*finding
	for _, gs := range v.heldBack() {
		g := gs[0]
		maker := v.collected
		if g.Encoding != "" {
			maker = v.squeezed
		}
		f := maker(gs).see(v.bufferLine(g)).show(v.accessLine(g))
		if g.Encoding != "" && g.Asks() {
			f.see(fmt.Sprintf("stream %d asked with Accept-Encoding: %s", g.Seq, g.AcceptEncoding))
		}
		fs = append(fs, f)
		if f.Confidence == possible && f.Cause.Cause != JoinedByApp {
			fs = append(fs, found(otherHop(f.Cause.Cause), layerEdge, possible,
				gs).say("the other side of the edge may collect events").
				see(v.bufferLine(g)).mend(fixBuffering).settle(f.Settle))
		}
	}
	return fs
}

// heldBack groups the streams that were held back by what holds them: as they
// are, or in a compressor.
func (v *view) heldBack() [][]*verdict.Graded {
	var plain, coded []*verdict.Graded
	for _, g := range v.take(func(g *verdict.Graded) bool { return v.flagged(g, verdict.Buffered) }) {
		if g.Encoding != "" {
			coded = append(coded, g)
		} else {
			plain = append(plain, g)
		}
	}
	// What is held back without compression as well is not the compressor's doing.
	if len(plain) > 0 && len(coded) > 0 && sameHops(plain, coded) {
		plain, coded = append(plain, coded...), nil
	}
	var all [][]*verdict.Graded
	for _, gs := range [][]*verdict.Graded{plain, coded} {
		if len(gs) > 0 {
			all = append(all, gs)
		}
	}
	return all
}

// sameHops reports whether at each hop of coded some of plain is held back too.
func sameHops(plain, coded []*verdict.Graded) bool {
	hops := map[string]bool{}
	for _, g := range plain {
		hops[g.Hop] = true
	}
	return !slices.ContainsFunc(coded, func(g *verdict.Graded) bool { return !hops[g.Hop] })
}

func otherHop(name string) string {
	switch name {
	case BufferedByEdge:
		return BufferedByApp
	case GzipByEdge:
		return GzipByApp
	case GzipByApp:
		return GzipByEdge
	default:
		return BufferedByEdge
	}
}

// squeezed is for compressed streams: B2 and B5.
func (v *view) squeezed(gs []*verdict.Graded) *finding {
	g := gs[0]
	inside := v.liveInside(gs)
	switch {
	case inside.Kind != "" && surely(gs), v.edge.gzip && v.edge.passed(g):
		return found(GzipByEdge, layerEdge, certain, gs).
			say("%s compresses %s (%s) and holds their events in its window", v.edge.product, count(gs), g.Encoding).
			see(inside).
			exclude(GzipByApp, orFact(inside, FactEdgeCompresses)).
			mend("gzip off; in the location of streams, or leave text/event-stream out of gzip_types")
	case v.edge.known, g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		confidence := certain
		if !surely(gs) {
			confidence = likely
		}
		return found(GzipByApp, layerApp, confidence, gs).
			say("the app compresses %s (%s) and holds their events in its window", count(gs), g.Encoding).
			not(GzipByEdge, "the app, asked directly, compresses them by itself").
			mend("exclude text/event-stream from GZipMiddleware, or flush the compressor after each event")
	default:
		return found(GzipByApp, layerApp, possible, gs).
			say("%s are compressed (%s) and arrive in bursts", count(gs), g.Encoding).
			mend("no compression for streams").settle(v.rerun("--header 'Accept-Encoding: identity'") +
			"   # without compression")
	}
}

func count(gs []*verdict.Graded) string {
	if len(gs) == 1 {
		return "1 stream"
	}
	return fmt.Sprintf("%d streams", len(gs))
}

// surely reports whether any of gs is known to have been held back: by the
// server's stamps, or since the same app paces its answers elsewhere.
func surely(gs []*verdict.Graded) bool {
	return slices.ContainsFunc(gs, func(g *verdict.Graded) bool {
		return g.Grade.Held != nil && g.Grade.Held.Proof != verdict.ByShape
	})
}

// collected is for streams that are held as they are: B1, B6 and the app's own.
func (v *view) collected(gs []*verdict.Graded) *finding {
	g := gs[0]
	a, logged := v.accessOf(g)
	inside := v.liveInside(gs)
	held := logged && a.Header >= 0 && g.Headers-startOf(g) > 2*a.Header+50*time.Millisecond
	switch {
	case inside.Kind != "" && surely(gs):
		return v.byEdge(gs, certain).see(inside).exclude(BufferedByApp, inside)
	case !surely(gs) && g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		return v.joined(gs)
	case !surely(gs):
		return v.cameInBursts(gs)
	case g.Wire.Framing == record.Length && !(v.edge.passed(g) && v.edge.gzip):
		return found(JoinedByApp, layerApp, certain, gs).
			say("%s came as one body with a Content-Length: something in the app joined them first", count(gs)).
			see(fmt.Sprintf("stream %d: Content-Length %s, head after %.2f s", g.Seq, cmp.Or(g.Header["Content-Length"], "set"),
				(g.Headers-startOf(g)).Seconds())).
			not(BufferedByEdge, "an edge that buffers a stream knows no length to declare").
			mend("pass body_iterator through in middleware, never b\"\".join(...)")
	case held:
		return v.byEdge(gs, certain).see(fmt.Sprintf("the edge had the app's head after %.3f s, the client after %.3f s",
			a.Header.Seconds(), (g.Headers - startOf(g)).Seconds()))
	case v.edge.passed(g) && v.edge.buffers && !logged:
		return v.byEdge(gs, likely)
	case v.edge.passed(g) && v.edge.buffers && g.Headers-startOf(g) <= 2*max(a.Header, 0)+50*time.Millisecond &&
		manyBursts(g):
		return v.byEdge(gs, likely)
	case v.edge.known, g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		return found(BufferedByApp, layerApp, likely, gs).
			say("the app collects the events of %s before it writes them", count(gs)).
			not(BufferedByEdge, v.whyNotBuffer(g)).
			mend(v.fix(fixFlush))
	default:
		return v.cameInBursts(gs)
	}
}

// joined is for answers of an app that stamps nothing: it alone was asked, and its
// events came as one body.
func (v *view) joined(gs []*verdict.Graded) *finding {
	g := gs[0]
	return found(JoinedByApp, layerApp, possible, gs).
		say("%s came as one body with a Content-Length, all at once: something in the app joined the events, or it does "+
			"not stream", count(gs)).
		see(fmt.Sprintf("stream %d: Content-Length %s, head after %.2f s", g.Seq, cmp.Or(g.Header["Content-Length"], "set"),
			(g.Headers - startOf(g)).Seconds())).
		mend("pass body_iterator through in middleware, never b\"\".join(...)").
		settle("log when each event is yielded, and compare with the time of the head")
}

// cameInBursts is for streams of which nobody knows whether they were written so:
// nothing is more than possible then.
func (v *view) cameInBursts(gs []*verdict.Graded) *finding {
	if !v.edge.there { // an edge that nobody has seen is not blamed first
		return found(BufferedByApp, layerApp, possible, gs).
			say("%s arrived in bursts; the app collects their events, or an edge that does not show (%s). Asked directly, "+
				"would it do the same?", count(gs), v.noSign()).
			mend(v.fix(fixFlush)).settle(v.peelWith())
	}
	return found(BufferedByEdge, layerEdge, possible, gs).
		say("%s arrived in bursts; an edge or the app collects their events. Asked directly, would the app do the same?",
			count(gs)).
		mend(fixBuffering).settle(v.peelWith())
}

// peelWith is the command that compares the layers, for an app that somebody else
// started with the address that we do not know.
func (v *view) peelWith() string { return v.peel("compares the app with the whole chain") }

func manyBursts(g *verdict.Graded) bool { return verdict.BufferingOf(g.Stream).Runs > 1 }

func (v *view) whyNotBuffer(g *verdict.Graded) string {
	if !v.edge.passed(g) {
		return "no edge stood in the way"
	}
	return "it does not buffer, or passed the head on as soon as it had it"
}

func (v *view) byEdge(gs []*verdict.Graded, confidence string) *finding {
	f := found(BufferedByEdge, layerEdge, confidence, gs).
		say("%s collects the events of %s before it passes them on", v.edge.product, count(gs)).
		show(cite(v.tags[tempFile], 1)...).
		mend(fixBuffering)
	if confidence == likely {
		f.settle(v.peel("is the app live when asked directly?"))
	}
	return f
}

// bufferLine gives the figures of one stream.
func (v *view) bufferLine(g *verdict.Graded) record.Fact {
	b := verdict.BufferingOf(g.Stream)
	switch h := g.Grade.Held; {
	case b.Emission != 0:
		return record.Fact{Kind: FactCollapsed, Stream: g.Seq, N: g.Contents, Times: []time.Duration{b.Emission, b.Arrival},
			Share: b.Index(), Need: b.Collapsed, Of: b.Apart}
	case h == nil:
		return record.Fact{}
	default:
		return record.Fact{Kind: FactStream, Stream: g.Seq, About: []record.Fact{h.Pacing.Fact(g.Stream)}}
	}
}

// slow explains late first events that nothing else does.
type slow struct{}

func (slow) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Late) || v.flagged(g, verdict.Slowed) && lateOnly(g) || v.flagged(g, verdict.Gappy) &&
			lateOnly(g)
	})
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	head, first := g.Headers-startOf(g), g.First-startOf(g)
	f := found(SlowFirstEvent, layerApp, likely, gs).
		say("the first event of %d streams came late", len(gs)).
		see(firstLine(g, head, first)).show(v.lastWord(g), v.accessLine(g)).
		not("buffering", "what followed came event by event").
		mend("send the head and a first event (or a heartbeat) before the slow work; prefetch retrieval")
	if g.EmitFirst != 0 {
		f.see(fmt.Sprintf("the server wrote it %.3f s before it arrived", v.onTheWay(g).Seconds()))
	}
	return one(v.orPool(f))
}

// firstLine says when the head and the first event came, if one did.
func firstLine(g *verdict.Graded, head, first time.Duration) string {
	if g.First == record.Never {
		return fmt.Sprintf("stream %d: head after %.3f s, and no content event until we ended it after %.3f s", g.Seq,
			max(head, 0).Seconds(), ageOf(g).Seconds())
	}
	return fmt.Sprintf("stream %d: head after %.3f s, first event after %.3f s", g.Seq, max(head, 0).Seconds(),
		first.Seconds())
}

// onTheWay is how long the first event travelled, by the server's stamp.
func (v *view) onTheWay(g *verdict.Graded) time.Duration {
	return g.First - time.Unix(0, g.EmitFirst).Sub(v.Run.Plan.Started)
}
