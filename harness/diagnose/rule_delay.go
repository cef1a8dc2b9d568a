package diagnose

import (
	"cmp"
	"slices"
	"time"

	"github.com/streamproof/streamproof/harness/record"
	"github.com/streamproof/streamproof/harness/verdict"
)

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
			f.see(fact{Kind: FactAskedEncoding, Stream: g.Seq, Name: g.AcceptEncoding})
		}
		fs = append(fs, f)
		if f.Confidence == possible && f.Cause.Cause != JoinedByApp {
			fs = append(fs, found(otherHop(f.Cause.Cause), layerEdge, possible,
				gs).tell(fact{Kind: FactOtherSide}).
				see(v.bufferLine(g)).settle(*f.Next))
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
			tell(fact{Kind: FactEdgeWindow, Name: v.edge.product.String(), N: len(gs), Text: g.Encoding}).
			see(inside).
			not(GzipByApp, orFact(inside, FactEdgeCompresses))
	case v.edge.known, g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		confidence := certain
		if !surely(gs) {
			confidence = likely
		}
		return found(GzipByApp, layerApp, confidence, gs).
			tell(fact{Kind: FactAppCompresses, N: len(gs), Text: g.Encoding}).
			not(GzipByEdge, fact{Kind: NotEdgeCompresses})
	default:
		return found(GzipByApp, layerApp, possible, gs).
			tell(fact{Kind: FactBurstsCompressed, N: len(gs),
				Text: g.Encoding}).settle(v.rerun("--header 'Accept-Encoding: identity'", WhyUncompressed))
	}
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
		return v.byEdge(gs, certain).see(inside).not(BufferedByApp, inside)
	case !surely(gs) && g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		return v.joined(gs)
	case !surely(gs):
		return v.cameInBursts(gs)
	case g.Wire.Framing == record.Length && !(v.edge.passed(g) && v.edge.gzip):
		return found(JoinedByApp, layerApp, certain, gs).
			tell(fact{Kind: FactAppJoined, N: len(gs)}).
			see(fact{Kind: FactLengthDeclared, Stream: g.Seq, Text: cmp.Or(g.Header["Content-Length"], "set"),
				Took: g.Headers - startOf(g)}).
			not(BufferedByEdge, fact{Kind: NotBufferKnowsLength})
	case held:
		return v.byEdge(gs, certain).see(fact{Kind: FactHeadHeld, Took: a.Header, Bound: g.Headers - startOf(g)})
	case v.edge.passed(g) && v.edge.buffers && !logged:
		return v.byEdge(gs, likely)
	case v.edge.passed(g) && v.edge.buffers && g.Headers-startOf(g) <= 2*max(a.Header, 0)+50*time.Millisecond &&
		manyBursts(g):
		return v.byEdge(gs, likely)
	case v.edge.known, g.Hop == appHop && v.Run.AppAlone(v.Scenario.ID):
		return found(BufferedByApp, layerApp, likely, gs).
			tell(fact{Kind: FactAppCollects, N: len(gs)}).
			not(BufferedByEdge, v.whyNotBuffer(g))
	default:
		return v.cameInBursts(gs)
	}
}

// joined is for answers of an app that stamps nothing: it alone was asked, and its
// events came as one body.
func (v *view) joined(gs []*verdict.Graded) *finding {
	g := gs[0]
	return found(JoinedByApp, layerApp, possible, gs).
		tell(fact{Kind: FactOneBody, N: len(gs)}).
		see(fact{Kind: FactLengthDeclared, Stream: g.Seq, Text: cmp.Or(g.Header["Content-Length"], "set"),
			Took: g.Headers - startOf(g)}).
		settle(fact{Kind: NextLogYieldsHead})
}

// cameInBursts is for streams of which nobody knows whether they were written so:
// nothing is more than possible then.
func (v *view) cameInBursts(gs []*verdict.Graded) *finding {
	if !v.edge.there { // an edge that nobody has seen is not blamed first
		return found(BufferedByApp, layerApp, possible, gs).
			tell(fact{Kind: FactBurstsNoEdge, N: len(gs), About: []fact{v.noSign()}}).settle(v.peelWith())
	}
	return found(BufferedByEdge, layerEdge, possible, gs).
		tell(fact{Kind: FactBursts, N: len(gs)}).settle(v.peelWith())
}

// peelWith is the command that compares the layers, for an app that somebody else
// started with the address that we do not know.
func (v *view) peelWith() fact { return v.peel(fact{Kind: WhyWholeChain}) }

func manyBursts(g *verdict.Graded) bool { return verdict.BufferingOf(g.Stream).Runs > 1 }

func (v *view) whyNotBuffer(g *verdict.Graded) fact {
	if !v.edge.passed(g) {
		return fact{Kind: NotNoEdge}
	}
	return fact{Kind: NotBuffering}
}

func (v *view) byEdge(gs []*verdict.Graded, confidence string) *finding {
	f := found(BufferedByEdge, layerEdge, confidence, gs).
		tell(fact{Kind: FactEdgeCollects, Name: v.edge.product.String(), N: len(gs)}).
		show(cite(v.tags[tempFile], 1)...)
	if confidence == likely {
		f.settle(v.peel(fact{Kind: WhyLiveDirectly}))
	}
	return f
}

// bufferLine gives the figures of one stream.
func (v *view) bufferLine(g *verdict.Graded) record.Fact {
	b := verdict.BufferingOf(g.Stream)
	switch h := g.Grade.Held; {
	case b.Emission != 0:
		return record.Fact{Kind: FactCollapsed, Stream: g.Seq, N: g.Contents, Times: []time.Duration{b.Emission,
			b.Arrival},
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
		return v.flagged(g, verdict.Late) || v.flagged(g, verdict.Slowed) && lateOnly(g) || v.flagged(g,
			verdict.Gappy) &&
			lateOnly(g)
	})
	if len(gs) == 0 {
		return nil
	}
	g := gs[0]
	head, first := g.Headers-startOf(g), g.First-startOf(g)
	f := found(SlowFirstEvent, layerApp, likely, gs).
		tell(fact{Kind: FactFirstLate, N: len(gs)}).
		see(firstLine(g, head, first)).show(v.lastWord(g), v.accessLine(g)).
		not("buffering", fact{Kind: NotBuffered})
	if g.EmitFirst != 0 {
		f.see(fact{Kind: FactTravelled, Took: v.onTheWay(g)})
	}
	return one(v.orPool(f))
}

// firstLine says when the head and the first event came, if one did.
func firstLine(g *verdict.Graded, head, first time.Duration) fact {
	if g.First == record.Never {
		return fact{Kind: FactNoEventAfterHead, Stream: g.Seq, Took: max(head, 0), Bound: ageOf(g)}
	}
	return fact{Kind: FactHeadThenEvent, Stream: g.Seq, Took: max(head, 0), Bound: first}
}

// onTheWay is how long the first event travelled, by the server's stamp.
func (v *view) onTheWay(g *verdict.Graded) time.Duration {
	return g.First - time.Unix(0, g.EmitFirst).Sub(v.Run.Plan.Started)
}
