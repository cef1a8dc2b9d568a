package diagnose

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

const fixBuffering = "send X-Accel-Buffering: no with every stream; or location /stream { proxy_buffering off; proxy_http_version 1.1; gzip off; }"

// buffering names the hop that collects events.
type buffering struct{}

func (buffering) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool { return v.flagged(g, verdict.Buffered) })
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	maker := map[bool]func([]*verdict.Graded) *finding{true: v.squeezed, false: v.collected}
	f := maker[g.Encoding != ""](gs).see(v.bufferLine(g), v.accessLine(g))
	fs := one(f)
	if f.Confidence == possible {
		fs = append(fs, found(otherHop(f.Cause.Cause), "B", layerEdge, possible, gs).say("the other side of the edge may collect events").
			see(v.bufferLine(g)).mend(fixBuffering).settle(f.Settle))
	}
	return fs
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
	case v.edge.gzip && v.edge.passed(g), inside != "":
		return found(GzipByEdge, "B2", layerEdge, certain, gs).
			say("the edge compresses %d streams (%s) and holds their events in its window", len(gs), g.Encoding).
			see(inside).
			not(GzipByApp, orElse(inside, "the edge is set up to compress")).
			mend("gzip off; in the location of streams, or leave text/event-stream out of gzip_types")
	case v.edge.known:
		return found(GzipByApp, "B5", layerApp, certain, gs).
			say("the app compresses %d streams (%s) and holds their events in its window", len(gs), g.Encoding).
			not(GzipByEdge, "the edge does not compress").
			mend("exclude text/event-stream from GZipMiddleware, or flush the compressor after each event")
	default:
		return found(GzipByApp, "B5", layerApp, possible, gs).
			say("%d streams are compressed (%s) and arrive in bursts", len(gs), g.Encoding).
			mend("no compression for streams").settle(v.rerun("--header 'Accept-Encoding: identity'") + "   # and " + peel)
	}
}

// collected is for streams that are held as they are: B1, B6 and the app's own.
func (v *view) collected(gs []*verdict.Graded) *finding {
	g := gs[0]
	a, logged := v.accessOf(g)
	inside := v.liveInside(gs)
	held := logged && a.Header >= 0 && g.Headers-startOf(g) > 2*a.Header+50*time.Millisecond
	switch {
	case inside != "":
		return v.byEdge(gs, certain).see(inside).not(BufferedByApp, inside)
	case g.Wire.Framing == record.Length && !(v.edge.passed(g) && v.edge.gzip):
		return found(JoinedByApp, "B6", layerApp, certain, gs).
			say("%d streams came as one body with a Content-Length: something in the app joined them first", len(gs)).
			see(fmt.Sprintf("stream %d: Content-Length %s, head after %.2f s", g.Seq, orElse(g.Header["Content-Length"], "set"), (g.Headers-startOf(g)).Seconds())).
			not(BufferedByEdge, "an edge that buffers a stream knows no length to declare").
			mend("pass body_iterator through in middleware, never b\"\".join(...)")
	case held:
		return v.byEdge(gs, certain).see(fmt.Sprintf("the edge had the app's head after %.3f s, the client after %.3f s", a.Header.Seconds(), (g.Headers - startOf(g)).Seconds()))
	case v.edge.passed(g) && v.edge.buffers && !logged:
		return v.byEdge(gs, likely)
	case v.edge.passed(g) && v.edge.buffers && g.Headers-startOf(g) <= 2*max(a.Header, 0)+50*time.Millisecond && manyBursts(g):
		return v.byEdge(gs, likely)
	case v.edge.known:
		return found(BufferedByApp, "B", layerApp, likely, gs).
			say("the app collects the events of %d streams before it writes them", len(gs)).
			not(BufferedByEdge, v.whyNotBuffer(g)).
			mend(v.fix(fixFlush))
	case !v.edge.there: // an edge that nobody has seen is not blamed first
		return found(BufferedByApp, "B", layerApp, possible, gs).
			say("%d streams arrive in bursts; the app collects their events, or an edge that does not show (%s)", len(gs), v.noSign()).
			mend(v.fix(fixFlush)).settle(peel + "   # compares the direct road with the whole one")
	default:
		return found(BufferedByEdge, "B1", layerEdge, possible, gs).
			say("%d streams arrive in bursts; an edge or the app collects their events", len(gs)).
			mend(fixBuffering).settle(peel + "   # compares the direct road with the whole one")
	}
}

func manyBursts(g *verdict.Graded) bool { return verdict.BufferingOf(g.Stream).Runs > 1 }

func (v *view) whyNotBuffer(g *verdict.Graded) string {
	if !v.edge.passed(g) {
		return "no edge stood in the way"
	}
	return "it does not buffer, or passed the head on as soon as it had it"
}

func (v *view) byEdge(gs []*verdict.Graded, confidence string) *finding {
	f := found(BufferedByEdge, "B1", layerEdge, confidence, gs).
		say("the edge collects the events of %d streams before it passes them on", len(gs)).
		see(cite(v.tags[tempFile], 1)...).
		mend(fixBuffering)
	if confidence == likely {
		f.settle(peel + "   # is the app live when asked directly?")
	}
	return f
}

func (v *view) bufferLine(g *verdict.Graded) string {
	b := verdict.BufferingOf(g.Stream)
	if b.Emission == 0 {
		alone := ""
		if slices.ContainsFunc(v.Run.Streams, func(s record.Stream) bool { return s.Hop == appHop }) {
			alone = ", while the app alone spreads them"
		}
		return fmt.Sprintf("stream %d: first event after %.3f s, then all %d within %.3f s%s", g.Seq, (g.First - startOf(g)).Seconds(), g.Contents, (g.Last - g.First).Seconds(), alone)
	}
	return fmt.Sprintf("stream %d: %d events written over %.3f s arrived within %.3f s (B = %.2f; %d of %d neighbours together)",
		g.Seq, g.Contents, b.Emission.Seconds(), b.Arrival.Seconds(), b.Index(), b.Collapsed, b.Apart)
}

// slow explains late first events that nothing else does.
type slow struct{}

func (slow) match(v *view) []*finding {
	gs := v.take(func(g *verdict.Graded) bool {
		return v.flagged(g, verdict.Late) || v.flagged(g, verdict.Gappy) && lateOnly(g)
	})
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	head, first := g.Headers-startOf(g), g.First-startOf(g)
	f := found(SlowFirstEvent, "X", layerApp, likely, gs).
		say("the first event of %d streams came late", len(gs)).
		see(fmt.Sprintf("stream %d: head after %.3f s, first event after %.3f s", g.Seq, head.Seconds(), first.Seconds()), v.lastWord(g), v.accessLine(g)).
		not("buffering", "what followed came event by event").
		mend("send the head and a first event (or a heartbeat) before the slow work; prefetch retrieval")
	if g.EmitFirst != 0 {
		f.see(fmt.Sprintf("the server wrote it %.3f s before it arrived", v.onTheWay(g).Seconds()))
	}
	return one(v.orPool(f))
}

// onTheWay is how long the first event travelled, by the server's stamp.
func (v *view) onTheWay(g *verdict.Graded) time.Duration {
	return g.First - time.Unix(0, g.EmitFirst).Sub(v.Run.Plan.Started)
}
